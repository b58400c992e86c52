import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { factOn, setFrom } from '../facts/timeline.ts'
import { announce, snapshotOn } from './announce.ts'
import { type EmployeeRecord, todayOf } from './employee-record.ts'
import { patched, sameValues, type UpdatePerson } from './inputs.ts'
import { openOne } from './open-one.ts'
import { saveRecords } from './record-store.ts'

/** Changes personal data from a date on (left out: today). False: nothing was different, so nothing was written or sent. */
export async function updatePerson(change: Change, employeeId: string, input: UpdatePerson): Promise<boolean> {
  requireScope(change.actor, 'employees:write')
  const record = await openOne(change, employeeId)
  const changed = applyPersonUpdate(change, record, input)
  if (changed) await saveRecords(change, [record])
  return changed
}

export function applyPersonUpdate(change: Change, record: EmployeeRecord, { effective_date, person }: UpdatePerson): boolean {
  const asked = effective_date ?? todayOf(record, change.recordedAt)
  // Before the first day nothing is known that could be changed: what is entered then holds from the first day.
  const first = record.person.facts[0]?.from ?? asked
  const date = asked < first ? first : asked
  const before = factOn(record.person, date)
  const values = patched(before?.values ?? ({} as NonNullable<typeof before>['values']), person)
  if (before && sameValues(before.values, values)) return false
  const snapshot = snapshotOn(record, 'employee.updated', record.personId, date)
  setFrom(record.person, date, values, change.recordedAt)
  announce(change, record, 'employee.updated', record.personId, date, snapshot)
  const fields = Object.keys(person).map((name) => ({
    path: `person.${name}`,
    before: before?.values[name as never],
    after: values[name as never],
  }))
  audit(change.tx, change.vault, change.actor, {
    action: 'employee.update',
    subjectType: 'employee',
    subjectId: record.id,
    changeSetId: change.id,
    fields,
  })
  return true
}
