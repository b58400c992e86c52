import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { Client } from 'pg'
import { createLog } from '../../kit/log.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'
import { isRunning, readProcess, signalProcess } from './running-process.ts'
import { isGoneWithin } from './running-server.ts'

const log = createLog('silent')
const MODULE = new URL('./embedded-postgres.ts', import.meta.url).href
const LOG_MODULE = new URL('../../kit/log.ts', import.meta.url).href

describe('a first start of the embedded PostgreSQL', () => {
  const places = useFolders()
  let postgres: EmbeddedPostgres
  before(async () => {
    postgres = await startEmbeddedPostgres({ folder: await places.make('a'.repeat(120)), log, settings: { max_connections: '17' } })
  })
  after(async () => {
    await postgres.stop()
    await places.clear()
  })

  it('runs from a folder deeper than a socket path may be long', () => {
    assert.ok(places.last.length > 107)
    assert.ok(postgres.admin.host.length < 90)
    assert.equal(postgres.adopted, false)
  })

  it('has on what keeps a commit safe and the log free of values', async () => {
    const wanted = {
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      log_statement: 'none',
      log_min_error_statement: 'panic',
      log_error_verbosity: 'terse',
      log_parameter_max_length: '0',
      log_parameter_max_length_on_error: '0',
      listen_addresses: '',
      password_encryption: 'scram-sha-256',
      server_encoding: 'UTF8',
      jit: 'off',
      max_connections: '17',
    }
    const shown = await query(postgres, 'select name, setting from pg_settings where name = any($1)', [Object.keys(wanted)])
    assert.deepEqual(Object.fromEntries(shown.map(({ name, setting }) => [name, setting])), wanted)
    const locales = await query(
      postgres,
      "select datlocprovider as provider, datlocale as locale from pg_database where datname = 'template1'",
    )
    assert.deepEqual(locales, [{ provider: 'b', locale: 'C.UTF-8' }])
  })

  it('takes no login without the password, whose file nobody else can read', async () => {
    await assert.rejects(new Client({ ...postgres.admin, password: 'wrong' }).connect(), { code: '28P01' })
    for (const name of ['postgres-password', 'postgres.log']) assert.equal((await stat(join(places.last, name))).mode & 0o077, 0, name)
    assert.equal((await stat(postgres.admin.host)).mode & 0o077, 0)
    assert.equal((await stat(join(places.last, 'postgres'))).mode & 0o077, 0)
  })

  it('leaves neither statement nor value in the log when a statement fails', async () => {
    await query(postgres, 'create table pay (amount int primary key)')
    const insert = () => query(postgres, 'insert into pay values ($1)', [48_151_623])
    await insert()
    await assert.rejects(insert(), { code: '23505' })
    const written = await readFile(join(places.last, 'postgres.log'), 'utf8')
    assert.match(written, /duplicate key value violates unique constraint "pay_pkey"/)
    assert.doesNotMatch(written, /48151623|insert into/)
  })
})

