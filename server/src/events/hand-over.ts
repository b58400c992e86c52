import type { DataKey } from '../privacy/sealed-value.ts'
import type { StoredEvent } from './stored-event.ts'

/** The deliveries of one employee (or candidate) to one endpoint: sent one after the other. */
export type Lane = { readonly tenantId: string; readonly endpointId: string; readonly orderKey: string }

/** A delivery that this process may attempt until its lease ends. Whoever completes it names the epoch. */
export type LeasedDelivery = Lane & {
  readonly id: string
  readonly eventPosition: number
  readonly eventId: string
  readonly eventType: string
  readonly employeeId: string | null
  readonly previousEventId: string | null
  readonly leaseEpoch: number
  /** The number of this attempt, from 1. */
  readonly attempts: number
  /** Failed attempts since it was last put to work. */
  readonly failures: number
}

/** A leased delivery with the event that it carries, in clear, in memory only, and the key that seals what is kept of an attempt. */
export type ReadyDelivery = LeasedDelivery & { readonly event: StoredEvent; readonly personId: string | null; readonly key: DataKey }

/**
 * Where the committing process sends new deliveries, already leased to itself, so that the first attempt starts without
 * another query. Nothing depends on it: a delivery that is not attempted becomes due again when its lease ends.
 */
export type HandOver = {
  /** How many deliveries the dispatcher will take right now. The rest are left due, for whoever polls next. */
  room(): number
  readonly leaseSeconds: number
  /** `leasedAt` is what performance.now() said before they were leased: a commit may have taken its time since. */
  accept(deliveries: readonly ReadyDelivery[], leasedAt: number): void
  /** Tells that deliveries were left due: a hint to look soon. */
  due(): void
  /** Names lanes in which a new delivery waits behind one that may have been settled meanwhile: they are looked at once more. */
  waiting(lanes: readonly Lane[]): void
}
