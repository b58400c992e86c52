import { audit } from '../audit/audit.ts'
import type { Change } from '../events/change.ts'
import { applyNewEmployee, type NewEmployee, openNewRecords } from '../people/employees/create-employees.ts'
import type { EmployeeRecord, EmploymentLine } from '../people/employees/employee-record.ts'
import { openRecords, saveRecords } from '../people/employees/record-store.ts'
import { applyEmployment } from '../people/employees/start-employment.ts'
import { applyTermination } from '../people/employees/terminate-employment.ts'
import { applyPersonUpdate } from '../people/employees/update-person.ts'
import { defaultLegalEntity } from '../people/organisation/references.ts'
import type { Cells, RowFault } from './check-row.ts'
import type { WaitingRow } from './import-rows.ts'
import { type Codes, findCodes, findEmployees, nameEmployees, takenNumbers, unknownEmployee } from './references.ts'
import { type ApplyRows, type Outcome, outcomeOf } from './row-outcome.ts'

/**
 * Rows of employees, in the order of their dates. The first part of a row opens an employment or compares the person with
 * what is known; the second ends that employment. New employees are made first and together, and told in their turn.
 */
export const applyEmployees: ApplyRows = async (change, system, rows) => {
  const { tx } = change
  const codes = await findCodes(tx, rows)
  const ids = await findEmployees(tx, system, [...new Set(rows.map(nameOf))])
  const opened = await openRecords(change, [...ids.values()])
  const records = new Map([...ids].flatMap(([name, id]) => (opened.has(id) ? [[name, opened.get(id)!] as const] : [])))
  const refused = await refusedRows(change, rows, codes, ids)
  const legalEntityId = await defaultLegalEntity(tx)
  const hires = new Map<string, NewEmployee>()
  for (const row of rows) {
    const isNew = row.part === 0 && !ids.has(nameOf(row)) && !refused.has(row.line)
    if (isNew && !hires.has(nameOf(row))) hires.set(nameOf(row), employeeOf(row.cells, codes))
  }
  const made = hires.size > 0 ? await openNewRecords(change, [...hires.values()]) : []
  const named = [...hires.keys()].map((name, at) => ({ name, id: made[at]!.id }))
  await nameEmployees(tx, system, named)
  for (const [at, { name }] of named.entries()) records.set(name, made[at]!)

  const changed = new Set(made)
  const outcomes = new Map<WaitingRow, Outcome>()
  for (const row of rows) {
    const record = records.get(nameOf(row))
    const fault = refused.get(row.line)
    const outcome = fault ?? (record ? applyRow(change, record, row, codes, legalEntityId) : unknownEmployee(row.cells))
    if (record && outcome === 'changed') changed.add(record)
    outcomes.set(row, outcome)
  }
  await saveRecords(change, changed)
  return outcomes
}

function nameOf({ cells }: WaitingRow): string {
  return cells['external_id'] ?? ''
}

/** Rows that would stop all others if they were tried: what they name is unknown, or their employee number is taken. */
async function refusedRows(change: Change, rows: readonly WaitingRow[], codes: Codes, ids: ReadonlyMap<string, string>) {
  const refused = new Map<number, readonly RowFault[]>()
  const fresh = rows.filter((row) => row.part === 0 && !ids.has(nameOf(row)))
  const taken = await takenNumbers(
    change.tx,
    fresh.flatMap(({ cells }) => cells['employee_number'] ?? []),
  )
  const owners = new Map<string, string>()
  for (const row of rows.filter(({ part }) => part === 0)) {
    const faults = codes.faults(row.cells)
    const number = row.cells['employee_number']
    if (number !== undefined && !ids.has(nameOf(row))) {
      if (taken.has(number) || (owners.get(number) ?? nameOf(row)) !== nameOf(row)) faults.push(numberTaken())
      else if (faults.length === 0) owners.set(number, nameOf(row))
    }
    if (faults.length > 0) refused.set(row.line, faults)
  }
  return refused
}

function numberTaken(): RowFault {
  return {
    column: 'employee_number',
    value_class: 'text',
    code: 'employee-number-taken',
    message: 'belongs to another employee',
    mend: 'Leave it empty to get a free one, or use the external id under which this employee was imported.',
  }
}

function applyRow(change: Change, record: EmployeeRecord, row: WaitingRow, codes: Codes, legalEntityId: string): Outcome {
  const { cells, part } = row
  const isNew = record.employments.length === 0
  return outcomeOf(cells, () => {
    if (part > 0) return endEmployment(change, record, cells)
    if (!isNew) return compareEmployee(change, record, cells, codes, legalEntityId)
    applyNewEmployee(change, record, employeeOf(cells, codes), legalEntityId)
    return true
  })
}

/** Somebody who is known: another start is another employment (a rehire), and personal data that differ hold from now on. */
function compareEmployee(change: Change, record: EmployeeRecord, cells: Cells, codes: Codes, legalEntityId: string): boolean {
  const { person, ...employment } = employeeOf(cells, codes)
  const known = employmentFrom(record, employment.start_date)
  if (!known) {
    applyEmployment(change, record, { ...employment, legal_entity_id: employment.legal_entity_id ?? legalEntityId })
    audit(change.tx, change.vault, change.actor, {
      action: 'employment.start',
      subjectType: 'employee',
      subjectId: record.id,
      changeSetId: change.id,
    })
  }
  return applyPersonUpdate(change, record, { person }) || !known
}

function endEmployment(change: Change, record: EmployeeRecord, cells: Cells): boolean {
  const { start_date: start, termination_date: end, termination_type: type } = cells
  const employment = employmentFrom(record, start!)
  // Ended on that day already, and the file does not say why: nothing is different.
  if (employment && type === undefined && employment.line.facts.at(-1)?.to === end) return false
  return applyTermination(change, record, {
    end_date: end!,
    ...(employment ? { employment_id: employment.id } : {}),
    ...(type === undefined ? {} : { termination: { type: type as 'voluntary' } }),
  })
}

function employmentFrom({ employments }: EmployeeRecord, start: string): EmploymentLine | undefined {
  return employments.find(({ line }) => line.facts[0]?.from === start)
}

function employeeOf(cells: Cells, codes: Codes): NewEmployee {
  const {
    national_id: value,
    national_id_country,
    national_id_type,
    tax_country,
    tax_form,
    start_date,
    employee_number,
    employment_type,
  } = cells
  const person = {
    ...pick(cells, ['given_name', 'family_name', 'preferred_name', 'email', 'phone', 'birth_date', 'gender', 'nationality']),
    ...(value === undefined ? {} : { national_id: { country: national_id_country, type: national_id_type, value } }),
    ...(tax_country === undefined || tax_form === undefined ? {} : { tax_profile: { country: tax_country, form: tax_form } }),
  }
  const assignment = given({
    title: cells['title'],
    department_id: codes.id('department', cells),
    location_id: codes.id('location', cells),
  })
  const employment = given({
    start_date,
    employee_number,
    employment_type,
    legal_entity_id: codes.id('legal_entity', cells),
  })
  return { ...employment, assignment, person } as unknown as NewEmployee
}

function pick(cells: Cells, names: readonly string[]): Record<string, string> {
  return given(Object.fromEntries(names.map((name) => [name, cells[name]])))
}

function given(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<string, string>
}
