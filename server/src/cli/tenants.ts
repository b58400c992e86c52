import { SCOPES, type Scope, systemActor } from '../access/actor.ts'
import { type CreatedApiKey, createApiKey } from '../access/create-api-key.ts'
import type { Ground } from '../events/change.ts'
import { inChange } from '../events/change.ts'
import { accessChange } from '../http/key-routes.ts'

export type ListedTenant = { readonly tenant_id: string; readonly name: string; readonly time_zone: string }

const LIST = { name: 'list-tenants', text: 'select tenant_id, name, time_zone from tenant order by created_at' }

export function listTenants({ database }: Pick<Ground, 'database'>): Promise<ListedTenant[]> {
  return database.asWorker<ListedTenant>(LIST)
}

type NewKey = { readonly name: string; readonly environment: 'live' | 'test'; readonly expiresAt?: string }

/** A key with every scope, made on the machine of the server: how the first person gets in. */
export function createFirstKey(ground: Ground, tenantId: string, { name, environment, expiresAt }: NewKey): Promise<CreatedApiKey> {
  const scopes: Scope[] = [...SCOPES]
  return inChange(ground, tenantId, systemActor('cli', 'console'), (change) =>
    createApiKey(accessChange(change), { name, scopes, environment, ...(expiresAt ? { expires_at: expiresAt } : {}) }),
  )
}
