import type { Ground } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { unknownTimeZone } from '../problems.ts'
import { isTimeZone } from '../site-time.ts'
import { FIRST_LEGAL_ENTITY } from './references.ts'

export type NewTenant = { readonly tenantId: string; readonly name: string; readonly timeZone: string; readonly country: string }

/** Makes a tenant with its key and its first legal entity. A single company has one, and never sees the word. */
export async function createTenant({ database, vault }: Ground, { tenantId, name, timeZone, country }: NewTenant): Promise<void> {
  if (!isTimeZone(timeZone)) throw unknownTimeZone({ detail: 'Use a name of the IANA database, such as Europe/Berlin.' })
  await database.withTenant(tenantId, async (tx) => {
    await tx.insertInto('tenant').values({ tenant_id: tenantId, name, time_zone: timeZone }).execute()
    await vault.createTenantKey(tx)
    await tx
      .insertInto('legal_entity')
      .values({ tenant_id: tenantId, id: newId('len'), code: FIRST_LEGAL_ENTITY, name, country })
      .execute()
  })
}
