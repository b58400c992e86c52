import type { Change } from '../../events/change.ts'
import { employeeNotFound } from '../problems.ts'
import type { EmployeeRecord } from './employee-record.ts'
import { openRecords } from './record-store.ts'

/** Locks and reads one employee, or says that there is none. */
export async function openOne(change: Change, employeeId: string): Promise<EmployeeRecord> {
  const record = (await openRecords(change, [employeeId])).get(employeeId)
  if (!record) throw employeeNotFound({ ids: { employee_id: employeeId } })
  return record
}
