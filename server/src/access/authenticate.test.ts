import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Database } from '../database/database.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { newId } from '../kit/ids.ts'
import { type Scope, systemActor } from './actor.ts'
import { newApiKey } from './api-key.ts'
import { createAuthenticator } from './authenticate.ts'
import { createApiKey } from './create-api-key.ts'
import { revokeApiKey } from './revoke-api-key.ts'

const actor = systemActor('test', 'test')
const DAY_MS = 86_400_000

describe('an API key at the door', () => {
  let database: TestDatabase
  let tenantId: string
  let statements = 0
  let counted: Database
  let now = new Date('2026-09-01T08:00:00Z')
  const clock = () => now

  before(async () => {
    database = await createTestDatabase()
    tenantId = newId('ten')
    await database.withTenant(tenantId, (tx) =>
      tx.insertInto('tenant').values({ tenant_id: tenantId, name: 'Test', time_zone: 'UTC' }).execute(),
    )
    counted = {
      ...database,
      ask: (statement, values) => {
        statements += 1
        return database.ask(statement, values)
      },
      withTenant: (id, work) => {
        statements += 1
        return database.withTenant(id, work)
      },
    }
  })
  beforeEach(() => {
    statements = 0
  })
  after(() => database.drop())

  const recorded: string[] = []
  const record = ({ action }: { action: string }) => void recorded.push(action)
  const create = (scopes: readonly Scope[] = ['employees:read'], options: { expires_at?: string; as?: typeof actor } = {}) => {
    const { as = actor, ...rest } = options
    return database.withTenant(tenantId, (tx) =>
      createApiKey({ tx, actor: as, record }, { name: 'for a test', scopes: [...scopes], ...rest }),
    )
  }
  const revoke = (id: string) => database.withTenant(tenantId, (tx) => revokeApiKey({ tx, actor, record }, id))
  const wake = (ms: number) => {
    now = new Date(now.getTime() + ms)
  }

  it('tells tenant, credential and scopes', async () => {
    const { id, key } = await create(['employees:read', 'events:read'])
    const principal = await createAuthenticator(database)(`Bearer ${key}`)

    assert.equal(principal.tenantId, tenantId)
    assert.deepEqual(principal.actor, { type: 'api_key', id, source: 'api', scopes: new Set(['employees:read', 'events:read']) })
  })

  it('costs no statement when it is missing, mistyped or of another kind', async () => {
    const authenticate = createAuthenticator(counted)
    const { key } = await create()
    statements = 0
    const mistyped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')
    for (const header of [
      undefined,
      '',
      'Bearer',
      `Bearer ${mistyped}`,
      `Basic ${key}`,
      key,
      `Bearer ${key} x`,
      `Bearer ${'a'.repeat(5_000)}`,
    ]) {
      await assert.rejects(authenticate(header), { code: 'unauthenticated', status: 401 })
    }
    assert.equal(statements, 0)
  })

  it('is refused when nobody has it', async () => {
    await assert.rejects(createAuthenticator(database)(`Bearer ${newApiKey()}`), { code: 'unauthenticated' })
  })

  it('is asked for once by many requests at a time, and again after a second', async () => {
    const { key } = await create()
    const authenticate = createAuthenticator(counted, { clock })
    statements = 0
    await Promise.all(Array.from({ length: 50 }, () => authenticate(`Bearer ${key}`)))
    const [asking, noting] = [1, 1]
    assert.equal(statements, asking + noting)
    wake(1_001)
    await authenticate(`Bearer ${key}`)
    assert.equal(statements, asking + noting + 1)
  })

  it('is held back for others at its address only until it has worked once', async () => {
    const { id, key } = await create()
    const authenticate = createAuthenticator(database, { clock })
    const heldBack = () => {
      throw new Error('held back')
    }
    await assert.rejects(authenticate(`Bearer ${key}`, heldBack), /held back/)
    await authenticate(`Bearer ${key}`)
    wake(2_000)
    await authenticate(`Bearer ${key}`, heldBack)
    await revoke(id)
    wake(2_000)
    await assert.rejects(authenticate(`Bearer ${key}`, heldBack), { code: 'unauthenticated' })
    await assert.rejects(authenticate(`Bearer ${key}`, heldBack), /held back/)
  })

  it('stops working within a second of being revoked, and at once where it was not cached', async () => {
    const { id, key } = await create()
    const authenticate = createAuthenticator(database, { clock })
    await authenticate(`Bearer ${key}`)
    await revoke(id)

    await assert.rejects(createAuthenticator(database)(`Bearer ${key}`), { code: 'unauthenticated' })
    wake(1_000)
    await assert.rejects(authenticate(`Bearer ${key}`), { code: 'unauthenticated' })
  })

  it('cannot be believed for longer than a second', () => {
    assert.throws(() => createAuthenticator(database, { cacheMs: 1_001 }), /within a second/)
  })

  it('stops working when it expires', async () => {
    const { id, key } = await create()
    await asAdmin(database.admin, (client) =>
      client.query("update api_key set expires_at = now() - interval '1 second' where id = $1", [id]),
    )
    await assert.rejects(createAuthenticator(database)(`Bearer ${key}`), { code: 'unauthenticated' })
  })

  it('notes its use at most once a minute', async () => {
    const { id, key } = await create()
    const authenticate = createAuthenticator(database, { clock })
    const lastUsed = () =>
      asAdmin(
        database.admin,
        async (client) => (await client.query('select last_used_at from api_key where id = $1', [id])).rows[0].last_used_at,
      )
    assert.equal(await lastUsed(), null)
    await authenticate(`Bearer ${key}`)
    const first = await lastUsed()
    assert.ok(first instanceof Date)
    wake(2_000)
    await authenticate(`Bearer ${key}`)
    assert.deepEqual(await lastUsed(), first)
  })

  it('lies in the table as a hash only', async () => {
    const { key } = await create()
    const text = await asAdmin(database.admin, async (client) => JSON.stringify((await client.query('select k::text from api_key k')).rows))
    const secret = key.slice(9)
    for (const clear of [key, secret, Buffer.from(key).toString('hex'), Buffer.from(secret).toString('hex')])
      assert.ok(!text.includes(clear))
  })

  it('ends after 90 days unless asked otherwise, and after 366 at most', async () => {
    const { expiresAt } = await create()
    const [row] = await database.ask<{ now: Date }>({ name: 'now', text: 'select now()' })
    const ahead = (days: number) => new Date(row!.now.getTime() + days * DAY_MS).toISOString()
    assert.ok(Math.abs(expiresAt.getTime() - Date.parse(ahead(90))) < DAY_MS)
    assert.equal((await create(undefined, { expires_at: ahead(365) })).expiresAt.toISOString(), ahead(365))
    for (const refused of [ahead(367), ahead(-1), '2026-09-01T00:00:00Z[Europe/Berlin]']) {
      await assert.rejects(create(undefined, { expires_at: refused }), { code: 'expiry-not-allowed', status: 422 })
    }
  })

  it('can be given no scope that its creator lacks, and be made by nobody without keys:write', async () => {
    const limited = { ...actor, scopes: new Set<Scope>(['keys:write', 'employees:read']) }
    await create(['employees:read'], { as: limited })
    await assert.rejects(create(['employees:read', 'employees:write'], { as: limited }), { code: 'scope-not-held' })
    await assert.rejects(create(['employees:read'], { as: { ...actor, scopes: new Set<Scope>(['employees:read']) } }), {
      code: 'not-allowed',
    })
  })

  it('is recorded when it is made and when it is revoked, and once only', async () => {
    recorded.length = 0
    const { id } = await create()
    await revoke(id)
    await revoke(id)
    assert.deepEqual(recorded, ['api_key.create', 'api_key.revoke'])
  })

  it('of another tenant is not found', async () => {
    const { id } = await create()
    const other = newId('ten')
    await database.withTenant(other, (tx) =>
      tx.insertInto('tenant').values({ tenant_id: other, name: 'Other', time_zone: 'UTC' }).execute(),
    )
    await assert.rejects(
      database.withTenant(other, (tx) => revokeApiKey({ tx, actor, record }, id)),
      { code: 'key-not-found', status: 404 },
    )
  })
})
