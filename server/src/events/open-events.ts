import type { Tx } from '../database/tenant-transaction.ts'
import { CannotOpen, type DataKey, open } from '../privacy/sealed-value.ts'
import type { Vault } from '../privacy/vault.ts'
import { eventPlace } from './flush-events.ts'
import type { StoredEvent } from './stored-event.ts'

export type SealedEvent = { readonly id: string; readonly personId: string | null; readonly body: Buffer }

/** `erased`: the person's key is gone. `unreadable`: the bytes are not those that we sealed for this place. */
export type OpenedEvent = StoredEvent | 'erased' | 'unreadable'

/** An event with the key that opened it, which seals whatever else is kept of it. */
export type EventAndKey = { readonly event: OpenedEvent; readonly key: DataKey | undefined }

/** Opens stored events, by their id. */
export async function openEvents(tx: Tx, vault: Vault, events: readonly SealedEvent[]): Promise<Map<string, EventAndKey>> {
  const personIds = events.flatMap(({ personId }) => (personId ? [personId] : []))
  const personKeys: ReadonlyMap<string, DataKey> = personIds.length > 0 ? await vault.personKeys(tx, personIds) : new Map()
  const tenantKey = events.some(({ personId }) => !personId) ? await vault.tenantKey(tx) : undefined
  const keyOf = (personId: string | null) => (personId ? personKeys.get(personId) : tenantKey)
  return new Map(
    events.map((sealed) => {
      const key = keyOf(sealed.personId)
      return [sealed.id, { event: openEvent(tx.scope.tenantId, sealed, key), key }]
    }),
  )
}

function openEvent(tenantId: string, { id, body }: SealedEvent, key: DataKey | undefined): OpenedEvent {
  if (!key) return 'erased'
  try {
    return JSON.parse(open(key, eventPlace(tenantId, id), body).toString()) as StoredEvent
  } catch (error) {
    if (error instanceof CannotOpen) return 'unreadable'
    throw error
  }
}
