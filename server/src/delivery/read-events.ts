import type { Tx } from '../database/tenant-transaction.ts'
import { eventPlace } from '../events/flush-events.ts'
import type { LeasedDelivery, ReadyDelivery } from '../events/hand-over.ts'
import type { StoredEvent } from '../events/stored-event.ts'
import { CannotOpen, type DataKey, open } from '../privacy/sealed-value.ts'
import type { Vault } from '../privacy/vault.ts'

export type SealedEvent = { readonly id: string; readonly personId: string | null; readonly body: Buffer }

const SELECT_BODIES = {
  name: 'select-event-bodies',
  text: 'select id, person_id as "personId", body from event where tenant_id = $1 and id = any($2)',
}

/** What reading the event of a delivery came to: ready to be sent, or why it never can be. */
export type ReadOutcome =
  | { readonly ready: ReadyDelivery }
  | { readonly delivery: LeasedDelivery; readonly failure: 'erased' | 'unreadable' }

/** Reads and opens the events of leased deliveries of one tenant. */
export async function readEvents(tx: Tx, vault: Vault, deliveries: readonly LeasedDelivery[]): Promise<ReadOutcome[]> {
  const rows = await tx.scope.run<SealedEvent>(SELECT_BODIES, [tx.scope.tenantId, [...new Set(deliveries.map(({ eventId }) => eventId))]])
  const opened = await openEvents(tx, vault, rows)
  const personIds = new Map(rows.map(({ id, personId }) => [id, personId]))
  return deliveries.map((delivery) => {
    const event = opened.get(delivery.eventId) ?? 'unreadable'
    if (typeof event === 'string') return { delivery, failure: event }
    return { ready: { ...delivery, event, personId: personIds.get(delivery.eventId) ?? null } }
  })
}

/** Opens stored events by their id; `erased` where the person's key is gone, `unreadable` where the bytes are not what we sealed. */
export async function openEvents(
  tx: Tx,
  vault: Vault,
  events: readonly SealedEvent[],
): Promise<Map<string, StoredEvent | 'erased' | 'unreadable'>> {
  const personIds = events.flatMap(({ personId }) => (personId ? [personId] : []))
  const personKeys = personIds.length > 0 ? await vault.personKeys(tx, personIds) : new Map<string, DataKey>()
  const tenantKey = events.some(({ personId }) => !personId) ? await vault.tenantKey(tx) : undefined
  return new Map(
    events.map((event) => [event.id, openEvent(tx.scope.tenantId, event, event.personId ? personKeys.get(event.personId) : tenantKey)]),
  )
}

function openEvent(tenantId: string, { id, body }: SealedEvent, key: DataKey | undefined): StoredEvent | 'erased' | 'unreadable' {
  if (!key) return 'erased'
  try {
    return JSON.parse(open(key, eventPlace(tenantId, id), body).toString()) as StoredEvent
  } catch (error) {
    if (error instanceof CannotOpen) return 'unreadable'
    throw error
  }
}
