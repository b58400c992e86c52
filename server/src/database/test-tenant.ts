import { newId } from '../kit/ids.ts'
import { asAdmin, type TestDatabase } from './test-database.ts'

/** A tenant that has nothing yet, written past the commands, for tests of the ground below them. */
export async function createBareTenant({ admin }: TestDatabase, tenantId = newId('ten')): Promise<string> {
  await asAdmin(admin, (client) => client.query(`insert into tenant (tenant_id, name, time_zone) values ($1, 'Bare', 'UTC')`, [tenantId]))
  return tenantId
}
