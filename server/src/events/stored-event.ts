import type { Envelope } from '@tenure/contract'

/** An event as the log keeps it: everything, before any endpoint's cut. Sealed as this exact JSON. */
export type StoredEvent = Omit<Envelope, 'type' | 'data' | 'previous_event_id' | 'restricted'> & {
  readonly type: string
  readonly data: Record<string, unknown>
}
