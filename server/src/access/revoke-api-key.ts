import type { AccessChange } from './access-change.ts'
import { requireScope } from './actor.ts'
import { keyNotFound } from './problems.ts'

/** Ends a key for good, in every process within a second. Revoking it again changes nothing. */
export async function revokeApiKey({ tx, actor, record }: AccessChange, id: string): Promise<void> {
  requireScope(actor, 'keys:write')
  const { tenantId, now } = tx.scope
  const key = await tx
    .selectFrom('api_key')
    .select('revoked_at')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!key) throw keyNotFound()
  if (key.revoked_at) return
  await tx.updateTable('api_key').set({ revoked_at: now }).where('tenant_id', '=', tenantId).where('id', '=', id).execute()
  record({ action: 'api_key.revoke', subjectType: 'api_key', subjectId: id, fields: [{ path: 'revoked_at', after: now }] })
}
