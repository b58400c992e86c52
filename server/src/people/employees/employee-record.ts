import type { Change } from '../../events/change.ts'
import { recordChangeSet } from '../../events/change.ts'
import { touchEmployee } from '../../events/emit.ts'
import type { DataKey } from '../../privacy/sealed-value.ts'
import {
  type AssignmentValues,
  assignmentFact,
  type CompensationValues,
  compensationFact,
  type EmploymentValues,
  employmentFact,
  type FactKind,
  type PersonValues,
  personFact,
} from '../facts/fact-kinds.ts'
import { type Owned, readFact, saveTimelines } from '../facts/fact-store.ts'
import { loadLines } from '../facts/load-lines.ts'
import { factOn, type Timeline, timeline } from '../facts/timeline.ts'
import { dateAt } from '../site-time.ts'
import { insertIdentities, insertScheduled, loadScheduled, lockEmployees, type ScheduledEvent, settleScheduled } from './record-rows.ts'

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
 * `saveRecords` writes the difference. That makes one change and five thousand the same code.
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

/** Time zones of the sites, and the tenant's own for whoever has no site. */
export type Zones = { readonly tenant: string; readonly byLocation: ReadonlyMap<string, string> }

/** Locks and reads these employees, in the order of their ids so that two transactions never wait for each other in a ring. */
export async function openRecords(change: Change, employeeIds: readonly string[]): Promise<Map<string, EmployeeRecord>> {
  const { tx, vault } = change
  const { rows, zones } = await lockEmployees(tx, [...new Set(employeeIds)].sort())
  const ids = rows.map(({ id }) => id)
  const personIds = rows.map((row) => row.person_id)
  const keys = await vault.personKeys(tx, personIds)
  const lines = await loadLines(tx, ids)
  const scheduled = Map.groupBy(await loadScheduled(tx, ids), ({ employeeId }) => employeeId)

  const records = new Map<string, EmployeeRecord>()
  for (const { id, person_id: personId, employee_number: employeeNumber } of rows) {
    const key = keys.get(personId)
    // Erased: there is nobody left to change.
    if (!key) continue
    const its = lines.get(id) ?? []
    const of = <Values>(kind: FactKind<Values>) =>
      its
        .filter(({ subject }) => subject === kind.subject)
        .map((line) => ({
          ...line,
          line: timeline(
            line.subjectId,
            line.rows.map((row) => readFact(tx.scope.tenantId, kind, row, key).fact),
          ),
        }))
    records.set(id, {
      id,
      employeeNumber,
      personId,
      key,
      zones,
      person: of(personFact)[0]?.line ?? timeline(personId),
      employments: of(employmentFact).map(({ subjectId, parent, line }) => ({ id: subjectId, legalEntityId: parent, line, isNew: false })),
      assignments: of(assignmentFact).map(({ subjectId, parent, isPrimary, line }) => ({
        id: subjectId,
        employmentId: parent,
        isPrimary,
        line,
        isNew: false,
      })),
      compensations: of(compensationFact).map(({ subjectId, parent, line }) => ({
        id: subjectId,
        assignmentId: parent,
        line,
        isNew: false,
      })),
      scheduled: scheduled.get(id) ?? [],
    })
  }
  return records
}

/** Writes what the commands changed, in a fixed number of statements for any number of employees. */
export async function saveRecords(change: Change, records: Iterable<EmployeeRecord>): Promise<void> {
  const all = [...records]
  if (all.length === 0) return
  const { tx } = change
  await recordChangeSet(change)
  await insertIdentities(tx, all)
  const save = <Values>(kind: FactKind<Values>, lines: (record: EmployeeRecord) => readonly Timeline<Values>[]) => {
    const owned = all.flatMap((record): Owned<Values>[] => lines(record).map((line) => ({ line, employeeId: record.id, key: record.key })))
    return saveTimelines(tx, kind, change.id, change.recordedAt, owned)
  }
  await save(personFact, ({ person }) => [person])
  await save(employmentFact, ({ employments }) => employments.map(({ line }) => line))
  await save(assignmentFact, ({ assignments }) => assignments.map(({ line }) => line))
  await save(compensationFact, ({ compensations }) => compensations.map(({ line }) => line))
  await insertScheduled(
    tx,
    all.flatMap(({ scheduled }) => scheduled.filter(({ state }) => state === 'new')),
  )
  await settleScheduled(
    tx,
    all.flatMap(({ scheduled }) => scheduled.filter(({ state }) => state === 'emitted' || state === 'cancelled')),
  )
  for (const record of all) touchEmployee(change, record.id)
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
