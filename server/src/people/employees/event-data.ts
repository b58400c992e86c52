import type { Assignment, Compensation, Employment, EventMap, Person } from '@tenure/contract'
import type { EmploymentValues, PersonValues } from '../facts/fact-kinds.ts'
import { type Fact, factOn } from '../facts/timeline.ts'
import type { AssignmentLine, CompensationLine, EmployeeRecord, EmploymentLine } from './employee-record.ts'

/** A person as events carry one: the secret fields stay behind. */
export function personData({ national_id: _id, tax_elections: _elections, tax_profile: _profile, ...person }: PersonValues): Person {
  return person
}

export function employeeData(record: EmployeeRecord, values: PersonValues): EventMap['employee.created'] {
  return {
    employee_id: record.id,
    employee_number: record.employeeNumber,
    person: personData(values),
    ...(values.tax_profile ? { tax_profile: values.tax_profile } : {}),
  }
}

export function employmentData(employment: EmploymentLine, fact: Fact<EmploymentValues>): Employment {
  const { termination: _termination, ...values } = fact.values
  const start = employment.line.facts[0]?.from ?? fact.from
  return { id: employment.id, start_date: start, ...(fact.to ? { end_date: fact.to } : {}), ...values }
}

export function assignmentData({ id, employmentId, isPrimary, line }: AssignmentLine, date: string): Assignment | undefined {
  const fact = factOn(line, date)
  return fact && { id, employment_id: employmentId, is_primary: isPrimary, ...fact.values }
}

export function compensationData({ id, assignmentId, line }: CompensationLine, date: string): Compensation | undefined {
  const fact = factOn(line, date)
  return fact && { id, assignment_id: assignmentId, ...fact.values }
}

/** What the start of an employment tells: the person, the job and the pay of that day. */
export function startData(record: EmployeeRecord, employment: EmploymentLine, date: string): EventMap['employment.started'] {
  const fact = factOn(employment.line, date)
  const person = factOn(record.person, date) ?? record.person.facts[0]
  if (!fact || !person) throw new Error('An employment that starts has a fact on its first day, and its person too.')
  const primary = record.assignments.find(({ employmentId, isPrimary }) => employmentId === employment.id && isPrimary)
  const assignment = primary && assignmentData(primary, date)
  const pay = primary && record.compensations.find(({ assignmentId }) => assignmentId === primary.id)
  const compensation = pay && compensationData(pay, date)
  return {
    ...employeeData(record, person.values),
    employment: employmentData(employment, fact),
    ...(assignment ? { assignment } : {}),
    ...(compensation ? { compensation } : {}),
  }
}

/** What the end of an employment tells, scheduled, cancelled or come true. */
export function endData(
  record: EmployeeRecord,
  employment: EmploymentLine,
  fact: Fact<EmploymentValues>,
): EventMap['employment.terminated'] {
  const { termination } = fact.values
  return { employee_id: record.id, employment: employmentData(employment, fact), ...(termination ? { termination } : {}) }
}
