import type { Selectable } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { type Actor, requireScope } from './actor.ts'

/** A key as it may be shown: neither the key nor its hash. */
export type ApiKeyRow = Omit<Selectable<Tables['api_key']>, 'tenant_id' | 'key_hash'>

/** A place in the list: when the key was made (milliseconds), and its id. */
export type ApiKeyPosition = { readonly createdAtMs: number; readonly id: string }

/** The tenant's keys, newest first, revoked and expired ones too. */
export async function listApiKeys(tx: Tx, actor: Actor, { after, limit }: { after?: ApiKeyPosition; limit: number }): Promise<ApiKeyRow[]> {
  requireScope(actor, 'keys:read')
  return selectKeys(tx)
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '<', tuple(new Date(after!.createdAtMs), after!.id))),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

export async function findApiKey(tx: Tx, actor: Actor, id: string): Promise<ApiKeyRow | undefined> {
  requireScope(actor, 'keys:read')
  return selectKeys(tx).where('id', '=', id).executeTakeFirst()
}

function selectKeys(tx: Tx) {
  return tx
    .selectFrom('api_key')
    .select(['id', 'name', 'starts_with', 'scopes', 'created_at', 'created_by', 'expires_at', 'revoked_at', 'last_used_at'])
    .where('tenant_id', '=', tx.scope.tenantId)
}
