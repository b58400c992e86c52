import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { SCOPES, type Scope, systemActor } from '../../server/src/access/actor.ts'
import { createApiKey } from '../../server/src/access/create-api-key.ts'
import { startApp } from '../../server/src/app.ts'
import { audit } from '../../server/src/audit/audit.ts'
import { readConfig } from '../../server/src/config.ts'
import { createTestDatabase } from '../../server/src/database/test-database.ts'
import { inChange } from '../../server/src/events/change.ts'
import { newId } from '../../server/src/kit/ids.ts'
import { createLog } from '../../server/src/kit/log.ts'
import { createTenant } from '../../server/src/people/organisation/create-tenant.ts'
import { createVault } from '../../server/src/privacy/vault.ts'

export type Answer = { readonly status: number; readonly type: string; readonly text: string }

export type Call = {
  readonly method: string
  readonly path: string
  readonly key?: string | undefined
  readonly body?: unknown
  readonly type?: string | undefined
}

/** Another legal entity of every tenant, for a second employment beside the first. */
export const SECOND_ENTITY = 'len_0000000000000000000002'

export type Doors = Awaited<ReturnType<typeof openDoors>>

/** The API as it is deployed, over real sockets, with two tenants and nobody working behind it: what changes, a request changed. */
export async function openDoors() {
  const database = await createTestDatabase({ connections: 10 })
  const logLines: string[] = []
  const log = createLog('trace', { write: (line: string) => void logLines.push(line) })
  const vault = createVault([{ id: 'root-1', secret: randomBytes(32) }])
  const config = {
    ...readConfig({ ROLE: 'api', PORT: '0', METRICS_PORT: '0', RATE_LIMIT_PER_SECOND: '1000000' }),
    file: { egress: { loopback_ports: 'any' as const } },
  }
  const app = await startApp(config, log, { ground: { database, vault }, embedded: false, admin: undefined, close: async () => {} })
  const admin = new Client(database.admin)
  await admin.connect()
  const sql = async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[]
  const tables = await sql<{ name: string }>(
    "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1",
  )

  async function newKey(tenantId: string, scopes: readonly Scope[] = SCOPES): Promise<string> {
    const actor = systemActor('test', 'test')
    const made = await inChange(app.ground, tenantId, actor, (change) =>
      createApiKey(
        { tx: change.tx, actor, record: (entry) => audit(change.tx, vault, actor, entry) },
        { name: 'test', scopes: [...scopes] },
      ),
    )
    return made.key
  }

  return {
    sql,
    newKey,
    logLines,
    async newTenant() {
      const tenantId = newId('ten')
      await createTenant(app.ground, { tenantId, name: 'Example', timeZone: 'Europe/Berlin', country: 'DE' })
      await sql("insert into legal_entity (tenant_id, id, code, name, country) values ($1, $2, 'second', 'Second', 'DE')", [
        tenantId,
        SECOND_ENTITY,
      ])
      return { tenantId, key: await newKey(tenantId) }
    },
    async call({ method, path, key, body, type }: Call): Promise<Answer> {
      const sent = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
      const response = await fetch(app.url + path, {
        method,
        headers: {
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(sent === undefined ? {} : { 'content-type': type ?? 'application/json' }),
        },
        ...(sent === undefined ? {} : { body: sent as string }),
      })
      return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() }
    },
    /** Everything in the database as one value, but for when keys were last used. */
    fingerprint: async () => {
      const parts = tables.map(
        ({ name }) =>
          `select '${name}' as at, md5(coalesce(string_agg(md5((to_jsonb(t) - 'last_used_at')::text), ',' order by md5((to_jsonb(t) - 'last_used_at')::text)), '')) as hash from "${name}" t`,
      )
      return JSON.stringify(await sql(parts.join(' union all ')))
    },
    metrics: async () => (await fetch(app.metricsUrl)).text(),
    async stop() {
      await app.stop()
      await admin.end()
      await database.drop()
    },
  }
}
