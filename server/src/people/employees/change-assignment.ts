import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { factOn, setFrom } from '../facts/timeline.ts'
import { checkReferences } from '../organisation/references.ts'
import { notEmployed, referenceNotFound } from '../problems.ts'
import { announce, snapshotOn } from './announce.ts'
import { type AssignmentLine, type EmployeeRecord, employmentOf, employmentOn, todayOf } from './employee-record.ts'
import { type ChangeAssignment, patched, sameValues } from './inputs.ts'
import { openOne } from './open-one.ts'
import { saveRecords } from './record-store.ts'
import { moveToSite } from './schedule.ts'

/** Changes a job from a date on (left out: today). False: nothing was different. */
export async function changeAssignment(change: Change, employeeId: string, input: ChangeAssignment): Promise<boolean> {
  requireScope(change.actor, 'employees:write')
  await checkReferences(change.tx, [{ assignment: input }])
  const record = await openOne(change, employeeId)
  const changed = applyAssignmentChange(change, record, input)
  if (changed) await saveRecords(change, [record])
  return changed
}

export function applyAssignmentChange(
  change: Change,
  record: EmployeeRecord,
  { effective_date, assignment_id, ...patch }: ChangeAssignment,
): boolean {
  const date = effective_date ?? todayOf(record, change.recordedAt)
  const { id, line } = assignmentOn(record, date, assignment_id)
  const before = factOn(line, date)
  const values = patched(before?.values ?? {}, patch)
  if (before && sameValues(before.values, values)) return false
  const snapshot = snapshotOn(record, 'assignment.changed', id, date)
  setFrom(line, date, values, change.recordedAt)
  if (before?.values.location_id !== values.location_id) moveToSite(record)
  announce(change, record, 'assignment.changed', id, date, snapshot)
  const fields = Object.keys(patch).map((name) => ({
    path: `assignment.${name}`,
    before: before?.values[name as never],
    after: values[name as never],
  }))
  audit(change.tx, change.vault, change.actor, {
    action: 'assignment.change',
    subjectType: 'employee',
    subjectId: record.id,
    changeSetId: change.id,
    fields,
  })
  return true
}

/** The assignment that is meant: the one named, else the primary one of the employment in force on that date. */
export function assignmentOn(record: EmployeeRecord, date: string, assignmentId?: string): AssignmentLine {
  const named = record.assignments.find(({ id }) => id === assignmentId)
  if (assignmentId && !named) {
    throw referenceNotFound({ errors: [{ pointer: '/assignment_id', message: 'is no assignment of this employee' }] })
  }
  const employment = named ? employmentOf(record, named.id) : employmentOn(record, date)
  if (!employment || !factOn(employment.line, date)) {
    throw notEmployed({
      errors: [{ pointer: '/effective_date', message: named ? 'lies outside that employment' : 'lies outside every employment' }],
    })
  }
  const found = named ?? record.assignments.find(({ employmentId, isPrimary }) => employmentId === employment.id && isPrimary)
  if (!found) throw new Error('An employment has a primary assignment.')
  return found
}
