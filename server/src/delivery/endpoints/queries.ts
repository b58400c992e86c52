import type { Selectable } from 'kysely'
import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tables } from '../../database/tables.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import { endpointNotFound } from '../problems.ts'

/** An endpoint as it may be shown: without its secret and the values of its headers. */
export type EndpointRow = Omit<Selectable<Tables['endpoint']>, 'tenant_id' | 'secret' | 'custom_headers'>

const SHOWN = [
  'id',
  'name',
  'url',
  'event_types',
  'detail',
  'grants',
  'state',
  'disabled_reason',
  'version',
  'created_at',
  'created_by',
] as const satisfies (keyof EndpointRow)[]

export async function getEndpoint(tx: Tx, actor: Actor, endpointId: string): Promise<EndpointRow> {
  requireScope(actor, 'endpoints:read')
  const row = await tx.selectFrom('endpoint').select(SHOWN).where('id', '=', endpointId).executeTakeFirst()
  if (!row) throw endpointNotFound({ ids: { endpoint_id: endpointId } })
  return row
}

/** Endpoints in the order of their ids. */
export async function listEndpoints(
  tx: Tx,
  actor: Actor,
  { afterId, limit }: { afterId?: string | undefined; limit: number },
): Promise<EndpointRow[]> {
  requireScope(actor, 'endpoints:read')
  let query = tx.selectFrom('endpoint').select(SHOWN).where('tenant_id', '=', tx.scope.tenantId)
  if (afterId) query = query.where('id', '>', afterId)
  return query.orderBy('id').limit(limit).execute()
}
