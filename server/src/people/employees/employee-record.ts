import type { DataKey } from '../../privacy/sealed-value.ts'
import type { AssignmentValues, CompensationValues, EmploymentValues, PersonValues } from '../facts/fact-kinds.ts'
import { factOn, type Timeline } from '../facts/timeline.ts'
import { dateAt } from '../site-time.ts'

/** Time zones of the sites, and the tenant's own for whoever has no site. */
export type Zones = { readonly tenant: string; readonly byLocation: ReadonlyMap<string, string> }

/** An event in the past tense that waits for its day. `new`: not written yet; `moved`: pending at another moment than written. */
export type ScheduledEvent = {
  readonly id: string
  readonly employeeId: string
  readonly type: 'employment.started' | 'employment.terminated' | 'assignment.changed' | 'compensation.changed' | 'employee.updated'
  readonly subjectId: string
  readonly effectiveDate: string
  readonly changeSetId: string
  dueAt: Date
  state: 'new' | 'pending' | 'moved' | 'emitted' | 'cancelled'
}

export type EmploymentLine = {
  readonly id: string
  readonly legalEntityId: string
  readonly line: Timeline<EmploymentValues>
  readonly isNew: boolean
}
export type AssignmentLine = {
  readonly id: string
  readonly employmentId: string
  readonly isPrimary: boolean
  readonly line: Timeline<AssignmentValues>
  readonly isNew: boolean
}
export type CompensationLine = {
  readonly id: string
  readonly assignmentId: string
  readonly line: Timeline<CompensationValues>
  readonly isNew: boolean
}

/**
 * Everything that is believed of one employee, in memory and under the lock of its row. Commands change it and emit;
 * `saveRecords` (record-store.ts) writes the difference. That makes one change and five thousand the same code.
 */
export type EmployeeRecord = {
  readonly id: string
  readonly employeeNumber: string
  readonly personId: string
  readonly key: DataKey
  readonly zones: Zones
  readonly person: Timeline<PersonValues>
  readonly employments: EmploymentLine[]
  readonly assignments: AssignmentLine[]
  readonly compensations: CompensationLine[]
  readonly scheduled: ScheduledEvent[]
}

type Employed = { readonly id: string; readonly line: Pick<Timeline<unknown>, 'facts'> }

/** The employment in force on a date. Where several are (different legal entities), the one that began first. */
export function employmentOn<Line extends Employed>(
  { employments }: { readonly employments: readonly Line[] },
  date: string,
): Line | undefined {
  return inOrder(employments).find(({ line }) => factOn(line, date))
}

/** Employments by their first day. */
export function inOrder<Line extends Employed>(employments: readonly Line[]): Line[] {
  return [...employments].sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1))
}

function startOf({ line }: Employed): string {
  return line.facts[0]?.from ?? ''
}

/** The employment that an employment, assignment or compensation belongs to; none for the person. */
export function employmentOf(
  { employments, assignments, compensations }: Pick<EmployeeRecord, 'employments' | 'assignments' | 'compensations'>,
  subjectId: string,
): EmploymentLine | undefined {
  const pay = compensations.find(({ id }) => id === subjectId)
  const job = assignments.find(({ id }) => id === (pay?.assignmentId ?? subjectId))
  return employments.find(({ id }) => id === (job?.employmentId ?? subjectId))
}

export type EmployeeStatus = 'prehire' | 'active' | 'terminated'

export function statusOn(record: Pick<EmployeeRecord, 'employments'>, date: string): EmployeeStatus {
  if (employmentOn(record, date)) return 'active'
  return record.employments.some(({ line }) => line.facts.some(({ from }) => from > date)) ? 'prehire' : 'terminated'
}

/** As much of an employee as tells where the work is done. */
export type Sited = {
  readonly zones: Zones
  readonly employments: readonly Employed[]
  readonly assignments: readonly {
    readonly employmentId: string
    readonly isPrimary: boolean
    readonly line: Pick<Timeline<Pick<AssignmentValues, 'location_id'>>, 'facts'>
  }[]
}

/**
 * The zone of the site where the employee works on a date: that of the primary assignment's location, else the tenant's.
 * Without a name it is the employment in force, or the one before, or the first to come.
 */
export function zoneOn({ zones, employments, assignments }: Sited, date: string, employmentId?: string): string {
  const begun = inOrder(employments)
  const meant = employmentId ?? (employmentOn({ employments }, date) ?? begun.findLast((one) => startOf(one) <= date) ?? begun[0])?.id
  const primary = assignments.find((one) => one.isPrimary && one.employmentId === meant)
  const fact = primary && (factOn(primary.line, date) ?? primary.line.facts[0])
  const location = fact?.values.location_id
  return (location && zones.byLocation.get(location)) || zones.tenant
}

/** Today's date where the employee works. */
export function todayOf(sited: Sited, now: Date, employmentId?: string): string {
  return dateAt(now, zoneOn(sited, dateAt(now, sited.zones.tenant), employmentId))
}
