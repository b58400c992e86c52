/**
 * Thrown by a handler that cannot do its work now. Answered 503 with `Retry-After`; nothing is remembered, so the event
 * comes again. The sender slows down for the whole endpoint: right for an outage behind the receiver, wrong for one bad event.
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly seconds: number

  constructor(seconds: number) {
    if (!Number.isFinite(seconds) || seconds < 0) throw new RangeError('RetryLater takes a number of seconds of at least 0.')
    super(`Try again in ${seconds} s.`)
    this.seconds = Math.ceil(seconds)
  }
}

/** Thrown by a handler when this endpoint is no longer used. Answered 410: the sender disables the whole endpoint. */
export class Gone extends Error {
  override readonly name = 'Gone'

  constructor() {
    super('This endpoint is gone.')
  }
}

/**
 * Thrown by an inbox when the same id is being processed at this moment. Answered 409: the sender comes again and then
 * finds the first one's outcome. Waiting instead would hold a connection for as long as the first one works.
 */
export class InProgress extends Error {
  override readonly name = 'InProgress'

  constructor() {
    super('Another delivery of this event is being processed.')
  }
}
