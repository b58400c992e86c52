import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLog } from '../kit/log.ts'
import { checkSettings, refuseUnsafeSettings, type SettingFault } from './check-settings.ts'
import { connectDatabase, type Database, type DatabaseAddress } from './database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/embedded-postgres.ts'
import { prepareCluster } from './roles.ts'
import { asAdmin, TEST_PASSWORDS } from './test-database.ts'

const log = createLog('silent')
const NAME = 'tenure_settings'

/** One server, started safe; each test makes it unsafe in the ways that PostgreSQL allows while it runs. */
describe('the settings of the database', () => {
  let folder: string
  let postgres: EmbeddedPostgres
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-settings-'))
    await chmod(folder, 0o755)
    postgres = await startEmbeddedPostgres({ folder, log })
    await prepareCluster(postgres.admin, { database: NAME, ...TEST_PASSWORDS })
  })
  after(async () => {
    await postgres?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const serverLogin = () => ({ ...postgres.admin, database: NAME, user: 'tenure_server', password: TEST_PASSWORDS.serverPassword })

  async function onDatabase<Result>(address: DatabaseAddress, work: (database: Database) => Promise<Result>): Promise<Result> {
    const database = connectDatabase({ address, log, connections: 3 })
    try {
      return await work(database)
    } finally {
      await database.close()
    }
  }
  const faultsOf = (now = new Date(), address: DatabaseAddress = serverLogin()) =>
    onDatabase(address, (database) => checkSettings(database, now))
  const named = (faults: readonly SettingFault[]) => faults.map(({ severity, setting }) => `${severity} ${setting}`).sort()

  it('are without fault as the embedded server starts', async () => {
    assert.deepEqual(await faultsOf(), [])
    const warned: SettingFault[] = []
    await onDatabase(serverLogin(), (database) => refuseUnsafeSettings(database, new Date(), (fault) => warned.push(fault)))
    assert.deepEqual(warned, [])
  })

  it('are refused where the login is a superuser', async () => {
    assert.deepEqual(named(await faultsOf(new Date(), { ...postgres.admin, database: NAME })), ['refuse bypassrls', 'refuse superuser'])
  })

  it('are refused where the login, or the role it takes, may bypass row security', async () => {
    for (const role of ['tenure_server', 'tenure_app']) {
      await asAdmin(postgres.admin, (client) => client.query(`alter role ${role} bypassrls`))
      try {
        assert.deepEqual(named(await faultsOf()), ['refuse bypassrls'], role)
      } finally {
        await asAdmin(postgres.admin, (client) => client.query(`alter role ${role} nobypassrls`))
      }
    }
  })

  it('are refused where the clocks differ by more than 30 s, either way', async () => {
    for (const seconds of [-31, 31]) assert.deepEqual(named(await faultsOf(new Date(Date.now() + seconds * 1_000))), ['refuse clock'])
    assert.deepEqual(await faultsOf(new Date(Date.now() + 25_000)), [])
  })

  it('are refused or warned of, one sentence each, with the statement that mends them', async () => {
    await postgres.stop()
    const unsafe = {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      log_statement: 'all',
      log_error_verbosity: 'default',
      log_min_error_statement: 'error',
      log_parameter_max_length_on_error: '-1',
    }
    postgres = await startEmbeddedPostgres({ folder, log, settings: unsafe })
    const faults = await faultsOf()
    assert.deepEqual(named(faults), [
      'refuse fsync',
      'refuse full_page_writes',
      'refuse log_statement',
      'refuse synchronous_commit',
      'warn log_error_verbosity',
      'warn log_min_error_statement',
      'warn log_parameter_max_length_on_error',
    ])
    for (const { setting, sentence } of faults) {
      const [, statement] = /Run: (.*)$/.exec(sentence) ?? []
      assert.match(statement ?? '', new RegExp(`^alter system set ${setting} = [a-z0-9']+; select pg_reload_conf\\(\\);$`))
    }
    const warned: string[] = []
    const refusal = onDatabase(serverLogin(), (database) =>
      refuseUnsafeSettings(database, new Date(), ({ setting }) => warned.push(setting)),
    )
    await assert.rejects(refusal, (error: Error) => {
      assert.match(error.message, /^Tenure does not start on this database:/)
      for (const setting of ['fsync is off', 'full_page_writes is off', 'synchronous_commit is off', 'log_statement is all'])
        assert.ok(error.message.includes(setting), setting)
      return true
    })
    assert.equal(warned.length, 3)
  })
})
