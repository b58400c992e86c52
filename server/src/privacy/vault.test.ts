import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { asAdmin, createTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { createBareTenant } from '../database/test-tenant.ts'
import { newId } from '../kit/ids.ts'
import type { RootKeys } from './key-file.ts'
import { open, seal } from './sealed-value.ts'
import { createVault } from './vault.ts'

const rootKey = (id: string) => ({ id, secret: randomBytes(32) })
const place = (tenantId: string, row = 'x') => ({ tenantId, table: 'person_fact', column: 'personal', row })

describe('the vault', () => {
  let database: TestDatabase
  const roots: RootKeys = [rootKey('root-1')]
  before(async () => {
    database = await createTestDatabase()
  })
  after(() => database.drop())

  const vaultFor = async (vault = createVault(roots)) => {
    const tenantId = await createBareTenant(database)
    await database.withTenant(tenantId, (tx) => vault.createTenantKey(tx))
    return { vault, tenantId }
  }

  it('gives each person a key of its own, the same again after a restart', async () => {
    const { vault, tenantId } = await vaultFor()
    const sealed = await database.withTenant(tenantId, async (tx) => {
      const keys = await vault.createPersonKeys(tx, ['per_a', 'per_b'])
      assert.ok(!keys.get('per_a')!.cipherKey.equals(keys.get('per_b')!.cipherKey))
      return seal(keys.get('per_a')!, place(tenantId), 'Ada')
    })
    const restarted = createVault(roots)
    await database.withTenant(tenantId, async (tx) => {
      const keys = await restarted.personKeys(tx, ['per_a', 'per_b', 'per_none'])
      assert.deepEqual([...keys.keys()].sort(), ['per_a', 'per_b'])
      assert.equal(open(keys.get('per_a')!, place(tenantId), sealed).toString(), 'Ada')
      assert.throws(() => open(keys.get('per_b')!, place(tenantId), sealed), /sealed with another key/)
    })
  })

  it('leaves out a person whose key was destroyed, and nobody else', async () => {
    const { vault, tenantId } = await vaultFor()
    await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, ['per_gone', 'per_here']))
    await database.withTenant(tenantId, (tx) => tx.deleteFrom('keys.person_key').where('person_id', '=', 'per_gone').execute())
    const keys = await database.withTenant(tenantId, (tx) => createVault(roots).personKeys(tx, ['per_gone', 'per_here']))
    assert.deepEqual([...keys.keys()], ['per_here'])
  })

  it('forgets the keys that a rolled-back transaction made, and finds them inside it', async () => {
    const { vault, tenantId } = await vaultFor()
    const rolledBack = database.withTenant(tenantId, async (tx) => {
      await vault.createPersonKeys(tx, ['per_never'])
      assert.equal((await vault.personKeys(tx, ['per_never'])).size, 1)
      throw new Error('roll back')
    })
    await assert.rejects(rolledBack, /roll back/)
    assert.equal((await database.withTenant(tenantId, (tx) => vault.personKeys(tx, ['per_never']))).size, 0)
    await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, ['per_never']))
    const [kept] = await database.withTenant(tenantId, async (tx) => [(await vault.personKeys(tx, ['per_never'])).get('per_never')])
    const [stored] = await database.withTenant(tenantId, async (tx) => [
      (await createVault(roots).personKeys(tx, ['per_never'])).get('per_never'),
    ])
    assert.ok(kept!.cipherKey.equals(stored!.cipherKey))
  })

  it('forgets the key of a tenant whose making was rolled back', async () => {
    const vault = createVault(roots)
    const tenantId = await createBareTenant(database)
    const rolledBack = database.withTenant(tenantId, async (tx) => {
      await vault.createTenantKey(tx)
      await vault.createPersonKeys(tx, ['per_a'])
      throw new Error('roll back')
    })
    await assert.rejects(rolledBack, /roll back/)
    await assert.rejects(
      database.withTenant(tenantId, (tx) => vault.tenantKey(tx)),
      /The tenant has no key/,
    )
    await database.withTenant(tenantId, (tx) => vault.createTenantKey(tx))
    assert.equal((await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, ['per_a']))).size, 1)
  })

  it('never hands a key to another tenant, though the person has the same id', async () => {
    const { vault, tenantId } = await vaultFor()
    const other = (await vaultFor(vault)).tenantId
    await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, ['per_same']))
    assert.equal((await database.withTenant(other, (tx) => vault.personKeys(tx, ['per_same']))).size, 0)
  })

  it('says which root key is missing, and opens with it again', async () => {
    const { tenantId } = await vaultFor()
    const lost = createVault([rootKey('root-2')])
    await assert.rejects(
      database.withTenant(tenantId, (tx) => lost.tenantKey(tx)),
      /The key file lacks the root key 'root-1'/,
    )
    const rotated = createVault([rootKey('root-2'), ...roots])
    assert.ok(await database.withTenant(tenantId, (tx) => rotated.tenantKey(tx)))
  })

  it('does not open a tenant key that was moved to another tenant, or wrapped by another root key of that name', async () => {
    const { tenantId } = await vaultFor()
    const thief = await createBareTenant(database)
    await asAdmin(database.admin, (client) =>
      client.query(
        'insert into keys.tenant_key (tenant_id, key_id, root_key_id, wrapped) select $2, key_id, root_key_id, wrapped from keys.tenant_key where tenant_id = $1',
        [tenantId, thief],
      ),
    )
    await assert.rejects(
      database.withTenant(thief, (tx) => createVault(roots).tenantKey(tx)),
      /stands in another place/,
    )
    await assert.rejects(
      database.withTenant(tenantId, (tx) => createVault([rootKey('root-1')]).tenantKey(tx)),
      /committed to another key/,
    )
  })

  it('does not open a person key that was moved to another person', async () => {
    const { vault, tenantId } = await vaultFor()
    await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, ['per_a', 'per_b']))
    await asAdmin(database.admin, (client) =>
      client.query(
        `update keys.person_key k set wrapped = o.wrapped from keys.person_key o
                     where k.tenant_id = $1 and o.tenant_id = $1 and k.person_id = 'per_a' and o.person_id = 'per_b'`,
        [tenantId],
      ),
    )
    await assert.rejects(
      database.withTenant(tenantId, (tx) => createVault(roots).personKeys(tx, ['per_a'])),
      /stands in another place/,
    )
  })

  it('stores no key in clear', async () => {
    const { vault, tenantId } = await vaultFor()
    const keys = await database.withTenant(tenantId, (tx) => vault.createPersonKeys(tx, [newId('per')]))
    const stored = await asAdmin(database.admin, (client) =>
      client.query('select wrapped from keys.person_key union all select wrapped from keys.tenant_key'),
    )
    const text = stored.rows.map(({ wrapped }) => (wrapped as Buffer).toString('hex')).join(' ')
    for (const secret of [...[...keys.values()].map(({ cipherKey }) => cipherKey.export()), ...roots.map(({ secret }) => secret)])
      assert.ok(!text.includes(secret.toString('hex')))
  })

  it('is fed into columns that refuse clear text', async () => {
    const refused = [
      'text',
      Buffer.alloc(0),
      Buffer.alloc(62),
      Buffer.from('{"given_name":"Ada","family_name":"Byron","email":"ada@example.com","x":1}'),
    ]
    const { vault, tenantId } = await vaultFor()
    const sealed = await database.withTenant(tenantId, async (tx) => seal(await vault.tenantKey(tx), place(tenantId), ''))
    await asAdmin(database.admin, async (client) => {
      for (const value of refused) await assert.rejects(client.query('select $1::sealed', [value]), { code: '23514' })
      await client.query('select $1::sealed', [sealed])
      const { rows } =
        await client.query(`select c.oid::regclass::text || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'keys') and c.relkind = 'r'
         and col_description(c.oid, a.attnum) in ('personal', 'secret') and a.atttypid <> 'sealed'::regtype`)
      assert.deepEqual(rows, [], 'every column marked personal or secret is sealed')
    })
  })
})
