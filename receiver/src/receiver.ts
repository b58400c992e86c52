import { parseSecret, type Secret, type VerifyOptions } from '@tenure/contract/signature'
import { bodyParsedBefore, PARSED_BEFORE, problem, type WebhookAnswer } from './answers.ts'
import type { AnyEvent, Envelope, EventType } from './event-types.ts'
import type { Inbox } from './inbox.ts'
import { processRequest } from './process-request.ts'

export type ReceiverOptions<Tx = undefined> = VerifyOptions & {
  /** The endpoint's secret, `whsec_…`. While it is being replaced: the new and the old one. */
  readonly secret: Secret | readonly Secret[]
  /** Remembers what was processed. Without it, an event that arrives twice is handled twice. */
  readonly once?: Inbox<Tx>
  /** Larger bodies are answered 413. 1 MiB by default. */
  readonly maxBodyBytes?: number
  /**
   * Called with whatever a handler, an inbox or a wrong mounting throws, which the answer never shows. Prints to
   * `console.error` by default. `RetryLater`, `Gone` and `InProgress` are answers, not errors, and do not come here.
   */
  readonly onError?: (error: unknown, event?: { readonly id: string; readonly type: string }) => void
}

export type HandlerContext<Tx = undefined> = {
  /** The inbox's transaction. What is written through it takes effect together with the memory of the event, or not at all. */
  readonly tx: Tx
  /** This attempt. `sentAt` is its own time; when the event happened is `event.timestamp`. */
  readonly attempt: { readonly webhookId: string; readonly sentAt: Date }
  /** The request's headers by lower-case name. Of these, only `webhook-id` and `webhook-timestamp` are covered by the signature. */
  readonly headers: Readonly<Record<string, string>>
}

export type Handler<Event, Tx = undefined> = (event: Event, context: HandlerContext<Tx>) => unknown

export type IncomingRequest = {
  /** Left out, POST is taken for granted. */
  readonly method?: string
  readonly headers: IncomingHeaders
  /** The bytes that came over the wire. */
  readonly body: Uint8Array
}

/** A `Headers` object or a record as Node's `request.headers`. */
export type IncomingHeaders = Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[] | undefined>>

/** What an adapter needs of a receiver. */
export type Answering = {
  /** Answers one request. It does not reject: whatever is thrown becomes an answer. */
  handle(request: IncomingRequest): Promise<WebhookAnswer>
  /** For adapters: how much of a body to read, and the answer when something else has read it before. */
  readonly maxBodyBytes: number
  refuseParsedBody(): WebhookAnswer
}

export type Receiver<Tx = undefined> = Answering & {
  /** Handles events of one type. Several handlers of an event run one after the other, in the order in which they were added. */
  on<Type extends EventType>(type: Type, handler: Handler<Envelope<Type>, Tx>): Receiver<Tx>
  /** Handles every event, also those of types that this version does not know. */
  onAny(handler: Handler<AnyEvent, Tx>): Receiver<Tx>
}

/**
 * Verifies incoming webhooks and hands each event to the handlers for its type.
 *
 * Answers 400 to a forgery and says why, and 500 when a handler throws, so that the sender tries again. An event without a
 * handler is answered 200: refusing it would only bring it back. 200 is said after the handlers, and the inbox's
 * transaction around them, are through; never before.
 *
 * @throws TypeError when a secret is missing or cannot be parsed.
 *
 * @example
 * const receiver = createReceiver({ secret: process.env.TENURE_SECRET, once: onceInPostgres(pool) })
 *   .on('employment.started', ({ data }, { tx }) => openRecord(tx, data))
 */
export function createReceiver<Tx = undefined>(options: ReceiverOptions<Tx>): Receiver<Tx> {
  const { once, maxBodyBytes = 1_048_576, onError = printError } = options
  const registrations: Registration<Tx>[] = []
  const report: typeof onError = (error, event) => {
    try {
      onError(error, event)
    } catch {
      // The sender's answer does not depend on the receiver's own logging.
    }
  }
  const parts = { secrets: parseSecrets(options.secret), once, maxBodyBytes, verifyOptions: options, registrations, report }

  const receiver: Receiver<Tx> = {
    on(type, handler) {
      registrations.push({ type, handler: handler as Handler<AnyEvent, Tx> })
      return receiver
    },
    onAny(handler) {
      registrations.push({ type: undefined, handler })
      return receiver
    },
    handle: (request) =>
      processRequest(parts, request).catch((error: unknown) => {
        report(error)
        return problem(500, 'receiver_failed', 'The receiver could not process the request.')
      }),
    maxBodyBytes,
    refuseParsedBody() {
      report(new Error(PARSED_BEFORE))
      return bodyParsedBefore()
    },
  }
  return receiver
}

/** A handler and the type of event it is for; without a type, for all of them. */
export type Registration<Tx> = { readonly type: string | undefined; readonly handler: Handler<AnyEvent, Tx> }

function parseSecrets(secret: Secret | readonly Secret[] | undefined): Uint8Array[] {
  const list = Array.isArray(secret) ? secret : [secret]
  if (list.length === 0 || list.some((given) => !given)) throw new TypeError('createReceiver needs the secret of the endpoint (whsec_…).')
  return list.map(parseSecret)
}

function printError(error: unknown, event?: { readonly id: string; readonly type: string }): void {
  console.error(event ? `tenure receiver: ${event.type} ${event.id} could not be processed:` : 'tenure receiver:', error)
}
