import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { factOn, setFrom, timeline } from '../facts/timeline.ts'
import { announce, snapshotOn } from './announce.ts'
import { assignmentOn } from './change-assignment.ts'
import { type CompensationLine, type EmployeeRecord, todayOf } from './employee-record.ts'
import { type ChangeCompensation, checkComponents, samePay } from './inputs.ts'
import { openOne } from './open-one.ts'
import { saveRecords } from './record-store.ts'

/** Changes pay from a date on (left out: today). False: nothing was different. */
export async function changeCompensation(change: Change, employeeId: string, input: ChangeCompensation): Promise<boolean> {
  requireScope(change.actor, 'employees:write')
  const record = await openOne(change, employeeId)
  const changed = applyCompensationChange(change, record, input)
  if (changed) await saveRecords(change, [record])
  return changed
}

export function applyCompensationChange(
  change: Change,
  record: EmployeeRecord,
  { effective_date, assignment_id, ...values }: ChangeCompensation,
): boolean {
  checkComponents(values.components, '')
  const date = effective_date ?? todayOf(record, change.recordedAt)
  const assignment = assignmentOn(record, date, assignment_id)
  const { id, line } = compensationOf(record, assignment.id)
  const before = factOn(line, date)
  if (before && samePay(before.values, values)) return false
  const snapshot = snapshotOn(record, 'compensation.changed', id, date)
  setFrom(line, date, values, change.recordedAt)
  announce(change, record, 'compensation.changed', id, date, snapshot)
  const fields = [{ path: 'compensation', before: before?.values, after: values }]
  audit(change.tx, change.vault, change.actor, {
    action: 'compensation.change',
    subjectType: 'employee',
    subjectId: record.id,
    changeSetId: change.id,
    fields,
  })
  return true
}

/** The pay of an assignment: the one that is there, else a new one. */
function compensationOf(record: EmployeeRecord, assignmentId: string): CompensationLine {
  const found = record.compensations.find((one) => one.assignmentId === assignmentId)
  if (found) return found
  const id = newId('cmp')
  const fresh: CompensationLine = { id, assignmentId, line: timeline(id), isNew: true }
  record.compensations.push(fresh)
  return fresh
}
