import type { Database } from '../database/database.ts'
import type { Statement } from '../database/tenant-transaction.ts'
import type { LeasedDelivery } from '../events/hand-over.ts'
import { RETRY_WAITS_SECONDS } from './retry-policy.ts'

/** The columns of a leased delivery, in every statement that leases. */
export const LEASED_COLUMNS = `
  d.tenant_id as "tenantId", d.id, d.endpoint_id as "endpointId", d.order_key as "orderKey", d.event_position as "eventPosition",
  d.event_id as "eventId", d.event_type as "eventType", d.employee_id as "employeeId", d.previous_event_id as "previousEventId",
  d.lease_epoch as "leaseEpoch", d.attempts, d.failures`

/**
 * The endpoints that have something pending, found by leaping from one to the next in the index: the cost follows their
 * number, not that of the deliveries behind them, nor that of the endpoints with nothing to do.
 */
export const BUSY_ENDPOINTS = `
  busy as (
    (select tenant_id, endpoint_id from delivery where state = 'pending' order by tenant_id, endpoint_id limit 1)
    union all
    select n.tenant_id, n.endpoint_id
      from busy b
     cross join lateral (
       select d.tenant_id, d.endpoint_id from delivery d
        where d.state = 'pending' and (d.tenant_id, d.endpoint_id) > (b.tenant_id, b.endpoint_id)
        order by d.tenant_id, d.endpoint_id limit 1) n
  )`

/**
 * Leases due deliveries over all tenants, each endpoint's free slots at most, one of each endpoint before the second of any.
 * Only the first pending one of a lane may go.
 *
 * Two forms were measured and matter. The head of a lane is asked for by `order by … limit 1`: as `not exists (an earlier one)`
 * the planner, while the table has no statistics yet, read the whole endpoint for each row (10 s in place of 20 ms at 100,000
 * pending). And `due_at` stays as it is: a lease that changes no indexed column writes half as much.
 *
 * A row whose lease ran out was being attempted by a process that is gone: that attempt is logged as interrupted and counts
 * as a failure, so that an event which ends processes cannot come back for ever.
 */
const CLAIM: Statement = {
  name: 'claim-deliveries',
  text: `
    with recursive ${BUSY_ENDPOINTS}, room as (
      select b.tenant_id, b.endpoint_id, coalesce(f.free, $4::int) as free
        from busy b
        join endpoint e on e.tenant_id = b.tenant_id and e.id = b.endpoint_id and e.state = 'active'
        left join unnest($1::text[], $2::text[], $3::int[]) as f (tenant_id, endpoint_id, free)
          on f.tenant_id = b.tenant_id and f.endpoint_id = b.endpoint_id
    ), due as (
      select c.tenant_id, c.id, c.due_at, row_number() over (partition by c.tenant_id, c.endpoint_id order by c.due_at) as turn
        from room r
       cross join lateral (
         select d.tenant_id, d.endpoint_id, d.id, d.due_at from delivery d
          where d.tenant_id = r.tenant_id and d.endpoint_id = r.endpoint_id and d.state = 'pending' and d.event_position > 0 and d.due_at <= now()
            and (d.lease_until is null or d.lease_until <= now())
            and d.event_position = (
              select a.event_position from delivery a
               where a.tenant_id = d.tenant_id and a.endpoint_id = d.endpoint_id and a.order_key = d.order_key and a.state = 'pending'
               order by a.event_position limit 1)
          order by d.due_at
          limit r.free
            for update of d skip locked) c
    ), taken as (
      select tenant_id, id from due order by turn, due_at limit $5
    ), claimed as (
      update delivery d
         set lease_until = now() + $6 * interval '1 second', lease_epoch = d.lease_epoch + 1, attempts = d.attempts + 1, failures = d.failures + (d.lease_until is not null)::int
        from taken t
       where d.tenant_id = t.tenant_id and d.id = t.id
      returning d.*, old.lease_until as lapsed_at
    ), logged as (
      insert into attempt (tenant_id, id, delivery_id, endpoint_id, number, started_at, outcome)
      select tenant_id, 'att_' || replace(uuidv7()::text, '-', ''), id, endpoint_id, attempts - 1, lapsed_at - $6 * interval '1 second', 'interrupted'
        from claimed where lapsed_at is not null
    )
    select ${LEASED_COLUMNS} from claimed d order by d.event_position`,
}

export type FreeSlots = { readonly tenantId: string; readonly endpointId: string; readonly free: number }

export type ClaimOptions = {
  /** Endpoints that this process is busy with. Any other gets `freeByDefault`. */
  readonly free: readonly FreeSlots[]
  readonly freeByDefault: number
  readonly limit: number
  readonly leaseSeconds: number
}

export async function claimDeliveries(
  database: Database,
  { free, freeByDefault, limit, leaseSeconds }: ClaimOptions,
): Promise<LeasedDelivery[]> {
  return database.asWorker<LeasedDelivery>(CLAIM, [
    free.map(({ tenantId }) => tenantId),
    free.map(({ endpointId }) => endpointId),
    free.map((slots) => slots.free),
    freeByDefault,
    limit,
    leaseSeconds,
  ])
}

/** Whether the schedule is used up before this attempt: interrupted too often to be tried once more. */
export function isUsedUp({ failures }: Pick<LeasedDelivery, 'failures'>): boolean {
  return failures > RETRY_WAITS_SECONDS.length
}
