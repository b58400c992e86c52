import type { Database } from '../database/database.ts'
import type { Statement } from '../database/tenant-transaction.ts'
import type { Lane, LeasedDelivery } from './hand-over.ts'

/**
 * Gives each employee its next numbers, under the lock of its row, and raises its version once. The locks are taken in the
 * order of the ids: an update takes them in whatever order its plan reads the rows, and two changes of the same employees
 * would stop each other for a second until one of them loses.
 */
export const RAISE_SEQUENCES: Statement = {
  name: 'raise-sequences',
  text: `
    with locked as materialized (
      select id from employee where tenant_id = $1 and id = any ($2::text[]) order by id for no key update
    )
    update employee e
       set event_sequence = e.event_sequence + n.events, version = e.version + 1
      from locked join unnest($2::text[], $3::int[]) as n (id, events) using (id)
     where e.tenant_id = $1 and e.id = locked.id
    returning e.id, e.event_sequence - n.events + 1 as first`,
}

/** A new delivery as the fan-out placed it: leased to us, or left due because there is no room, or because it waits. */
export type PlacedDelivery = Omit<LeasedDelivery, 'tenantId' | 'failures'> & { readonly leased: boolean; readonly waits: boolean }

/**
 * Writes events to the log and one delivery for each endpoint that wants them, in one statement.
 *
 * A delivery that is the first unsettled one of its lane (endpoint, order key) is leased to this process while there is
 * room. One that stands behind another is due no sooner than that one: settling the earlier brings it forward, and if that
 * is missed, its own due time does.
 */
export const LOG_AND_FAN_OUT: Statement = {
  name: 'log-and-fan-out',
  text: `
    with input as (
      select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::date[], $9::text[],
                           $10::text[], $11::text[], $12::bytea[], $13::text[])
        with ordinality as t (id, type, employee_id, order_key, sequence, recorded_at, effective_date, source, correlation_id,
                              person_id, body, only_endpoint_id, place)
    ), logged as (
      insert into event (tenant_id, id, type, employee_id, order_key, sequence, recorded_at, effective_date, source, correlation_id, person_id, body)
      select $1, id, type, employee_id, order_key, sequence, recorded_at, effective_date, source, correlation_id, person_id, body
        from input order by place
      returning position, id, type, employee_id, order_key
    ), wanted as (
      select l.position, l.id, l.type, l.employee_id, l.order_key, e.id as endpoint_id, e.state = 'active' as active
        from logged l
        join input i on i.id = l.id
        join endpoint e on e.tenant_id = $1 and e.state <> 'disabled'
         and case when i.only_endpoint_id is not null then e.id = i.only_endpoint_id
                  else l.type = any (e.event_types) or '*' = any (e.event_types) or split_part(l.type, '.', 1) || '.*' = any (e.event_types) end
    ), placed as (
      select w.*, lag(w.id) over (partition by w.endpoint_id, w.order_key order by w.position) as before_in_batch,
             sent.event_id as sent_before, ahead.due_at as ahead_until
        from wanted w
        left join lateral (
          select d.event_id from delivery d
           where d.tenant_id = $1 and d.endpoint_id = w.endpoint_id and d.order_key = w.order_key
           order by d.event_position desc limit 1) sent on true
        left join lateral (
          select d.due_at from delivery d
           where d.tenant_id = $1 and d.endpoint_id = w.endpoint_id and d.order_key = w.order_key and d.state = 'pending'
           order by d.event_position limit 1) ahead on true
    ), decided as (
      select p.*, p.before_in_batch is not null or p.ahead_until is not null as waits,
             p.active and p.before_in_batch is null and p.ahead_until is null
               and row_number() over (order by p.before_in_batch is not null or p.ahead_until is not null or not p.active, p.position) <= $14 as leased
        from placed p
    )
    insert into delivery (tenant_id, id, endpoint_id, order_key, event_position, event_id, event_type, employee_id, previous_event_id,
                          due_at, lease_until, lease_epoch, attempts)
    select $1, 'dlv_' || replace(uuidv7()::text, '-', ''), endpoint_id, order_key, position, id, type, employee_id, coalesce(before_in_batch, sent_before),
           case when leased then clock_timestamp() + $15 * interval '1 second'
                when waits then greatest(ahead_until, clock_timestamp() + interval '5 seconds')
                else clock_timestamp() end,
           case when leased then clock_timestamp() + $15 * interval '1 second' end,
           leased::int, leased::int
      from decided
    returning id, endpoint_id as "endpointId", order_key as "orderKey", event_position as "eventPosition", event_id as "eventId",
              event_type as "eventType", employee_id as "employeeId", previous_event_id as "previousEventId",
              lease_epoch as "leaseEpoch", attempts, lease_epoch = 1 as leased,
              lease_epoch = 0 and due_at > clock_timestamp() as waits`,
}

/**
 * Brings forward the first delivery of each of these lanes, if it was set to wait behind one that is settled by now.
 *
 * A change may see the delivery before its own as unsettled while that is being settled by somebody who does not see the
 * change yet. So both look once more: the change after its commit, the one who settles after that. Whichever is later sees
 * the other.
 */
export const FREE_LANES: Statement = {
  name: 'free-lanes',
  text: `
    with lane as (
      select distinct * from unnest($1::text[], $2::text[], $3::text[]) as t (tenant_id, endpoint_id, order_key)
    ), first as (
      select n.ctid
        from lane l
       cross join lateral (
         select d.ctid, d.lease_until, d.failures, d.due_at from delivery d
          where d.tenant_id = l.tenant_id and d.endpoint_id = l.endpoint_id and d.order_key = l.order_key and d.state = 'pending'
          order by d.event_position limit 1) n
       where n.lease_until is null and n.failures = 0 and n.due_at > clock_timestamp()
    )
    -- By its place: joined by its key, the planner without statistics reads all that is pending, for each lane.
    update delivery d set due_at = clock_timestamp()
     where d.ctid = any (array(select ctid from first))
       and d.state = 'pending' and d.lease_until is null and d.failures = 0 and d.due_at > clock_timestamp()
    returning d.id`,
}

/** Runs FREE_LANES and says whether anything became due. */
export async function freeLanes(database: Database, lanes: readonly Lane[]): Promise<boolean> {
  if (lanes.length === 0) return false
  const columns = [lanes.map((lane) => lane.tenantId), lanes.map((lane) => lane.endpointId), lanes.map((lane) => lane.orderKey)]
  return (await database.asWorker(FREE_LANES, columns)).length > 0
}
