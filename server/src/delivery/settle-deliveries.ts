import type { Database } from '../database/database.ts'
import type { Statement } from '../database/tenant-transaction.ts'
import type { LeasedDelivery } from '../events/hand-over.ts'
import { LEASED_COLUMNS } from './claim-deliveries.ts'
import type { AttemptOutcome, DeliveryFailure } from './failures.ts'

/** What an attempt did, for the log of attempts. */
export type Attempt = {
  readonly startedAt: Date
  readonly durationMs: number
  readonly outcome: AttemptOutcome
  readonly status: number | null
  readonly personId: string | null
  /** The sealed request and answer; null where the key is gone. */
  readonly exchange: Buffer | null
}

/** What a lease ends with. `released`: nothing was sent, and after the wait anybody may take it. */
export type Settlement = {
  readonly delivery: LeasedDelivery
  readonly verdict: 'delivered' | 'retry' | 'dead' | 'released'
  readonly failure: DeliveryFailure | null
  readonly waitSeconds: number
  readonly attempt: Attempt | null
}

/**
 * Ends leases in one statement: outcome, attempt log, and the next delivery of each lane that is free now, leased to us
 * (or, when we are stopping or its endpoint is not active, made due). All of it or nothing, so that a crash can leave no
 * lane behind. Whoever lost the lease changes nothing, because the epoch has moved on.
 */
const SETTLE: Statement = {
  name: 'settle-deliveries',
  text: `
    with outcome as (
      select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::float8[],
                           $7::timestamptz[], $8::int[], $9::text[], $10::int[], $11::text[], $12::bytea[])
        as t (tenant_id, id, epoch, verdict, failure, wait_seconds, started_at, duration_ms, outcome, status, person_id, exchange)
    ), settled as (
      update delivery d
         set state = case o.verdict when 'delivered' then 'delivered' when 'dead' then 'dead' else 'pending' end,
             due_at = clock_timestamp() + o.wait_seconds * interval '1 second',
             lease_until = null,
             attempts = d.attempts - (o.outcome is null)::int,
             failures = d.failures + (o.outcome is not null and o.outcome <> 'delivered')::int,
             failure = case o.verdict when 'released' then d.failure else o.failure end,
             settled_at = case when o.verdict in ('delivered', 'dead') then clock_timestamp() end
        from outcome o
       where d.tenant_id = o.tenant_id and d.id = o.id and d.lease_epoch = o.epoch and d.state = 'pending' and d.lease_until is not null
      returning d.tenant_id, d.id, d.endpoint_id, d.order_key, d.state, d.attempts,
                o.started_at, o.duration_ms, o.outcome, o.status, o.person_id, o.exchange
    ), logged as (
      insert into attempt (tenant_id, id, delivery_id, endpoint_id, number, started_at, duration_ms, outcome, status, person_id, exchange)
      select tenant_id, 'att_' || replace(uuidv7()::text, '-', ''), id, endpoint_id, attempts, started_at, duration_ms, outcome, status, person_id, exchange
        from settled where outcome is not null
    ), next as (
      select n.tenant_id, n.id, $13::boolean and e.state = 'active' as leased
        from settled s
        join endpoint e on e.tenant_id = s.tenant_id and e.id = s.endpoint_id
       cross join lateral (
         select d.tenant_id, d.id, d.lease_until, d.failures from delivery d
          where d.tenant_id = s.tenant_id and d.endpoint_id = s.endpoint_id and d.order_key = s.order_key and d.state = 'pending' and d.id <> s.id
          order by d.event_position limit 1) n
       where s.state <> 'pending' and n.lease_until is null and n.failures = 0
    ), free as (
      select d.tenant_id, d.id, n.leased from next n
        join delivery d on d.tenant_id = n.tenant_id and d.id = n.id
       where d.state = 'pending' and d.lease_until is null
         for update of d skip locked
    ), promoted as (
      update delivery d
         -- Left as it is where it may be: an update of indexed columns costs an entry in every index.
         set due_at = case when f.leased then least(d.due_at, clock_timestamp() + interval '5 seconds') else clock_timestamp() end,
             lease_until = case when f.leased then clock_timestamp() + $14 * interval '1 second' end,
             lease_epoch = d.lease_epoch + f.leased::int,
             attempts = d.attempts + f.leased::int
        from free f
       where d.tenant_id = f.tenant_id and d.id = f.id
      returning d.*
    )
    select true as promoted, ${LEASED_COLUMNS} from promoted d where d.lease_until is not null
    union all
    select false, s.tenant_id, s.id, s.endpoint_id, s.order_key, 0, '', '', null, null, 0, s.attempts, 0 from settled s`,
}

export type Settled = {
  /** Ids of the deliveries whose lease was still ours. */
  readonly accepted: ReadonlySet<string>
  /** The next ones of their lanes, leased to us. */
  readonly promoted: readonly LeasedDelivery[]
}

export type SettleOptions = { readonly leaseSeconds: number; readonly promote: boolean }

export async function settleDeliveries(
  database: Database,
  settlements: readonly Settlement[],
  { leaseSeconds, promote }: SettleOptions,
): Promise<Settled> {
  const column = <Value>(pick: (one: Settlement) => Value) => settlements.map(pick)
  const rows = await database.asWorker<LeasedDelivery & { promoted: boolean }>(SETTLE, [
    column(({ delivery }) => delivery.tenantId),
    column(({ delivery }) => delivery.id),
    column(({ delivery }) => delivery.leaseEpoch),
    column(({ verdict }) => verdict),
    column(({ failure }) => failure),
    column(({ waitSeconds }) => waitSeconds),
    column(({ attempt }) => attempt?.startedAt ?? null),
    column(({ attempt }) => (attempt ? Math.round(attempt.durationMs) : null)),
    column(({ attempt }) => attempt?.outcome ?? null),
    column(({ attempt }) => attempt?.status ?? null),
    column(({ attempt }) => attempt?.personId ?? null),
    column(({ attempt }) => attempt?.exchange ?? null),
    promote,
    leaseSeconds,
  ])
  const accepted = new Set(rows.flatMap(({ promoted, id }) => (promoted ? [] : [id])))
  return { accepted, promoted: rows.flatMap(({ promoted, ...delivery }) => (promoted ? [delivery] : [])) }
}

/**
 * Lets what stands behind a failed delivery wait as long as that one, so that nobody looks at it in vain. Only a saving: the
 * claim would pass over it anyway.
 */
const PUSH_FOLLOWERS: Statement = {
  name: 'push-followers',
  text: `
    with head as (
      select h.tenant_id, h.endpoint_id, h.order_key, h.event_position, h.due_at
        from unnest($1::text[], $2::text[]) as t (tenant_id, id)
        join delivery h on h.tenant_id = t.tenant_id and h.id = t.id and h.state = 'pending'
    ), behind as (
      select d.tenant_id, d.id, h.due_at from head h
        join delivery d on d.tenant_id = h.tenant_id and d.endpoint_id = h.endpoint_id and d.order_key = h.order_key and d.state = 'pending'
         and d.event_position > h.event_position and d.lease_until is null and d.due_at < h.due_at
         for update of d skip locked
    )
    update delivery d set due_at = b.due_at from behind b where d.tenant_id = b.tenant_id and d.id = b.id`,
}

export async function pushFollowers(database: Database, failed: readonly LeasedDelivery[]): Promise<void> {
  if (failed.length === 0) return
  await database.asWorker(PUSH_FOLLOWERS, [failed.map(({ tenantId }) => tenantId), failed.map(({ id }) => id)])
}
