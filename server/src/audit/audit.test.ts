import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { systemActor } from '../access/actor.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { createBareTenant } from '../database/test-tenant.ts'
import { createVault } from '../privacy/vault.ts'
import { audit } from './audit.ts'

const CANARY = 'canary-value-7Qx'

describe('the audit log', () => {
  let database: TestDatabase
  const vault = createVault([{ id: 'root-1', secret: randomBytes(32) }])
  const actor = { ...systemActor('import', 'import'), requestId: 'req_1', remoteAddress: '192.0.2.7' }
  before(async () => {
    database = await createTestDatabase()
  })
  after(() => database.drop())

  const newTenant = async () => {
    const tenantId = await createBareTenant(database)
    await database.withTenant(tenantId, (tx) => vault.createTenantKey(tx))
    return tenantId
  }
  const entry = (subjectId: string, after: unknown = CANARY, before: unknown = undefined) => ({
    action: 'employee.update',
    subjectType: 'employee',
    subjectId,
    changeSetId: 'chg_1',
    fields: [{ path: 'person.email', before, after }],
  })
  const write = (tenantId: string, ...entries: ReturnType<typeof entry>[]) =>
    database.withTenant(tenantId, async (tx) => {
      for (const one of entries) audit(tx, vault, actor, one)
    })
  const read = async (tenantId: string) =>
    (
      await asAdmin(database.admin, (client) =>
        client.query('select * from audit_entry where tenant_id = $1 order by position', [tenantId]),
      )
    ).rows

  it('says who did what to whom, through what and from where', async () => {
    const tenantId = await newTenant()
    await write(tenantId, entry('emp_1'))
    const [row] = await read(tenantId)
    const { id, position: _p, recorded_at: _r, fields, ...rest } = row
    assert.match(id, /^aud_/)
    assert.deepEqual(rest, {
      tenant_id: tenantId,
      actor_type: 'system',
      actor_id: 'import',
      source: 'import',
      request_id: 'req_1',
      remote_address: '192.0.2.7',
      action: 'employee.update',
      subject_type: 'employee',
      subject_id: 'emp_1',
      change_set_id: 'chg_1',
    })
    assert.equal(fields[0].path, 'person.email')
  })

  it('keeps every entry of a transaction, in order, and none of one that is rolled back', async () => {
    const tenantId = await newTenant()
    await write(tenantId, entry('emp_1'), entry('emp_2'), entry('emp_3'))
    const failing = database.withTenant(tenantId, async (tx) => {
      audit(tx, vault, actor, entry('emp_4'))
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    const refused = database.withTenant(tenantId, async (tx) => {
      audit(tx, vault, actor, entry('emp_5'))
      tx.scope.beforeCommit('later', async () => Promise.reject(new Error('late no')))
    })
    await assert.rejects(refused, /late no/)
    assert.deepEqual(
      (await read(tenantId)).map(({ subject_id }) => subject_id),
      ['emp_1', 'emp_2', 'emp_3'],
    )
  })

  it('lets no change stand whose entry cannot be written', async () => {
    const tenantId = await createBareTenant(database)
    const withoutKey = database.withTenant(tenantId, async (tx) => {
      await tx.insertInto('person').values({ tenant_id: tenantId, id: 'per_1' }).execute()
      audit(tx, vault, actor, entry('emp_1'))
    })
    await assert.rejects(withoutKey, /The tenant has no key/)
    assert.equal(
      (await asAdmin(database.admin, (client) => client.query('select 1 from person where tenant_id = $1', [tenantId]))).rowCount,
      0,
    )
  })

  it('holds hashes and no values: the same for the same value of a tenant, another for another tenant or value', async () => {
    const [tenantId, other] = [await newTenant(), await newTenant()]
    await write(tenantId, entry('emp_1', CANARY), entry('emp_2', CANARY, 'old'), entry('emp_3', `${CANARY}x`))
    await write(other, entry('emp_1', CANARY))
    const rows = await read(tenantId)
    assert.ok(!JSON.stringify([rows, await read(other)]).includes('canary'))
    const afters = rows.map(({ fields }) => fields[0].after as string)
    const [first, second, third] = afters
    for (const hash of afters) assert.match(hash, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(first, second)
    assert.notEqual(first, third)
    assert.notEqual(first, (await read(other))[0].fields[0].after)
    assert.equal(rows[0].fields[0].before, null)
    assert.match(rows[1].fields[0].before, /^[A-Za-z0-9_-]{43}$/)
  })

  it('is written once: nobody changes, deletes or empties it, the superuser neither', async () => {
    const tenantId = await newTenant()
    await write(tenantId, entry('emp_1'))
    const before = await read(tenantId)
    const statements = [
      `update audit_entry set actor_id = 'nobody'`,
      'delete from audit_entry',
      'truncate audit_entry',
      `update audit_entry set actor_id = 'x' where false`,
    ]
    for (const text of statements) {
      await assert.rejects(
        database.withTenant(tenantId, (tx) => tx.scope.run({ name: text, text }, [])),
        { code: '42501' },
        text,
      )
      await asAdmin(database.admin, (client) => assert.rejects(client.query(text), /audit entries are written once/, text))
    }
    assert.deepEqual(await read(tenantId), before)
  })
})
