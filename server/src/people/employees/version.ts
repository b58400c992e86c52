import type { Tx } from '../../database/tenant-transaction.ts'
import { employeeNotFound } from '../problems.ts'

/** The version of an employee, under the lock of its row, so that two changes cannot both pass the same If-Match. */
export async function employeeVersion(tx: Tx, employeeId: string): Promise<number> {
  const row = await tx.selectFrom('employee').select('version').where('id', '=', employeeId).forNoKeyUpdate().executeTakeFirst()
  if (!row) throw employeeNotFound({ ids: { employee_id: employeeId } })
  return row.version
}
