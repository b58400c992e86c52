import type { Envelope } from '@tenure/receiver'
import type { ClientBase } from 'pg'
import { effectValues, INSERT_EFFECT } from './effect.ts'

/** $8 to $12 are `identityOf`. */
export const UPSERT_EMPLOYEE = `
    insert into payroll_employee (employee_id, employee_number, name, tax_country, tax_form, sequence)
    values ($8, $9, $10, $11, $12, coalesce($5::bigint, 0))
    on conflict (employee_id) do update
      set employee_number = coalesce(excluded.employee_number, payroll_employee.employee_number),
          name = coalesce(excluded.name, payroll_employee.name),
          tax_country = coalesce(excluded.tax_country, payroll_employee.tax_country),
          tax_form = coalesce(excluded.tax_form, payroll_employee.tax_form),
          sequence = excluded.sequence
      where payroll_employee.sequence <= excluded.sequence`

const UPDATE_EMPLOYEE = `
  with identity as (
    ${UPSERT_EMPLOYEE}
    returning 1
  )
  ${INSERT_EFFECT}
         case when not exists (select from identity) then 'superseded'
              when exists (select from payroll_record where employee_id = $8) then 'applied'
              else 'no_record' end`

/** Name, number and tax profile. An older event that comes late changes nothing. */
export async function updateEmployee(event: Envelope<'employee.updated'>, tx: ClientBase): Promise<void> {
  await tx.query({ name: 'update-employee', text: UPDATE_EMPLOYEE, values: [...effectValues(event), ...identityOf(event.data)] })
}

/** What payroll keeps of a person. What the endpoint may not see is null, and leaves what is known as it is. */
export function identityOf({ employee_id, employee_number, person, tax_profile }: Envelope<'employee.updated'>['data']): unknown[] {
  return [employee_id, employee_number, nameOf(person), tax_profile?.country, tax_profile?.form]
}

function nameOf(person: Partial<Envelope<'employee.updated'>['data']['person']> | undefined): string | null {
  return [person?.preferred_name ?? person?.given_name, person?.family_name].filter(Boolean).join(' ') || null
}
