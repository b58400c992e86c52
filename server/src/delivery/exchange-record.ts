import { ID_HEADER, TIMESTAMP_HEADER } from '@tenure/contract/signature'
import type { SendResult } from './egress/exchange.ts'
import type { SignedRequest } from './sign-request.ts'

/** What is kept of an attempt, sealed: enough to see what went wrong, nothing that opens a door. */
export type ExchangeRecord = {
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body_bytes: number }
  readonly response: null | {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly body_encoding: 'utf-8' | 'base64'
    readonly body_state: string
  }
}

export function exchangePlace(tenantId: string, deliveryId: string, attemptNumber: number) {
  return { tenantId, table: 'attempt', column: 'exchange', row: `${deliveryId}/${attemptNumber}` }
}

const SHOWN_HEADERS: ReadonlySet<string> = new Set(['content-type', 'user-agent', ID_HEADER, TIMESTAMP_HEADER])

const NOT_KEPT = '[not kept]'

/** Shorter values are no secrets, and blotting them out would leave nothing to read. */
const LEAST_SECRET = 8

/** An endpoint that echoes its request, as error pages like to do, must not bring back the header values that nobody is shown. */
export function recordExchange({ headers, body }: SignedRequest, result: SendResult): ExchangeRecord {
  const sent = Object.entries(headers)
  const shown = sent.map(([name, value]) => [name, SHOWN_HEADERS.has(name) ? value : NOT_KEPT] as const)
  const request = { headers: Object.fromEntries(shown), body_bytes: body.length }
  if (result.status === undefined) return { request, response: null }
  const { status, headers: answered = {}, body: answer = Buffer.alloc(0), bodyState = 'complete' } = result
  const hidden = sent.flatMap(([name, value]) => (SHOWN_HEADERS.has(name) || value.length < LEAST_SECRET ? [] : [value]))
  const cleared = (text: string) => hidden.reduce((left, value) => left.replaceAll(value, NOT_KEPT), text)
  const text = asText(answer)
  return {
    request,
    response: {
      status,
      headers: Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, cleared(value)])),
      body: text === undefined ? answer.toString('base64') : cleared(text),
      body_encoding: text === undefined ? 'base64' : 'utf-8',
      body_state: bodyState,
    },
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function asText(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
