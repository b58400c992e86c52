import { type Change, recordChangeSet } from '../../events/change.ts'
import { touchEmployee } from '../../events/emit.ts'
import { assignmentFact, compensationFact, employmentFact, type FactKind, personFact } from '../facts/fact-kinds.ts'
import { type Owned, readFact, saveTimelines } from '../facts/fact-store.ts'
import { loadLines } from '../facts/load-lines.ts'
import { type Timeline, timeline } from '../facts/timeline.ts'
import type { EmployeeRecord } from './employee-record.ts'
import { insertIdentities, insertScheduled, loadScheduled, lockEmployees, moveScheduled, settleScheduled } from './record-rows.ts'
import { tellDue } from './tell-due.ts'

/**
 * Locks and reads these employees, in the order of their ids so that two transactions never wait for each other in a ring.
 * What has come due and waits for the scheduler is told first, so that events keep the order in which they became true.
 */
export async function openRecords(
  change: Change,
  employeeIds: readonly string[],
  moment: Date = change.recordedAt,
): Promise<Map<string, EmployeeRecord>> {
  const records = await readRecords(change, employeeIds)
  const told = tellDue(change, [...records.values()], moment)
  await settleScheduled(change.tx, told)
  for (const { employeeId } of told) touchEmployee(change, employeeId)
  return records
}

async function readRecords(change: Change, employeeIds: readonly string[]): Promise<Map<string, EmployeeRecord>> {
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
  const scheduled = all.flatMap((record) => record.scheduled)
  // Settled first: only one event may wait for the same subject and day.
  await settleScheduled(
    tx,
    scheduled.filter(({ state }) => state === 'emitted' || state === 'cancelled'),
  )
  await moveScheduled(
    tx,
    scheduled.filter(({ state }) => state === 'moved'),
  )
  await insertScheduled(
    tx,
    scheduled.filter(({ state }) => state === 'new'),
  )
  for (const record of all) touchEmployee(change, record.id)
}
