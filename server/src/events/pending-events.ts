import type { Change } from './change.ts'
import type { StoredEvent } from './stored-event.ts'

/** An event that has no number yet. */
export type PendingEvent = {
  readonly event: Omit<StoredEvent, 'sequence'>
  readonly orderKey: string
  readonly personId: string | null
  readonly onlyEndpointId: string | null
}

/** What a transaction will write to the log: its events in order, and the employees whose version rises. */
export type Pending = { readonly events: PendingEvent[]; readonly touched: Set<string>; readonly change: Change }
