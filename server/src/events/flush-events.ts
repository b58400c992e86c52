import { type DataKey, seal } from '../privacy/sealed-value.ts'
import type { Change } from './change.ts'
import { LOG_AND_FAN_OUT, type PlacedDelivery, RAISE_SEQUENCES } from './fan-out.ts'
import type { ReadyDelivery } from './hand-over.ts'
import type { Pending, PendingEvent } from './pending-events.ts'
import type { StoredEvent } from './stored-event.ts'

type Numbered = PendingEvent & { readonly stored: StoredEvent }
type Sealed = Numbered & { readonly key: DataKey; readonly body: Buffer }

/** Writes what the transaction emitted: sequence numbers, log and deliveries, in two statements however many events there are. */
export async function flushEvents(pending: Pending): Promise<void> {
  const { change } = pending
  const { tx, handOver } = change
  const numbered = await numberEvents(pending)
  if (numbered.length === 0) return
  const sealed = await sealBodies(pending, numbered)
  const room = handOver?.room() ?? 0
  const leasedAt = performance.now()
  const placed = await tx.scope.run<PlacedDelivery>(LOG_AND_FAN_OUT, [
    tx.scope.tenantId,
    ...columns(sealed),
    room,
    handOver?.leaseSeconds ?? 0,
  ])
  if (placed.length === 0) return
  tx.scope.afterCommit(() => handOverPlaced(change, sealed, placed, leasedAt))
  if (placed.some(({ leased }) => !leased)) await tx.scope.run(NOTIFY_DUE, [])
}

/** One hint for the whole transaction: a notification takes a global lock at commit, so never one for each row. */
const NOTIFY_DUE = { name: 'notify-due', text: "select pg_notify('delivery_due', '')" }

async function numberEvents({ change, events, touched }: Pending): Promise<Numbered[]> {
  const counts = new Map<string, number>([...touched].map((id) => [id, 0]))
  for (const { event } of events) if (event.employee_id) counts.set(event.employee_id, (counts.get(event.employee_id) ?? 0) + 1)
  const ids = [...counts.keys()].sort()
  const { tx } = change
  const rows =
    ids.length === 0
      ? []
      : await tx.scope.run<{ id: string; first: number }>(RAISE_SEQUENCES, [tx.scope.tenantId, ids, ids.map((id) => counts.get(id) ?? 0)])
  const next = new Map(rows.map(({ id, first }) => [id, first]))
  return events.map((pending) => {
    const { employee_id } = pending.event
    if (!employee_id) return { ...pending, stored: { ...pending.event, sequence: null } }
    const sequence = next.get(employee_id)
    if (sequence === undefined) throw new Error('An event names an employee that does not exist.')
    next.set(employee_id, sequence + 1)
    return { ...pending, stored: { ...pending.event, sequence } }
  })
}

async function sealBodies({ change }: Pending, numbered: readonly Numbered[]): Promise<Sealed[]> {
  const { tx, vault } = change
  const personIds = numbered.flatMap(({ personId }) => (personId ? [personId] : []))
  const personKeys: ReadonlyMap<string, DataKey> = personIds.length > 0 ? await vault.personKeys(tx, personIds) : new Map()
  const tenantKey = numbered.some(({ personId }) => !personId) ? await vault.tenantKey(tx) : undefined
  return numbered.map((one) => {
    const key = one.personId ? personKeys.get(one.personId) : tenantKey
    if (!key) throw new Error('The key that would seal an event is gone.')
    return { ...one, key, body: seal(key, eventPlace(tx.scope.tenantId, one.stored.id), JSON.stringify(one.stored)) }
  })
}

export function eventPlace(tenantId: string, eventId: string) {
  return { tenantId, table: 'event', column: 'body', row: eventId }
}

function columns(sealed: readonly Sealed[]): unknown[] {
  const column = <Value>(pick: (one: Sealed) => Value) => sealed.map(pick)
  return [
    column(({ stored }) => stored.id),
    column(({ stored }) => stored.type),
    column(({ stored }) => stored.employee_id),
    column(({ orderKey }) => orderKey),
    column(({ stored }) => stored.sequence),
    column(({ stored }) => stored.recorded_at),
    column(({ stored }) => stored.effective_date),
    column(({ stored }) => stored.source),
    column(({ stored }) => stored.correlation_id),
    column(({ personId }) => personId),
    column(({ body }) => body),
    column(({ onlyEndpointId }) => onlyEndpointId),
  ]
}

function handOverPlaced({ tx, handOver }: Change, sealed: readonly Sealed[], placed: readonly PlacedDelivery[], leasedAt: number): void {
  if (!handOver) return
  const { tenantId } = tx.scope
  const byEvent = new Map(sealed.map((one) => [one.stored.id, one]))
  const ready: ReadyDelivery[] = []
  for (const { leased, waits: _waits, ...delivery } of placed) {
    const of = byEvent.get(delivery.eventId)
    if (!leased || !of) continue
    ready.push({ ...delivery, tenantId, event: of.stored, personId: of.personId, key: of.key, failures: 0 })
  }
  if (ready.length > 0) handOver.accept(ready, leasedAt)
  if (ready.length < placed.length) handOver.due()
  handOver.waiting(behindEarlier(placed).map(({ endpointId, orderKey }) => ({ tenantId, endpointId, orderKey })))
}

/** The first new delivery of each lane that had something unsettled before. What stands behind one of its own change was missed by nobody. */
function behindEarlier(placed: readonly PlacedDelivery[]): PlacedDelivery[] {
  const first = new Map<string, PlacedDelivery>()
  for (const one of placed) {
    const lane = `${one.endpointId}/${one.orderKey}`
    const known = first.get(lane)
    if (!known || one.eventPosition < known.eventPosition) first.set(lane, one)
  }
  return [...first.values()].filter(({ waits }) => waits)
}
