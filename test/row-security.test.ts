import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { asAdmin, TEST_PASSWORDS } from '../server/src/database/test-database.ts'
import type { Connection } from './row-security/connection.ts'
import { probeForeignKeys } from './row-security/foreign-keys.ts'
import { runMatrix } from './row-security/matrix.ts'
import { readRelations } from './row-security/relations.ts'
import { CHECK_COUNT, structureFaults } from './row-security/structure.ts'
import { createTwoTenants, newRoleName, type TwoTenants } from './row-security/two-tenants.ts'
import { WORKER_MAY, workerMatrix } from './row-security/worker.ts'

describe('row security', () => {
  let world: TwoTenants
  before(async () => {
    world = await createTwoTenants()
  })
  after(() => world.company.close())

  const asSuperuser = <Result>(work: (client: Connection) => Promise<Result>) => asAdmin(world.company.database.admin, work)
  const asRole = <Result>(role: 'tenure_app' | 'tenure_worker', work: (client: Connection) => Promise<Result>) =>
    asAdmin({ ...world.company.database.admin, user: 'tenure_server', password: TEST_PASSWORDS.serverPassword }, async (client) => {
      await client.query(`set role ${role}`)
      return work(client)
    })

  it('stands on a schema in which no table, index, view, function or role opens a way around it', async (t) => {
    assert.deepEqual(await asSuperuser(structureFaults), [])
    t.diagnostic(`${CHECK_COUNT} checks over pg_catalog`)
  })

  it('shows and gives the app nothing of another tenant, by any statement, in any scope', async (t) => {
    const tenants = { own: world.a, victim: world.b }
    const relations = await asSuperuser((client) => readRelations(client, [world.a, world.b]))
    const { cases, refused, leaks, ownReached } = await asRole('tenure_app', (client) => runMatrix(client, relations, tenants))
    assert.deepEqual(leaks, [])
    for (const { name, mayRead, mayInsert, mayUpdate } of relations) {
      for (const read of ['select', 'cursor', 'copy out', 'prepared reuse', 'savepoint rollback', 'pooled reuse', 'leaky predicate'])
        assert.equal(ownReached.has(`${name} ${read}`), mayRead, `${read} on ${name} reaches the rows of the tenant itself`)
      assert.equal(ownReached.has(`${name} insert`), mayInsert, `insert on ${name}`)
      assert.equal(ownReached.has(`${name} update`), mayUpdate, `update on ${name}`)
    }
    t.diagnostic(`${relations.length} tables, ${cases} cases, ${refused} refused outright, ${leaks.length} leaks`)
  })

  it('lets no row point at a row of another tenant, and does not tell whether there is one', async (t) => {
    const { probes, leaks } = await asSuperuser((client) => probeForeignKeys(client, { own: world.a, victim: world.b }))
    assert.deepEqual(leaks, [])
    t.diagnostic(`${probes} probes, ${leaks.length} leaks`)
  })

  it('keeps the app from becoming another role, making objects and reading files', async () => {
    await asRole('tenure_app', async (client) => {
      for (const text of [
        ...['tenure_owner', 'tenure_auditor', 'postgres'].map((role) => `set role ${role}`),
        'set session authorization postgres',
        'create table public.mine (id int)',
        'create view public.mine as select 1',
        'create function public.mine() returns int language sql as $$ select 1 $$',
        'create policy mine on tenant using (true)',
        'alter table tenant disable row level security',
        'alter role tenure_app bypassrls',
        "copy tenant to '/tmp/tenant'",
        "copy tenant to program 'cat'",
        "select pg_read_file('/etc/passwd')",
        'select * from pg_authid',
        'select * from pg_statistic',
      ])
        await assert.rejects(client.query(text), (error: { code?: string }) => ['42501', '0A000'].includes(error.code ?? ''), text)
    })
  })

  it('answers who owns an API key by the hash of that key alone', async () => {
    const hash = await asSuperuser(async (client) => {
      const { rows } = await client.query('select key_hash from api_key where tenant_id = $1', [world.b])
      return rows[0].key_hash as Buffer
    })
    const guesses = [createHash('sha256').update('guess').digest(), Buffer.alloc(32), Buffer.alloc(0), hash.subarray(0, 31), null]
    await asRole('tenure_app', async (client) => {
      // What is called api_key in a schema of the session's own must not stand in for the table.
      await client.query(
        'create temporary table api_key (tenant_id text, id text, name text, scopes text[], expires_at timestamptz, key_hash bytea, revoked_at timestamptz)',
      )
      for (const guess of guesses) assert.deepEqual((await client.query('select * from find_api_key($1)', [guess])).rows, [])
      const { rows } = await client.query('select tenant_id from find_api_key($1)', [hash])
      assert.deepEqual(rows, [{ tenant_id: world.b }])
    })
    await asRole('tenure_worker', (client) => assert.rejects(client.query('select * from find_api_key($1)', [hash]), { code: '42501' }))
  })

  it('lets the worker see and touch what the queues need, and nothing else', async (t) => {
    const result = await asSuperuser((superuser) => asRole('tenure_worker', (worker) => workerMatrix(superuser, worker)))
    assert.deepEqual(result.allowed, WORKER_MAY)
    t.diagnostic(`${result.cases} cases, ${result.allowed.length} allowed`)
  })

  describe('the harness finds what it is there to find', () => {
    const planted = (text: string, finds: (faults: readonly string[], leaks: readonly string[]) => boolean) => async () => {
      await asSuperuser(async (client) => {
        try {
          await client.query('create table planted (tenant_id text not null, id text not null, primary key (tenant_id, id))')
          await client.query('alter table planted owner to tenure_owner')
          await client.query(`insert into planted values ($1, '1'), ($2, '1')`, [world.a, world.b])
          await client.query(text)
          const relations = (await readRelations(client, [world.a, world.b])).filter(({ name }) => name.includes('planted'))
          const { leaks } = await asRole('tenure_app', (app) => runMatrix(app, relations, { own: world.a, victim: world.b }))
          const faults = (await structureFaults(client)).filter((fault) => /planted/.test(fault))
          assert.ok(finds(faults, leaks), `found ${JSON.stringify({ faults, leaks: leaks.slice(0, 5) })}`)
        } finally {
          await client.query('drop table if exists planted cascade')
        }
      })
    }
    const has = (faults: readonly string[], name: string) => faults.some((fault) => fault.startsWith(`${name}: `))
    const POLICY = 'create policy own_tenant on planted for all to tenure_app using (tenant_id = current_tenant())'

    it('a table that holds no row of one of the tenants', async () => {
      await asSuperuser(async (client) => {
        await client.query('begin')
        await client.query('create table planted (tenant_id text primary key)')
        await client.query('insert into planted values ($1)', [world.a])
        await assert.rejects(readRelations(client, [world.a, world.b]), /planted holds no row of 1 tenants/)
        await client.query('rollback')
      })
    })
    it(
      'a table that nobody protected',
      planted('grant select, insert, update, delete on planted to tenure_app', (faults, leaks) => {
        const operations = new Set(leaks.map((leak) => leak.replace(/^.*?: (.*) as .*$/, '$1')))
        const expected = [
          'select',
          'cursor',
          'copy out',
          'prepared reuse',
          'savepoint rollback',
          'pooled reuse',
          'leaky predicate',
          'update',
          'update returning',
          'give away',
          'delete returning',
          'insert',
          'upsert',
          'merge',
          'merge insert',
          'copy in',
          'statistics',
        ]
        return (
          expected.every((operation) => operations.has(operation)) && has(faults, 'row security is not enabled') && has(faults, 'no policy')
        )
      }),
    )
    it(
      'a table whose policy is switched off',
      planted(
        `${POLICY}; grant select on planted to tenure_app`,
        (faults, leaks) => has(faults, 'row security is not enabled') && leaks.length > 0,
      ),
    )
    it(
      'a table that its owner sees through',
      planted(`alter table planted enable row level security; ${POLICY}; grant select on planted to tenure_app`, (faults) =>
        has(faults, 'row security is not forced'),
      ),
    )
    it(
      'a view that runs as its owner',
      planted(
        `call protect('planted'); create view planted_view as select * from planted; grant select on planted_view to tenure_app`,
        (faults, leaks) => has(faults, 'a view that runs as its owner') && leaks.some((leak) => leak.startsWith('public.planted_view')),
      ),
    )
    it(
      'a policy that lets everybody through',
      planted(
        `call protect('planted'); grant select on planted to tenure_app; create policy open on planted for select to tenure_app using (true)`,
        (faults, leaks) => has(faults, 'a policy of the app that is not the equality of the tenant') && leaks.length > 0,
      ),
    )
    it(
      'a grant that no policy answers, a grant to everybody, TRUNCATE, a unique index and a foreign key across tenants',
      planted(
        `call protect('planted'); grant select on planted to tenure_worker, public; grant truncate on planted to tenure_app;
         alter table planted add column code text unique, add column other bytea references api_key (key_hash)`,
        (faults, leaks) =>
          [
            'a grant without a policy',
            'a grant to everybody',
            'a privilege beyond rows',
            'a unique index that the tenant does not lead',
            'a foreign key that could cross tenants',
          ].every((name) => has(faults, name)) && leaks.some((leak) => leak.includes('truncate')),
      ),
    )
    it(
      'a definer function that anybody may call, on a search path of the caller',
      planted(
        `call protect('planted'); create function planted_peek() returns setof planted security definer language sql as 'select * from planted'`,
        (faults) => has(faults, 'a definer function without a search path') && has(faults, 'a definer function for everybody'),
      ),
    )
    it('a role above row security, and a table that the app owns', async () => {
      const role = newRoleName()
      await asSuperuser(async (client) => {
        await client.query(`create role ${role} bypassrls`)
        try {
          await client.query('begin')
          await client.query('create table planted_own (tenant_id text primary key)')
          await client.query('alter table planted_own owner to tenure_app')
          const faults = await structureFaults(client)
          assert.ok(
            has(faults, 'a role above row security') && has(faults, 'something owned by a role that serves requests'),
            faults.join('\n'),
          )
        } finally {
          await client.query('rollback')
          await client.query(`drop role ${role}`)
        }
      })
    })
    it(
      'a sealed column that the worker may read',
      planted(
        `call protect('planted'); alter table planted add column body sealed; create policy queue on planted for select to tenure_worker using (true); grant select on planted to tenure_worker`,
        (faults) => has(faults, 'a sealed or classed column that the worker can read'),
      ),
    )
  })
})
