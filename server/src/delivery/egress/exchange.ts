import type { Dispatcher } from 'undici'
import type { Deadlined } from './deadlines.ts'
import { type FailureSymbol, failureOfError, failureOfStatus } from './failure.ts'

/**
 * How far the body was read. The status alone decides success, so these say only whether `body` is all of it:
 * `cut` at the limit, `stalled` until the deadline, `broken` off by the endpoint.
 */
export type BodyState = 'complete' | 'cut' | 'stalled' | 'broken'

export type SendResult = {
  /** The endpoint answered 2xx in time. Nothing else is success. */
  readonly ok: boolean
  /** Set exactly when `ok` is false. */
  readonly failure?: FailureSymbol
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** The first bytes of the body, as they came: never decoded, never decompressed. */
  readonly body?: Buffer
  readonly bodyState?: BodyState
  readonly durationMs: number
  /** From the call until a connection took the request: near 0 on a kept one. */
  readonly connectMs?: number
}

const MAX_INTERIM_RESPONSES = 8
const MAX_HEADERS_KEPT = 64
const MAX_HEADER_VALUE_KEPT = 1_024

/** Aborting a request of ours needs a reason; nobody sees it, because the exchange has settled before. */
const SETTLED = new Error('The exchange has settled.')

/** One request and what became of it. It settles once: by the answer, an error, the body's limit or the deadline. */
export class Exchange implements Dispatcher.DispatchHandler, Deadlined {
  readonly endsAt: number
  readonly #startedAt: number
  readonly #maxBodyBytes: number
  readonly #settle: (exchange: Exchange, result: SendResult) => void
  #controller: Dispatcher.DispatchController | undefined
  #settled = false
  #connectMs: number | undefined
  #interim = 0
  #status = 0
  #headers: Record<string, string> | undefined
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(startedAt: number, timeoutMs: number, maxBodyBytes: number, settle: (exchange: Exchange, result: SendResult) => void) {
    this.#startedAt = startedAt
    this.endsAt = startedAt + timeoutMs
    this.#maxBodyBytes = maxBodyBytes
    this.#settle = settle
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#connectMs = performance.now() - this.#startedAt
    // A request whose time ran out while it waited for a connection must not go out after all.
    if (this.#settled) controller.abort(SETTLED)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status >= 200) {
      this.#status = status
      this.#headers = keepHeaders(headers)
    } else if (++this.#interim > MAX_INTERIM_RESPONSES) {
      this.fail('response_invalid')
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#maxBodyBytes - this.#bytes
    this.#bytes += chunk.length
    if (room > 0) this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
    if (chunk.length > room) this.#finish('cut')
  }

  onResponseEnd(): void {
    this.#finish('complete')
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#status > 0) this.#finish('broken')
    else this.fail(failureOfError(error))
  }

  expire(): void {
    if (this.#status > 0) this.#finish('stalled')
    else this.fail('timeout')
  }

  /** Ends without an answer. */
  fail(failure: FailureSymbol): void {
    this.#end({ ok: false, failure, ...this.#times() })
  }

  #finish(bodyState: BodyState): void {
    const failure = failureOfStatus(this.#status)
    const answer = {
      status: this.#status,
      headers: this.#headers ?? {},
      bodyState,
      // Copied, because the chunk is a window on the socket's 64 KiB.
      ...(this.#chunks.length > 0 ? { body: Buffer.concat(this.#chunks) } : {}),
      ...this.#times(),
    }
    this.#end(failure ? { ok: false, failure, ...answer } : { ok: true, ...answer })
    if (bodyState !== 'complete') this.#controller?.abort(SETTLED)
  }

  #end(result: SendResult): void {
    if (this.#settled) return
    this.#settled = true
    this.#chunks = []
    this.#settle(this, result)
    if (!result.ok && result.status === undefined) this.#controller?.abort(SETTLED)
  }

  #times(): { durationMs: number; connectMs?: number } {
    const durationMs = performance.now() - this.#startedAt
    return this.#connectMs === undefined ? { durationMs } : { durationMs, connectMs: this.#connectMs }
  }
}

/** What of the head is worth storing. Cookies are the endpoint's credentials and have no business with us. */
function keepHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {}
  let count = 0
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || name === 'set-cookie' || name === '__proto__') continue
    if (++count > MAX_HEADERS_KEPT) break
    kept[name] = (typeof value === 'string' ? value : value.join(', ')).slice(0, MAX_HEADER_VALUE_KEPT)
  }
  return kept
}
