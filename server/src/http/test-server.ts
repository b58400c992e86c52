import { randomBytes } from 'node:crypto'
import { type Actor, SCOPES, type Scope, systemActor } from '../access/actor.ts'
import { createAuthenticator } from '../access/authenticate.ts'
import { type CreatedApiKey, createApiKey } from '../access/create-api-key.ts'
import type { Database } from '../database/database.ts'
import { createTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { type Ground, inChange } from '../events/change.ts'
import { newId } from '../kit/ids.ts'
import { createLog } from '../kit/log.ts'
import { createVault } from '../privacy/vault.ts'
import { accessChange } from './key-routes.ts'
import { createMetrics } from './metrics.ts'
import type { TypedApp } from './route.ts'
import { buildServer, type ServerOptions } from './server.ts'

export type TestTenant = { readonly tenantId: string; readonly key: string; readonly keyId: string }

export type TestServer = {
  readonly app: TypedApp
  readonly database: TestDatabase
  readonly ground: Ground
  readonly metrics: ReturnType<typeof createMetrics>
  /** A tenant whose key may do everything. */
  readonly tenant: TestTenant
  newTenant(): Promise<TestTenant>
  newKey(scopes: readonly Scope[], expiresAt?: string): Promise<CreatedApiKey>
  /** How many statements asked for the owner of a key so far. */
  keyQuestions(): number
  /** Every line of the log so far, at trace level. */
  logLines(): string[]
  stop(): Promise<void>
}

/** The whole HTTP ground over a database of its own: for tests of any folder that has routes. */
export async function createTestServer(options: Partial<Omit<ServerOptions, 'ground' | 'log' | 'authenticate'>> = {}): Promise<TestServer> {
  const database = await createTestDatabase()
  const vault = createVault([{ id: 'test', secret: randomBytes(32) }])
  const ground = { database, vault }
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  let questions = 0
  const counted: Database = {
    ...database,
    ask: (statement, values) => {
      if (statement.name === 'find-api-key') questions += 1
      return database.ask(statement, values)
    },
  }
  const metrics = createMetrics()
  const app = buildServer({ docs: false, routes: [], metrics, ...options, ground, log, authenticate: createAuthenticator(counted) })

  const admin: Actor = systemActor('test', 'test')
  const makeKey = (tenantId: string, scopes: readonly Scope[], expiresAt?: string) =>
    inChange(ground, tenantId, admin, (change) =>
      createApiKey(accessChange(change), {
        name: 'for a test',
        scopes: [...scopes],
        environment: 'test',
        ...(expiresAt ? { expires_at: expiresAt } : {}),
      }),
    )
  async function newTenant(): Promise<TestTenant> {
    const tenantId = newId('ten')
    await database.withTenant(tenantId, async (tx) => {
      await tx.insertInto('tenant').values({ tenant_id: tenantId, name: 'Test', time_zone: 'Europe/Berlin' }).execute()
      await vault.createTenantKey(tx)
    })
    const { id, key } = await makeKey(tenantId, SCOPES)
    return { tenantId, key, keyId: id }
  }
  const tenant = await newTenant()

  return {
    app,
    database,
    ground,
    metrics,
    tenant,
    newTenant,
    newKey: (scopes, expiresAt) => makeKey(tenant.tenantId, scopes, expiresAt),
    keyQuestions: () => questions,
    logLines: () => lines,
    async stop() {
      await app.close()
      await database.drop()
    },
  }
}

/** The header that a key is sent in. */
export function bearer({ key }: Pick<TestTenant, 'key'>): { authorization: string } {
  return { authorization: `Bearer ${key}` }
}
