import type { Envelope } from '@tenure/receiver'
import type { ClientBase } from 'pg'
import { jobOf, payOf } from './dated-facts.ts'
import { effectiveDate, effectValues, INSERT_EFFECT } from './effect.ts'
import { identityOf, UPSERT_EMPLOYEE } from './update-employee.ts'

const OPEN_RECORD = `
  with identity as (
    ${UPSERT_EMPLOYEE}
  ), record as (
    insert into payroll_record
      (employment_id, employee_id, legal_entity_id, employment_type, start_date, end_date, status, opened_at, sequence)
    values ($13, $8, $14, $15, $16, $17, 'open', now(), coalesce($5::bigint, 0))
    on conflict (employment_id) do update
      set legal_entity_id = excluded.legal_entity_id, employment_type = excluded.employment_type,
          start_date = excluded.start_date, opened_at = excluded.opened_at
      where payroll_record.opened_at is null
    returning 1
  ), pay as (
    insert into payroll_compensation
      (employee_id, assignment_id, effective_date, employment_id, components, pay_frequency, pay_group, event_id, sequence)
    select $8, $19, $18::date, $13, $20::jsonb, $21, $22, $1, coalesce($5::bigint, 0) where $19::text is not null
    on conflict (employee_id, assignment_id, effective_date) do nothing
  ), job as (
    insert into payroll_assignment
      (employee_id, assignment_id, effective_date, employment_id, title, department_id, cost_center, fte, event_id, sequence)
    select $8, $23, $18::date, $13, $24, $25, $26, $27, $1, coalesce($5::bigint, 0) where $23::text is not null
    on conflict (employee_id, assignment_id, effective_date) do nothing
  )
  ${INSERT_EFFECT} case when exists (select from record) then 'opened' else 'already_open' end`

/**
 * Opens the record of an employment, with pay, job and tax profile of its first day, in one statement. Facts that are there
 * already for that day came with a later event and stay; so does the end of an employment whose end came first.
 */
export async function openRecord(event: Envelope<'employment.started'>, tx: ClientBase): Promise<void> {
  const { employment, assignment, compensation } = event.data
  const pay = payOf(compensation)
  const job = jobOf(assignment)
  const values = [
    ...effectValues(event),
    ...identityOf(event.data),
    employment.id,
    employment.legal_entity_id,
    employment.employment_type,
    employment.start_date,
    employment.end_date,
    effectiveDate(event),
    ...(pay ? [pay.assignmentId, pay.components, pay.frequency, pay.group] : [null, null, null, null]),
    ...(job ? [job.assignmentId, ...job.fields] : [null, null, null, null, null]),
  ]
  await tx.query({ name: 'open-record', text: OPEN_RECORD, values })
}
