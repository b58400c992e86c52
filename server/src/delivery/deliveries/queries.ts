import type { Selectable } from 'kysely'
import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tables } from '../../database/tables.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import { type DataKey, open } from '../../privacy/sealed-value.ts'
import type { Vault } from '../../privacy/vault.ts'
import { type ExchangeRecord, exchangePlace } from '../exchange-record.ts'
import { shownFailure } from '../failures.ts'
import { deliveryNotFound } from '../problems.ts'

export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const

export type DeliveryFilter = {
  readonly endpointId?: string | undefined
  readonly employeeId?: string | undefined
  readonly eventId?: string | undefined
  readonly type?: string | undefined
  readonly state?: (typeof DELIVERY_STATES)[number] | undefined
  /** Newest first: only what is older than this one. */
  readonly beforeId?: string | undefined
  readonly limit: number
}

type DeliveryRow = Pick<
  Selectable<Tables['delivery']>,
  | 'id'
  | 'endpoint_id'
  | 'event_id'
  | 'event_type'
  | 'employee_id'
  | 'state'
  | 'attempts'
  | 'failure'
  | 'due_at'
  | 'lease_until'
  | 'created_at'
  | 'settled_at'
>

const SHOWN = [
  'id',
  'endpoint_id',
  'event_id',
  'event_type',
  'employee_id',
  'state',
  'attempts',
  'failure',
  'due_at',
  'lease_until',
  'created_at',
  'settled_at',
] as const satisfies (keyof DeliveryRow)[]

export type ShownDelivery = Omit<DeliveryRow, 'due_at' | 'lease_until'> & {
  /** When it is tried next; null when it is settled or being attempted right now. */
  readonly next_attempt_at: Date | null
}

/** Deliveries, newest first. */
export async function listDeliveries(tx: Tx, actor: Actor, filter: DeliveryFilter): Promise<ShownDelivery[]> {
  requireScope(actor, 'deliveries:read')
  const { tenantId } = tx.scope
  let query = tx.selectFrom('delivery').select(SHOWN).where('tenant_id', '=', tenantId)
  if (filter.endpointId) query = query.where('endpoint_id', '=', filter.endpointId)
  if (filter.eventId) query = query.where('event_id', '=', filter.eventId)
  if (filter.type) query = query.where('event_type', '=', filter.type)
  if (filter.state) query = query.where('state', '=', filter.state)
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId)
  const { employeeId } = filter
  if (employeeId) {
    // By way of the log, which has an index by employee: one more index here would be written at every attempt.
    query = query.where('event_id', 'in', (events) =>
      events.selectFrom('event').select('event.id').where('event.tenant_id', '=', tenantId).where('event.employee_id', '=', employeeId),
    )
  }
  const rows = await query.orderBy('id', 'desc').limit(filter.limit).execute()
  return rows.map((row) => showDelivery(actor, row))
}

export type ShownAttempt = {
  readonly number: number
  readonly started_at: Date
  readonly duration_ms: number | null
  readonly outcome: string
  readonly status: number | null
  /** Only for who may read personal data of deliveries; null also where the person was erased. */
  readonly exchange: ExchangeRecord | null
}

/** One delivery with its attempts. */
export async function getDelivery(
  tx: Tx,
  vault: Vault,
  actor: Actor,
  deliveryId: string,
): Promise<ShownDelivery & { attempt_log: ShownAttempt[] }> {
  requireScope(actor, 'deliveries:read')
  const { tenantId } = tx.scope
  const row = await tx
    .selectFrom('delivery')
    .select(SHOWN)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .executeTakeFirst()
  if (!row) throw deliveryNotFound({ ids: { delivery_id: deliveryId } })
  const attempts = await tx
    .selectFrom('attempt')
    .select(['number', 'started_at', 'duration_ms', 'outcome', 'status', 'person_id', 'exchange'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number')
    .execute()
  const personIds = attempts.flatMap(({ person_id }) => (person_id ? [person_id] : []))
  const personKeys: ReadonlyMap<string, DataKey> =
    seesDetail(actor) && personIds.length > 0 ? await vault.personKeys(tx, personIds) : new Map()
  const tenantKey = await vault.tenantKey(tx)
  const exchangeOf = ({ number, person_id, exchange }: (typeof attempts)[0]) => {
    const key = person_id ? personKeys.get(person_id) : tenantKey
    if (!seesDetail(actor) || !exchange || !key) return null
    return JSON.parse(open(key, exchangePlace(tenantId, deliveryId, number), exchange).toString()) as ExchangeRecord
  }
  const attempt_log = attempts.map((attempt) => ({
    number: attempt.number,
    started_at: attempt.started_at,
    // How soon an address refused tells as much of our network as how.
    duration_ms: seesDetail(actor) || shownFailure(attempt.outcome) !== 'unreachable' ? attempt.duration_ms : null,
    outcome: seesDetail(actor) ? attempt.outcome : (shownFailure(attempt.outcome) ?? attempt.outcome),
    status: attempt.status,
    exchange: exchangeOf(attempt),
  }))
  return { ...showDelivery(actor, row), attempt_log }
}

function showDelivery(actor: Actor, { due_at, lease_until, failure, ...row }: DeliveryRow): ShownDelivery {
  const waits = row.state === 'pending' && lease_until === null
  return { ...row, failure: seesDetail(actor) ? failure : shownFailure(failure), next_attempt_at: waits ? due_at : null }
}

/** What an endpoint answered may quote what it was sent; which network fault it was tells about our network. */
function seesDetail({ scopes }: Actor): boolean {
  return scopes.has('deliveries:read:personal')
}
