import { type VerifyOptions, verify } from '@tenure/contract/signature'
import { accepted, bodyParsedBefore, bodyTooLarge, methodNotAllowed, PARSED_BEFORE, problem, type WebhookAnswer } from './answers.ts'
import type { AnyEvent } from './event-types.ts'
import { Gone, InProgress, RetryLater } from './handler-errors.ts'
import type { Inbox } from './inbox.ts'
import type { IncomingHeaders, IncomingRequest, Registration } from './receiver.ts'

export type ReceiverParts<Tx> = {
  readonly secrets: readonly Uint8Array[]
  readonly once: Inbox<Tx> | undefined
  readonly maxBodyBytes: number
  readonly verifyOptions: VerifyOptions
  readonly registrations: readonly Registration<Tx>[]
  readonly report: (error: unknown, event?: { readonly id: string; readonly type: string }) => void
}

/** Verify, parse, route, answer: in this order, so that nothing looks into a body that is not proven. */
export async function processRequest<Tx>(parts: ReceiverParts<Tx>, request: IncomingRequest): Promise<WebhookAnswer> {
  const { method = 'POST', body } = request
  if (method !== 'POST') return methodNotAllowed()
  if (!ArrayBuffer.isView(body)) {
    parts.report(new Error(PARSED_BEFORE))
    return bodyParsedBefore()
  }
  if (body.length > parts.maxBodyBytes) return bodyTooLarge(parts.maxBodyBytes)

  const headers = readHeaders(request.headers)
  const verified = await verify(parts.secrets, { headers, body }, parts.verifyOptions)
  if (!verified.ok) return problem(400, verified.reason, 'The signature could not be verified.', verified.detail)
  const event = parseEvent(body)
  if (!event) return problem(400, 'not_an_event', 'The body is not an event.', 'It is signed, but not a JSON object with a type.')

  const handlers = parts.registrations.filter(({ type }) => type === undefined || type === event.type)
  if (handlers.length === 0) return accepted({ handled: false })
  const attempt = { webhookId: verified.id, sentAt: new Date(verified.timestamp * 1000) }
  return handleOnce(parts, verified.id, event, async (tx) => {
    for (const { handler } of handlers) await handler(event, { tx, attempt, headers })
  })
}

async function handleOnce<Tx>(
  parts: ReceiverParts<Tx>,
  id: string,
  event: AnyEvent,
  work: (tx: Tx) => Promise<void>,
): Promise<WebhookAnswer> {
  const { type, employee_id: employeeId = null, sequence = null } = event
  try {
    // Without an inbox the type of `tx` is undefined, and so is its value.
    if (!parts.once) await work(undefined as Tx)
    else if ((await parts.once.process({ id, type, employeeId, sequence }, work)) === 'duplicate') return accepted({ duplicate: true })
    return accepted({ handled: true })
  } catch (error) {
    const answer = answerTo(error)
    if (answer) return answer
    parts.report(error, { id, type })
    return problem(500, 'handler_failed', 'The receiver could not process the event.')
  }
}

/** The errors that are answers of their own. */
function answerTo(error: unknown): WebhookAnswer | undefined {
  if (error instanceof RetryLater) {
    return problem(503, 'retry_later', 'The receiver asks to try again later.', undefined, { 'retry-after': String(error.seconds) })
  }
  if (error instanceof Gone) return problem(410, 'gone', 'This endpoint is no longer used.')
  if (error instanceof InProgress) {
    return problem(409, 'in_progress', 'Another delivery of this event is being processed.', undefined, { 'retry-after': '5' })
  }
  return undefined
}

function readHeaders(given: IncomingHeaders): Record<string, string> {
  const entries = Symbol.iterator in given ? [...(given as Iterable<readonly [string, string]>)] : Object.entries(given)
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of entries) {
    if (value !== undefined) headers[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ')
  }
  return headers
}

function parseEvent(body: Uint8Array): AnyEvent | undefined {
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return typeof event?.type === 'string' ? event : undefined
  } catch {
    return undefined
  }
}
