import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { createLog } from '../kit/log.ts'
import type { DatabaseAddress } from './database.ts'
import { MIGRATIONS, migrate, readMigrations } from './migrate.ts'
import { prepareCluster } from './roles.ts'
import { asAdmin, TEST_PASSWORDS, testAdmin } from './test-database.ts'

const log = createLog('silent')

describe('migrations', () => {
  let folder: string
  let name: string
  let owner: DatabaseAddress
  let superuser: DatabaseAddress
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-migrations-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  beforeEach(async () => {
    name = `test_${randomBytes(6).toString('hex')}`
    await prepareCluster(testAdmin(), { database: name, ...TEST_PASSWORDS })
    superuser = { ...testAdmin(), database: name }
    owner = { ...superuser, user: 'tenure_owner', password: TEST_PASSWORDS.ownerPassword }
    await rm(folder, { recursive: true, force: true })
    await mkdtemp(folder).then((made) => {
      folder = made
    })
    await write('0001-one.sql', 'create table one (id int primary key); insert into one values (1)')
    await write('0002-two.sql', 'create table two (id int primary key)')
  })
  afterEach(() => asAdmin(testAdmin(), (client) => client.query(`drop database if exists ${name}`)))

  const write = (file: string, sql: string) => writeFile(join(folder, file), sql)
  const run = () => migrate(owner, log, folder)
  const applied = async () => (await ask('select number from migration order by number')).map(({ number }) => number)
  const tables = async () =>
    (await ask(`select tablename from pg_tables where schemaname = 'public' order by 1`)).map(({ tablename }) => tablename)
  const ask = async (text: string) => (await asAdmin(superuser, (client) => client.query(text))).rows

  it('are applied once, in order, and what comes later is added', async () => {
    assert.equal(await run(), 2)
    assert.equal(await run(), 0)
    await write('0003-three.sql', 'alter table two add column note text')
    assert.equal(await run(), 1)
    assert.deepEqual(await applied(), [1, 2, 3])
  })

  it('are applied once when several processes start at the same moment', async () => {
    const counts = await Promise.all([run(), run(), run(), run()])
    assert.deepEqual(counts.sort(), [0, 0, 0, 2])
    assert.equal((await ask('select * from one')).length, 1)
  })

  it('stop the start when the text of one was changed after it had been applied', async () => {
    await run()
    await write('0001-one.sql', 'create table one (id bigint primary key)')
    await write('0003-three.sql', 'create table three (id int)')
    await assert.rejects(run(), /0001-one.* was changed after it had been applied. Restore its text; add a new migration instead/)
    assert.deepEqual(await applied(), [1, 2])
  })

  it('stop the start when the database is newer than the program', async () => {
    await write('0003-three.sql', 'create table three (id int)')
    await run()
    await rm(join(folder, '0003-three.sql'))
    await assert.rejects(run(), /The database is newer than this version of Tenure \(it has migration 3\)/)
  })

  it('leave no half behind when one fails, and go on from there when it is mended', async () => {
    await write('0002-two.sql', 'create table two (id int primary key); insert into one values (2); insert into one values (1)')
    await write('0003-three.sql', 'create table three (id int)')
    await assert.rejects(run(), /Migration 0002-two.* failed and changed nothing: duplicate key/)
    assert.deepEqual(await applied(), [1])
    assert.deepEqual(await tables(), ['migration', 'one'])
    assert.equal((await ask('select * from one')).length, 1)
    await write('0002-two.sql', 'create table two (id int primary key)')
    assert.equal(await run(), 2)
  })

  it('let go of their lock when they fail', async () => {
    await write('0001-one.sql', 'select nonsense')
    await assert.rejects(run(), /changed nothing/)
    assert.equal(
      (
        await ask(
          `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
        )
      ).length,
      0,
    )
  })

  it('of Tenure itself have numbers without a gap, each once, and run as the owner, who is no superuser', async () => {
    const own = await readMigrations(MIGRATIONS)
    assert.deepEqual(
      own.map(({ number }) => number),
      own.map((_, at) => at + 1),
    )
    assert.equal(await migrate(owner, log), own.length)
    assert.deepEqual(await ask(`select 1 from pg_roles where rolname = 'tenure_owner' and (rolsuper or rolbypassrls or rolcreaterole)`), [])
  })
})
