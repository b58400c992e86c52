import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { employmentStarted } from '@tenure/contract'
import pg from 'pg'
import { createReceiver, InProgress } from './index.ts'
import { createInboxTable, onceInPostgres, pruneInbox } from './postgres.ts'
import { buildEvent, signDelivery, testSecret } from './testing.ts'

const given = process.env.TEST_DATABASE_ADMIN
const skip = given ? false : 'TEST_DATABASE_ADMIN names no PostgreSQL; npm test starts one'
const admin: pg.ClientConfig = given ? JSON.parse(given) : {}
const database = `receiver_${randomBytes(6).toString('hex')}`

const secret = testSecret()
const event = buildEvent('employment.started', employmentStarted.example, { id: 'evt_1', employee_id: 'emp_1', sequence: 1 })
const entry = { id: 'evt_1', type: 'employment.started', employeeId: 'emp_1', sequence: 1 }

describe('onceInPostgres', { skip }, () => {
  let pool: pg.Pool

  before(async () => {
    await asAdmin(`create database ${database}`)
    pool = new pg.Pool({ ...admin, database, max: 5 })
    await pool.query('create table record (employee_id text not null, by_whom text)')
    await createInboxTable(pool)
  })
  after(async () => {
    await pool?.end()
    await asAdmin(`drop database if exists ${database}`)
  })
  beforeEach(async () => {
    await pool.query('truncate record, tenure_inbox')
  })

  const insertRecord = (client: pg.ClientBase) => client.query("insert into record (employee_id) values ('emp_1')")
  const count = async (table: string) => Number((await pool.query(`select count(*) from ${table}`)).rows[0].count)

  /** An event handler of the usual kind, behind a receiver. */
  function receiverOf(work: (client: pg.PoolClient) => unknown) {
    return createReceiver({ secret, once: onceInPostgres(pool), onError: () => {} }).on('employment.started', (_event, { tx }) => work(tx))
  }

  it('has one effect for the same delivery twenty times at once', async () => {
    const receiver = receiverOf(insertRecord)
    const delivery = await signDelivery(event, { secret })

    const answers = await Promise.all(Array.from({ length: 20 }, () => receiver.handle(delivery)))

    assert.equal(await count('record'), 1)
    assert.equal(answers.filter(({ body }) => body === '{"handled":true}').length, 1)
    assert.deepEqual(
      answers.filter(({ status, body }) => status !== 409 && body !== '{"handled":true}' && body !== '{"duplicate":true}'),
      [],
    )
    assert.equal((await receiver.handle(delivery)).body, '{"duplicate":true}')
  })

  it('answers 409 while another process works on the id, and holds no connection for it', async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const receiver = receiverOf(async (client) => {
      enter()
      await released
      await insertRecord(client)
    })
    const delivery = await signDelivery(event, { secret })

    const first = receiver.handle(delivery)
    await entered
    const others = await Promise.all(Array.from({ length: 20 }, () => receiver.handle(delivery)))
    release()

    assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([409]))
    assert.equal((await first).status, 200)
    assert.equal(await count('record'), 1)
  })

  it('remembers nothing and keeps nothing when the handler throws', async () => {
    let failing = true
    const receiver = receiverOf(async (client) => {
      await insertRecord(client)
      if (failing) throw new Error('no')
    })

    const failed = await receiver.handle(await signDelivery(event, { secret }))
    const left = [await count('record'), await count('tenure_inbox')]
    failing = false
    const repeated = await receiver.handle(await signDelivery(event, { secret }))

    assert.deepEqual([failed.status, left], [500, [0, 0]])
    assert.deepEqual([repeated.body, await count('record')], ['{"handled":true}', 1])
  })

  it('passes the error of the handler on as it is', async () => {
    const failure = new Error('no')
    await assert.rejects(
      onceInPostgres(pool).process(entry, () => Promise.reject(failure)),
      failure,
    )
  })

  it('does not say processed when the handler swallowed a failed statement, which rolls everything back', async () => {
    const receiver = receiverOf(async (client) => {
      await insertRecord(client)
      await client.query('select 1 / 0').catch(() => {})
    })

    const answer = await receiver.handle(await signDelivery(event, { secret }))

    assert.deepEqual([answer.status, await count('record'), await count('tenure_inbox')], [500, 0, 0])
  })

  it('leaves nothing behind when the process is killed before the commit, and processes the next attempt', async () => {
    const dying = `
      import pg from 'pg'
      import { onceInPostgres } from ${JSON.stringify(new URL('postgres.ts', import.meta.url).href)}
      const pool = new pg.Pool(${JSON.stringify({ ...admin, database })})
      await onceInPostgres(pool).process(${JSON.stringify(entry)}, async (client) => {
        await client.query("insert into record (employee_id, by_whom) values ('emp_1', 'the dead')")
        process.kill(process.pid, 'SIGKILL')
        await new Promise(() => setInterval(() => {}, 1_000))
      })`
    const { signal, stderr } = await run(dying)
    assert.equal(signal, 'SIGKILL', stderr)

    await untilProcessed(() => onceInPostgres(pool).process(entry, async (client) => void (await insertRecord(client))))

    assert.deepEqual((await pool.query('select employee_id, by_whom from record')).rows, [{ employee_id: 'emp_1', by_whom: null }])
  })

  it('survives the loss of its connection in the middle of the work', async () => {
    const receiver = receiverOf(async (client) => {
      await insertRecord(client)
      const { rows } = await client.query('select pg_backend_pid() as pid')
      const ended = new Promise((resolve) => client.once('end', resolve))
      await asAdmin(`select pg_terminate_backend(${rows[0].pid})`)
      await ended
    })

    const answer = await receiver.handle(await signDelivery(event, { secret }))

    assert.deepEqual([answer.status, await count('record'), await count('tenure_inbox')], [500, 0, 0])
    assert.equal(await onceInPostgres(pool).process(entry, async () => {}), 'processed')
  })

  it('has a connection destroyed that it could not roll back: the next borrower would write into the old transaction', async () => {
    const released: unknown[] = []
    const unsteady = {
      async connect() {
        const client = await pool.connect()
        return {
          query: (text: string, values?: unknown[]) =>
            text === 'rollback' ? Promise.reject(new Error('broken')) : client.query(text, values),
          release(destroy?: Error | boolean) {
            released.push(destroy)
            client.release(destroy)
          },
        }
      },
    }

    await assert.rejects(
      onceInPostgres(unsteady).process(entry, () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    )

    assert.match(String(released), /broken/)
  })

  it('gives its connections back, whatever happens', async () => {
    const once = onceInPostgres(pool)
    for (let i = 0; i < 20; i++) {
      await once
        .process({ ...entry, id: `evt_${i % 7}` }, () => (i % 2 ? Promise.reject(new Error('no')) : Promise.resolve()))
        .catch(() => {})
    }

    assert.deepEqual([pool.totalCount - pool.idleCount, pool.waitingCount], [0, 0])
  })

  it('keeps ids apart by table', async () => {
    await pool.query('create schema other')
    await createInboxTable(pool, { table: 'other.inbox' })

    assert.equal(await onceInPostgres(pool, { table: 'other.inbox' }).process(entry, async () => {}), 'processed')
    assert.equal(await onceInPostgres(pool).process(entry, async () => {}), 'processed')
    assert.equal(await onceInPostgres(pool, { table: 'other.inbox' }).process(entry, async () => {}), 'duplicate')
  })

  it('creates its table from many processes at once', async () => {
    await pool.query('drop table if exists fresh_inbox')

    await Promise.all(Array.from({ length: 10 }, () => createInboxTable(pool, { table: 'fresh_inbox' })))

    assert.equal(await onceInPostgres(pool, { table: 'fresh_inbox' }).process(entry, async () => {}), 'processed')
  })

  it('forgets ids that are older than it keeps them, and no others', async () => {
    await pool.query(
      `insert into tenure_inbox (id, type, processed_at)
       select 'old_' || n, 'employment.started', now() - interval '30 days 1 minute' from generate_series(1, 10050) n
       union all select 'young', 'employment.started', now() - interval '29 days 23 hours'`,
    )

    assert.equal(await onceInPostgres(pool).prune(), 10_050)
    assert.equal(await pruneInbox(pool, { keepForDays: 30 }), 0)
    assert.deepEqual((await pool.query('select id from tenure_inbox')).rows, [{ id: 'young' }])
  })

  it('refuses to forget ids while the sender still tries', () => {
    assert.throws(() => onceInPostgres(pool, { keepForDays: 3 }), /75 h 35 min/)
    assert.throws(() => onceInPostgres(pool, { keepForDays: Number.NaN }), RangeError)
    assert.equal(typeof onceInPostgres(pool, { keepForDays: 4 }).prune, 'function')
  })

  it('takes no table name that could be anything else', async () => {
    for (const table of ['', 'a b', 'a"; drop table record; --', 'a.b.c', 'Über']) {
      assert.throws(() => onceInPostgres(pool, { table }), TypeError)
      await assert.rejects(createInboxTable(pool, { table }), TypeError)
    }
  })
})

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client(admin)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Runs TypeScript in a process of its own, which may die of it. */
function run(source: string): Promise<{ signal: string | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module-typescript', '-e', source],
      { timeout: 20_000 },
      (_error, _stdout, stderr) => resolve({ signal: child.signalCode, stderr }),
    )
  })
}

/** PostgreSQL notices the death of a client a moment later; until then the id is in progress, and the sender would come again. */
async function untilProcessed(work: () => Promise<string>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const outcome = await work().catch((error: unknown) => {
      if (error instanceof InProgress) return 'in progress'
      throw error
    })
    if (outcome === 'processed') return
    assert.equal(outcome, 'in progress')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail('the id stayed in progress')
}
