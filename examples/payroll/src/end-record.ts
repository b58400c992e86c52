import type { Envelope } from '@tenure/receiver'
import type { ClientBase } from 'pg'
import { effectiveDate, effectValues, INSERT_EFFECT } from './effect.ts'

const CLOSE_RECORD = `
  with record as (
    insert into payroll_record (employment_id, employee_id, start_date, end_date, status, closed_at, sequence)
    values ($8, $9, $10, $11, 'closed', now(), coalesce($5::bigint, 0))
    on conflict (employment_id) do update
      set status = 'closed', end_date = excluded.end_date, closed_at = excluded.closed_at,
          sequence = greatest(payroll_record.sequence, excluded.sequence)
      where payroll_record.status = 'open'
    returning opened_at
  )
  ${INSERT_EFFECT}
         case when not exists (select from record) then 'already_closed'
              when exists (select from record where opened_at is null) then 'no_record'
              else 'closed' end`

/** Closes the record. Should the start not have come yet, the end is kept for it: a start that comes late opens nothing. */
export async function closeRecord(event: Envelope<'employment.terminated'>, tx: ClientBase): Promise<void> {
  const { employee_id, employment } = event.data
  const values = [employment.id, employee_id, employment.start_date, employment.end_date ?? effectiveDate(event)]
  await tx.query({ name: 'close-record', text: CLOSE_RECORD, values: [...effectValues(event), ...values] })
}

const PLAN_END = `
  with record as (
    update payroll_record set end_date = $9, sequence = coalesce($5::bigint, 0)
     where employment_id = $8 and status = 'open' and sequence <= coalesce($5::bigint, 0)
    returning 1
  )
  ${INSERT_EFFECT}
         case when exists (select from record) then 'applied'
              when exists (select from payroll_record where employment_id = $8) then 'superseded'
              else 'no_record' end`

/** A termination that is scheduled, or withdrawn: payroll knows the last pay period in advance, and goes on paying until then. */
export async function planEnd(
  event: Envelope<'employment.termination_scheduled'> | Envelope<'employment.termination_cancelled'>,
  tx: ClientBase,
): Promise<void> {
  const { employment } = event.data
  // A scheduled end whose date the endpoint may not see must not look like a withdrawn one.
  const scheduled = event.type === 'employment.termination_scheduled' ? (employment.end_date ?? event.effective_date) : null
  const endDate = scheduled ?? employment.end_date
  await tx.query({ name: 'plan-end', text: PLAN_END, values: [...effectValues(event), employment.id, endDate] })
}
