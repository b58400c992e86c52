import type { Tx } from '../database/tenant-transaction.ts'
import type { LeasedDelivery, ReadyDelivery } from '../events/hand-over.ts'
import { openEvents, type SealedEvent } from '../events/open-events.ts'
import type { Vault } from '../privacy/vault.ts'

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
  const eventIds = [...new Set(deliveries.map(({ eventId }) => eventId))]
  const rows = await tx.scope.run<SealedEvent>(SELECT_BODIES, [tx.scope.tenantId, eventIds])
  const opened = await openEvents(tx, vault, rows)
  const personIds = new Map(rows.map(({ id, personId }) => [id, personId]))
  return deliveries.map((delivery) => {
    const { event, key } = opened.get(delivery.eventId) ?? { event: 'unreadable' as const, key: undefined }
    if (typeof event === 'string' || !key) return { delivery, failure: event === 'erased' ? 'erased' : 'unreadable' }
    return { ready: { ...delivery, event, key, personId: personIds.get(delivery.eventId) ?? null } }
  })
}
