import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createLog } from '../kit/log.ts'
import { connectDatabase, violates } from './database.ts'
import type { Tx } from './tenant-transaction.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from './test-database.ts'
import { createBareTenant } from './test-tenant.ts'

const BACKEND = { name: 'backend', text: 'select pg_backend_pid() as pid' }

describe('a transaction of one tenant', () => {
  let database: TestDatabase
  let tenantId: string
  before(async () => {
    database = await createTestDatabase()
    tenantId = await createBareTenant(database)
  })
  after(() => database.drop())

  const addPerson = (tx: Tx, id: string) => tx.insertInto('person').values({ tenant_id: tx.scope.tenantId, id }).execute()
  const personIds = async () =>
    (await database.withTenant(tenantId, (tx) => tx.selectFrom('person').select('id').execute())).map(({ id }) => id)
  const terminate = (pid: number) => asAdmin(database.admin, (client) => client.query('select pg_terminate_backend($1)', [pid]))
  const backendOf = async (tx: Tx) => (await tx.scope.run<{ pid: number }>(BACKEND, []))[0]!.pid

  it('commits all of its work, or leaves nothing behind', async () => {
    await database.withTenant(tenantId, (tx) => addPerson(tx, 'per_kept'))
    const failing = database.withTenant(tenantId, async (tx) => {
      await addPerson(tx, 'per_lost')
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    assert.deepEqual(await personIds(), ['per_kept'])
  })

  it('sees its own tenant only, and leaves no trace on the connection', async () => {
    const other = await createBareTenant(database)
    assert.deepEqual(await database.withTenant(other, (tx) => tx.selectFrom('person').selectAll().execute()), [])
    const asked = { name: 'asked', text: `select current_tenant() as tenant, (select count(*)::int from tenant) as seen` }
    for (let run = 0; run < 12; run++) assert.deepEqual(await database.ask(asked), [{ tenant: null, seen: 0 }])
  })

  it('takes an id of a tenant and nothing else', async () => {
    for (const id of ['', `${tenantId}'; drop table tenant; --`, "ten_a'", 'ten_a b', 'TEN_a', `ten_${'a'.repeat(41)}`, 'ten_ä', 'ten_a\n'])
      await assert.rejects(
        database.withTenant(id, async () => 'begun'),
        /not the id of a tenant/,
        id,
      )
  })

  it('runs what was registered for before the commit once for each key, in order, inside the transaction', async () => {
    const ran: string[] = []
    await database.withTenant(tenantId, async (tx) => {
      tx.scope.beforeCommit('a', async () => {
        ran.push('a')
        await addPerson(tx, 'per_before')
      })
      tx.scope.beforeCommit('b', async () => void ran.push('b'))
      tx.scope.beforeCommit('a', async () => void ran.push('a again'))
      ran.push('work')
    })
    assert.deepEqual(ran, ['work', 'a', 'b'])
    assert.ok((await personIds()).includes('per_before'))
  })

  it('rolls everything back when what runs before the commit fails, and runs nothing after', async () => {
    const ran: string[] = []
    const failing = database.withTenant(tenantId, async (tx) => {
      await addPerson(tx, 'per_undone')
      tx.scope.beforeCommit('check', async () => {
        throw new Error('not so')
      })
      tx.scope.beforeCommit('later', async () => void ran.push('later'))
      tx.scope.afterCommit(() => void ran.push('after'))
    })
    await assert.rejects(failing, /not so/)
    assert.deepEqual(ran, [])
    assert.ok(!(await personIds()).includes('per_undone'))
  })

  it('runs what was registered for after the commit when others can see the work, and not before', async () => {
    let seen: Promise<string[]> | undefined
    await database.withTenant(tenantId, async (tx) => {
      tx.scope.afterCommit(() => {
        seen = personIds()
      })
      await addPerson(tx, 'per_after')
      assert.equal(seen, undefined)
    })
    assert.ok((await seen)?.includes('per_after'))
  })

  it('is a success once it has committed, whatever fails after that', async () => {
    const ran: string[] = []
    const done = await database.withTenant(tenantId, async (tx) => {
      tx.scope.afterCommit(() => {
        throw new Error('no hand-over')
      })
      tx.scope.afterCommit(() => void ran.push('next'))
      await addPerson(tx, 'per_committed')
      return 'done'
    })
    assert.equal(done, 'done')
    assert.deepEqual(ran, ['next'])
    assert.ok((await personIds()).includes('per_committed'))
  })

  it('says so when a statement failed and its failure was swallowed, instead of committing nothing in silence', async () => {
    const swallowed = database.withTenant(tenantId, async (tx) => {
      await addPerson(tx, 'per_swallowed')
      await addPerson(tx, 'per_swallowed').catch(() => {})
    })
    await assert.rejects(swallowed, /rolled back/)
    assert.ok(!(await personIds()).includes('per_swallowed'))
  })

  it('runs nothing after a commit that the database refused', async () => {
    await asAdmin(database.admin, (client) =>
      client.query(
        'create table late (tenant_id text primary key, ref text references tenant deferrable initially deferred); grant all on late to tenure_app',
      ),
    )
    let after = false
    const failing = database.withTenant(tenantId, async (tx) => {
      tx.scope.afterCommit(() => {
        after = true
      })
      await addPerson(tx, 'per_late')
      await tx.scope.run({ name: 'late', text: `insert into late values ($1, 'ten_none')` }, [tx.scope.tenantId])
    })
    await assert.rejects(failing, (error) => violates(error, 'late_ref_fkey'))
    assert.equal(after, false)
    assert.ok(!(await personIds()).includes('per_late'))
  })

  it('tries again, whole, when it lost a deadlock', async () => {
    await database.withTenant(tenantId, (tx) =>
      tx
        .insertInto('location')
        .values(['one', 'two'].map((id) => ({ tenant_id: tenantId, id, code: id, name: 'x', time_zone: 'UTC' })))
        .execute(),
    )
    const met = meetingOf(2)
    let begun = 0
    const swap = (first: string, second: string) =>
      database.withTenant(tenantId, async (tx) => {
        begun++
        const add = (id: string) =>
          tx
            .updateTable('location')
            .set((eb) => ({ name: eb('name', '||', first[0]!) }))
            .where('id', '=', id)
            .execute()
        await add(first)
        await met()
        await add(second)
      })
    await Promise.all([swap('one', 'two'), swap('two', 'one')])
    assert.ok(begun >= 3, 'one of the two, or both, began twice')
    const rows = await database.withTenant(tenantId, (tx) => tx.selectFrom('location').select('name').execute())
    for (const { name } of rows) assert.match(name, /^x(ot|to)$/)
  })

  it('gives up after the fourth try', async () => {
    let tried = 0
    const conflict = Object.assign(new Error('could not serialize'), { code: '40001' })
    const failing = database.withTenant(tenantId, async () => {
      tried++
      throw conflict
    })
    await assert.rejects(failing, conflict)
    assert.equal(tried, 4)
  })

  it('answers 503 when its connection is cut between two statements, and goes on with another', async () => {
    const cut = database.withTenant(tenantId, async (tx) => {
      await addPerson(tx, 'per_cut')
      await terminate(await backendOf(tx))
      // Long enough for the end of the connection to arrive while no statement waits for it.
      for (let tried = 0; tried < 100; tried++) await tx.selectFrom('person').select('id').execute()
    })
    await assert.rejects(cut, { code: 'database-unavailable', status: 503 })
    assert.ok(!(await personIds()).includes('per_cut'))
  })

  it('answers 503 when its connection is cut in the middle of a statement', async () => {
    const cut = database.withTenant(tenantId, async (tx) => {
      const pid = await backendOf(tx)
      const sleeping = tx.scope.run({ name: 'sleep', text: 'select pg_sleep(30)' }, [])
      await Promise.all([sleeping, terminate(pid)])
    })
    await assert.rejects(cut, { code: 'database-unavailable', status: 503 })
  })

  it('answers 503 with the time to wait when there is no database', async () => {
    const log = createLog('silent')
    for (const address of [
      { host: '/nonexistent', port: 5432 },
      { host: '127.0.0.1', port: 1 },
    ]) {
      const gone = connectDatabase({ address: { ...address, user: 'x', password: 'x', database: 'x' }, log })
      for (const attempt of [() => gone.withTenant(tenantId, async () => 1), () => gone.ask(BACKEND), () => gone.asWorker(BACKEND)])
        await assert.rejects(attempt, { code: 'database-unavailable', status: 503, details: { retryAfterSeconds: 2 } })
      await gone.close()
    }
  })

  it('keeps dates as they are written and whole numbers as numbers', async () => {
    const [row] = await database.ask<Record<string, unknown>>({
      name: 'types',
      text: `select date '2026-03-29' as day, 9007199254740991::bigint as n`,
    })
    assert.deepEqual(row, { day: '2026-03-29', n: 9007199254740991 })
  })
})

describe('listening', () => {
  it('hears notifications, also after its connection was cut', async () => {
    const database = await createTestDatabase()
    try {
      const heard: string[] = []
      const stop = database.listen('canary', (payload) => heard.push(payload))
      const notifyUntil = async (payload: string) => {
        for (let tried = 0; tried < 200 && !heard.includes(payload); tried++) {
          await database.ask({ name: 'notify', text: `select pg_notify('canary', $1), pg_sleep(0.02)` }, [payload])
        }
        assert.ok(heard.includes(payload), payload)
      }
      await notifyUntil('first')
      await asAdmin(database.admin, (client) =>
        client.query(`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and datname = current_database()`),
      )
      await notifyUntil('second')
      stop()
    } finally {
      await database.drop()
    }
  })
})

/** Answers a function that returns once `count` callers are in it; later callers pass. */
function meetingOf(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let present = 0
  return () => {
    if (++present >= count) resolve()
    return promise
  }
}
