import type { Envelope } from '@tenure/receiver'
import type { ClientBase } from 'pg'
import { effectiveDate, effectValues, INSERT_EFFECT, noteEvent } from './effect.ts'

const APPLY_COMPENSATION = `
  with fact as (
    insert into payroll_compensation
      (employee_id, assignment_id, effective_date, employment_id, components, pay_frequency, pay_group, event_id, sequence)
    values ($8, $9, $10, $4, $11, $12, $13, $1, coalesce($5::bigint, 0))
    on conflict (employee_id, assignment_id, effective_date) do update
      set employment_id = excluded.employment_id, components = excluded.components, pay_frequency = excluded.pay_frequency,
          pay_group = excluded.pay_group, event_id = excluded.event_id, sequence = excluded.sequence
      where payroll_compensation.sequence <= excluded.sequence
    returning 1
  )
  ${INSERT_EFFECT}
         case when not exists (select from fact) then 'superseded'
              when exists (select from payroll_record where employee_id = $8) then 'applied'
              else 'no_record' end`

/** Pay from a date on. A later event for the same date replaces it; an older one that comes late does not. */
export async function applyCompensation(event: Envelope<'compensation.changed'>, tx: ClientBase): Promise<void> {
  const pay = payOf(event.data.compensation)
  if (!pay) return noteEvent(tx, event, 'restricted')
  const values = [event.data.employee_id, pay.assignmentId, effectiveDate(event), pay.components, pay.frequency, pay.group]
  await tx.query({ name: 'apply-compensation', text: APPLY_COMPENSATION, values: [...effectValues(event), ...values] })
}

type Compensation = Partial<Envelope<'compensation.changed'>['data']['compensation']>

/** Pay that can be paid: an endpoint that may not see amounts is sent components without them, and those are not stored. */
export function payOf(compensation: Compensation | undefined) {
  if (!compensation?.assignment_id || !compensation.components?.every(({ amount }) => amount !== undefined)) return undefined
  return {
    assignmentId: compensation.assignment_id,
    components: JSON.stringify(compensation.components),
    frequency: compensation.pay_frequency ?? null,
    group: compensation.pay_group ?? null,
  }
}

const APPLY_ASSIGNMENT = `
  with fact as (
    insert into payroll_assignment
      (employee_id, assignment_id, effective_date, employment_id, title, department_id, cost_center, fte, event_id, sequence)
    values ($8, $9, $10, $11, $12, $13, $14, $15, $1, coalesce($5::bigint, 0))
    on conflict (employee_id, assignment_id, effective_date) do update
      set employment_id = excluded.employment_id, title = excluded.title, department_id = excluded.department_id,
          cost_center = excluded.cost_center, fte = excluded.fte, event_id = excluded.event_id, sequence = excluded.sequence
      where payroll_assignment.sequence <= excluded.sequence
    returning 1
  )
  ${INSERT_EFFECT}
         case when not exists (select from fact) then 'superseded'
              when exists (select from payroll_record where employee_id = $8) then 'applied'
              else 'no_record' end`

/** The job from a date on, by the same rule. */
export async function applyAssignment(event: Envelope<'assignment.changed'>, tx: ClientBase): Promise<void> {
  const job = jobOf(event.data.assignment)
  if (!job) return noteEvent(tx, event, 'restricted')
  const values = [event.data.employee_id, job.assignmentId, effectiveDate(event), job.employmentId ?? event.employment_id, ...job.fields]
  await tx.query({ name: 'apply-assignment', text: APPLY_ASSIGNMENT, values: [...effectValues(event), ...values] })
}

type Assignment = Partial<Envelope<'assignment.changed'>['data']['assignment']>

export function jobOf(assignment: Assignment | undefined) {
  if (!assignment?.id) return undefined
  const { id, employment_id, title, department_id, cost_center, fte } = assignment
  return {
    assignmentId: id,
    employmentId: employment_id,
    fields: [title ?? null, department_id ?? null, cost_center ?? null, fte ?? null],
  }
}
