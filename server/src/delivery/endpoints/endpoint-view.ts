import { createSecretKey, type KeyObject } from 'node:crypto'
import { parseSecret } from '@tenure/contract/signature'
import type { Database } from '../../database/database.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Detail } from '../../events/cut-event.ts'
import { open } from '../../privacy/sealed-value.ts'
import type { Vault } from '../../privacy/vault.ts'

/** What an attempt needs of its endpoint, as it is now and not as it was when the event happened. */
export type EndpointView = {
  readonly state: 'active' | 'paused' | 'disabled'
  readonly url: string
  readonly detail: Detail
  readonly grants: readonly string[]
  /** A key object: made from bytes at each use, a signature takes four times as long. */
  readonly secret: KeyObject
  readonly customHeaders: Readonly<Record<string, string>>
}

export type EndpointViews = { get(tenantId: string, endpointId: string): Promise<EndpointView> }

type Entry = { readonly view: Promise<EndpointView>; readonly readAt: number }

const MAX_ENTRIES = 10_000

/** Endpoints as the attempts see them, believed for `freshMs`: that long a withdrawn grant or a pause may go unnoticed. */
export function createEndpointViews({ database, vault, freshMs }: { database: Database; vault: Vault; freshMs: number }): EndpointViews {
  const entries = new Map<string, Entry>()
  return {
    get(tenantId, endpointId) {
      const key = `${tenantId}/${endpointId}`
      const known = entries.get(key)
      if (known && performance.now() - known.readAt < freshMs) return known.view
      const entry: Entry = {
        view: database.withTenant(tenantId, (tx) => readEndpointView(tx, vault, endpointId)),
        readAt: performance.now(),
      }
      if (entries.size >= MAX_ENTRIES) entries.clear()
      entries.set(key, entry)
      entry.view.catch(() => {
        if (entries.get(key) === entry) entries.delete(key)
      })
      return entry.view
    },
  }
}

async function readEndpointView(tx: Tx, vault: Vault, endpointId: string): Promise<EndpointView> {
  const row = await tx.selectFrom('endpoint').selectAll().where('id', '=', endpointId).executeTakeFirstOrThrow()
  const key = await vault.tenantKey(tx)
  const { tenantId } = tx.scope
  const headers = row.custom_headers && open(key, endpointPlace(tenantId, endpointId, 'custom_headers'), row.custom_headers).toString()
  return {
    state: row.state as EndpointView['state'],
    url: row.url,
    detail: row.detail as Detail,
    grants: row.grants,
    secret: createSecretKey(parseSecret(open(key, endpointPlace(tenantId, endpointId, 'secret'), row.secret).toString())),
    customHeaders: headers ? (JSON.parse(headers) as Record<string, string>) : {},
  }
}

export function endpointPlace(tenantId: string, endpointId: string, column: 'secret' | 'custom_headers') {
  return { tenantId, table: 'endpoint', column, row: endpointId }
}
