import type { DataKey } from '../../privacy/sealed-value.ts'
import type { AssignmentValues, CompensationValues, EmploymentValues, PersonValues } from '../facts/fact-kinds.ts'
import { factOn, type Timeline } from '../facts/timeline.ts'
import { dateAt } from '../site-time.ts'

/** Time zones of the sites, and the tenant's own for whoever has no site. */
export type Zones = { readonly tenant: string; readonly byLocation: ReadonlyMap<string, string> }

/** An event in the past tense that waits for its day. `new`: not written yet. */
export type ScheduledEvent = {
  readonly id: string
  readonly employeeId: string
  readonly type: 'employment.started' | 'employment.terminated' | 'assignment.changed' | 'compensation.changed' | 'employee.updated'
  readonly subjectId: string
  readonly effectiveDate: string
  readonly changeSetId: string
  readonly dueAt: Date
  state: 'new' | 'pending' | 'emitted' | 'cancelled'
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

/** The employment in force on a date. Where several are (different legal entities), the one that began first. */
export function employmentOn({ employments }: Pick<EmployeeRecord, 'employments'>, date: string): EmploymentLine | undefined {
  return employments
    .filter(({ line }) => factOn(line, date))
    .sort((a, b) => ((a.line.facts[0]?.from ?? '') < (b.line.facts[0]?.from ?? '') ? -1 : 1))[0]
}

export type EmployeeStatus = 'prehire' | 'active' | 'terminated'

export function statusOn(record: Pick<EmployeeRecord, 'employments'>, date: string): EmployeeStatus {
  if (employmentOn(record, date)) return 'active'
  return record.employments.some(({ line }) => line.facts.some(({ from }) => from > date)) ? 'prehire' : 'terminated'
}

/** The zone of the site where the employee works on a date: that of the primary assignment's location, else the tenant's. */
export function zoneOn(record: Pick<EmployeeRecord, 'assignments' | 'zones'>, date: string): string {
  const primary =
    record.assignments.find(({ isPrimary, line }) => isPrimary && factOn(line, date)) ??
    record.assignments.find(({ isPrimary }) => isPrimary)
  const fact = primary && (factOn(primary.line, date) ?? primary.line.facts[0])
  const location = fact?.values.location_id
  return (location && record.zones.byLocation.get(location)) || record.zones.tenant
}

/** Today's date where the employee works. */
export function todayOf(record: EmployeeRecord, now: Date): string {
  return dateAt(now, zoneOn(record, dateAt(now, record.zones.tenant)))
}
