import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readConfig } from '../../config.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../../database/test-database.ts'
import { checkDatabase } from './check-database.ts'

describe('the doctor, asking a database', () => {
  let database: TestDatabase
  before(async () => {
    database = await createTestDatabase()
  })
  after(() => database.drop())

  const check = (url: string) => checkDatabase(readConfig({ DATABASE_URL: url }), false)
  const urlOf = ({ host, port, user, password, database: name }: TestDatabase['address']) =>
    `postgres://${user}:${encodeURIComponent(password ?? '')}@/${name}?host=${encodeURIComponent(host ?? '')}&port=${port}`

  it('finds version and schema in order', async () => {
    const findings = await check(urlOf(database.address))

    assert.match(findings.find(({ check }) => check === 'database')?.message ?? '', /^PostgreSQL 18/)
    assert.equal(findings.find(({ check }) => check === 'schema')?.level, 'ok')
  })

  it('finds a migration that is missing, and says how to apply it', async () => {
    await asAdmin(database.admin, (client) => client.query('delete from migration where number = (select max(number) from migration)'))

    const schema = (await check(urlOf(database.address))).find(({ check }) => check === 'schema')

    assert.deepEqual([schema?.level, schema?.mend], ['fail', 'Run: tenure migrate'])
  })

  it('finds a login that no row security binds', async () => {
    const findings = await check(urlOf(database.admin))

    assert.ok(findings.some(({ level, message }) => level === 'fail' && /superuser|cannot be asked/.test(message)))
  })

  it('says in a sentence that nothing answers', async () => {
    const [finding] = await check('postgres://tenure_server:secret-word@127.0.0.1:1/tenure')

    assert.equal(finding?.level, 'fail')
    assert.match(finding.message, /ECONNREFUSED/)
    assert.doesNotMatch(JSON.stringify(finding), /secret-word/)
  })

  it('starts no database where none was made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-none-'))
    const [finding] = await checkDatabase(readConfig({ TENURE_FOLDER: folder }), false)
    await rm(folder, { recursive: true })

    assert.equal(finding?.level, 'warn')
  })
})
