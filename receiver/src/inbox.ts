/** What an inbox needs to know of an event. */
export type InboxEvent = {
  /** The `webhook-id`: the same over all attempts and replays. */
  readonly id: string
  readonly type: string
  readonly employeeId: string | null
  readonly sequence: number | null
}

/**
 * Remembers what was processed, so that an event which arrives twice takes effect once.
 *
 * An inbox of your own keeps three promises: `work` and the memory of its id take effect together or not at all; when `work`
 * throws, nothing is remembered and the error is passed on; of two deliveries of one id at the same moment, one works
 * and the other gets 'duplicate' or throws `InProgress`. Ids are kept for longer than the sender may repeat them.
 */
export interface Inbox<Tx = undefined> {
  process(event: InboxEvent, work: (tx: Tx) => Promise<void>): Promise<'processed' | 'duplicate'>
}