describe('the embedded PostgreSQL', () => {
  const places = useFolders()
  after(() => places.clear())
  let folder: string
  let owners: ChildProcess[]
  beforeEach(async () => {
    folder = await places.make('tenure')
    owners = []
  })
  afterEach(async () => {
    for (const owner of owners) await kill(owner)
  })

  it('keeps its data from one start to the next, and is gone between them', async () => {
    const first = await startEmbeddedPostgres({ folder, log })
    await query(first, 'create table kept as select 42 as answer')
    const pid = await serverPid(folder)
    const server = await readProcess(pid)
    assert.ok(server)
    await Promise.all([first.stop(), first.stop()])
    assert.equal(await isRunning(server), false)
    await assert.rejects(stat(first.admin.host), { code: 'ENOENT' })

    const second = await startEmbeddedPostgres({ folder, log })

    assert.deepEqual(await query(second, 'select answer from kept'), [{ answer: 42 }])
    assert.equal(second.adopted, false)
    await second.stop()
  })

  it('outlives a kill -9 of its owner, is taken over with its data and stops with the new owner', async () => {
    await startOwner()
    const pid = await serverPid(folder)
    await kill(owners[0])

    const adopted = await startEmbeddedPostgres({ folder, log })

    assert.equal(adopted.adopted, true)
    assert.equal(await serverPid(folder), pid)
    assert.deepEqual(await query(adopted, 'select answer from kept'), [{ answer: 42 }])
    const server = await readProcess(pid)
    assert.ok(server)
    await adopted.stop()
    assert.equal(await isRunning(server), false)
  })

  it("is not reached by the terminal's Ctrl-C", async () => {
    const owner = await startOwner()
    process.kill(-owner.pid!, 'SIGINT')
    await ended(owner)

    const adopted = await startEmbeddedPostgres({ folder, log })

    assert.equal(adopted.adopted, true)
    await adopted.stop()
  })

  it('refuses a second owner and names the pid of the first', async () => {
    const owner = await startOwner()

    await assert.rejects(startEmbeddedPostgres({ folder, log }), new RegExp(`The process with pid ${owner.pid} already runs the database`))

    await kill(owner)
    await (await startEmbeddedPostgres({ folder, log })).stop()
  })

  it('starts at once after owner and server were both killed, and keeps what was committed', async () => {
    await startOwner()
    process.kill(await serverPid(folder), 'SIGKILL')
    await kill(owners[0])

    const started = await startEmbeddedPostgres({ folder, log })

    assert.equal(started.adopted, false)
    assert.deepEqual(await query(started, 'select answer from kept'), [{ answer: 42 }])
    await started.stop()
  })

  it('waits while a process of the killed server still holds its memory', async () => {
    await startOwner()
    const held = Number(await readFile(join(folder, 'walwriter'), 'utf8'))
    process.kill(held, 'SIGSTOP')
    process.kill(await serverPid(folder), 'SIGKILL')
    await kill(owners[0])
    let refusals = 0
    const watched = createLog('info', {
      write(line) {
        if (line.includes('postgres.start_repeated') && ++refusals === 2) process.kill(held, 'SIGCONT')
      },
    })

    const started = await startEmbeddedPostgres({ folder, log: watched })

    assert.ok(refusals >= 2)
    assert.deepEqual(await query(started, 'select answer from kept'), [{ answer: 42 }])
    await started.stop()
  })

  it('does not take a program that has the number of its dead server for the server', async () => {
    await startOwner()
    const dead = await serverPid(folder)
    process.kill(dead, 'SIGKILL')
    await kill(owners[0])
    const { uid, gid } = await stat(join(folder, 'postgres'))
    const bystander = spawn('sleep', ['60'], { uid, gid, cwd: '/', stdio: 'ignore' })
    owners.push(bystander)
    const lines = (await readFile(join(folder, 'postgres/postmaster.pid'), 'utf8')).split('\n')
    for (const file of [join(folder, 'postgres/postmaster.pid'), join(lines[4]!, '.s.PGSQL.5432.lock')]) {
      await writeFile(file, (await readFile(file, 'utf8')).replace(String(dead), String(bystander.pid)))
    }

    const started = await startEmbeddedPostgres({ folder, log })

    assert.deepEqual(await query(started, 'select answer from kept'), [{ answer: 42 }])
    await started.stop()
    assert.equal(bystander.exitCode ?? bystander.signalCode, null)
  })

  it('says in its own words why it does not start, and gives the folder free again', async () => {
    const faulty = startEmbeddedPostgres({ folder, log, settings: { shared_buffers: 'many' } })
    await assert.rejects(faulty, /ended while it was starting.*invalid value for parameter "shared_buffers": "many"/s)

    await (await startEmbeddedPostgres({ folder, log })).stop()
  })

  it('refuses a socket folder that somebody else made beforehand', async () => {
    const first = await startEmbeddedPostgres({ folder, log })
    await first.stop()
    await mkdir(first.admin.host, { mode: 0o755 })
    try {
      await assert.rejects(startEmbeddedPostgres({ folder, log }), /must be a folder of uid \d+ with mode 0700, and it is not/)
    } finally {
      await rmdir(first.admin.host)
    }
  })

  /** A process of its own that starts the database, writes a row and waits to be killed. */
  async function startOwner(): Promise<ChildProcess> {
    const program = `
      const { writeFile } = await import('node:fs/promises')
      const { startEmbeddedPostgres } = await import(${JSON.stringify(MODULE)})
      const { createLog } = await import(${JSON.stringify(LOG_MODULE)})
      const { default: { Client } } = await import(${JSON.stringify(import.meta.resolve('pg'))})
      const { admin } = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)}, log: createLog('silent') })
      const client = new Client(admin)
      await client.connect()
      await client.query('create table kept as select 42 as answer')
      const { rows } = await client.query("select pid from pg_stat_activity where backend_type = 'walwriter'")
      await writeFile(${JSON.stringify(join(folder, 'walwriter'))}, String(rows[0].pid))
      await client.end()
      console.log('started')
      setInterval(() => {}, 60_000)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    owners.push(owner)
    await Promise.race([once(owner.stdout!, 'data'), ended(owner)])
    assert.equal(owner.exitCode, null, 'the owner started')
    return owner
  }
})

async function serverPid(folder: string): Promise<number> {
  return Number((await readFile(join(folder, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
}

async function kill(process: ChildProcess | undefined): Promise<void> {
  process?.kill('SIGKILL')
  if (process) await ended(process)
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit')
}

async function query(postgres: EmbeddedPostgres, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client(postgres.admin)
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Folders that PostgreSQL's unprivileged user may enter, unlike those of mkdtemp. */
function useFolders() {
  const made: string[] = []
  return {
    last: '',
    async make(name: string): Promise<string> {
      const parent = await mkdtemp(join(tmpdir(), 'tenure-postgres-'))
      await chmod(parent, 0o755)
      this.last = join(parent, name)
      made.push(this.last)
      return this.last
    },
    async clear(): Promise<void> {
      for (const folder of made) {
        await endServer(folder)
        await rm(dirname(folder), { recursive: true, force: true, maxRetries: 5 })
      }
    },
  }
}

/** Ends the server that a failed test left behind. */
async function endServer(folder: string): Promise<void> {
  const pid = await serverPid(folder).catch(() => 0)
  const server = await readProcess(pid)
  if (!server?.command.includes(folder)) return
  await signalProcess(server, 'SIGQUIT')
  await isGoneWithin(server, 10_000)
}
