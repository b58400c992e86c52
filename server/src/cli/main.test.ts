import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type App, startApp } from '../app.ts'
import { readConfig } from '../config.ts'
import { waitForOldTransactions } from '../database/test-database.ts'
import { createLog } from '../kit/log.ts'
import { type Company, createCompany } from '../people/testing/company.ts'
import { createFirstKey } from './tenants.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

type Ran = { readonly code: number; readonly out: string; readonly err: string }

/** Runs the command line as a process of its own, without the settings of whoever runs the tests. */
function run(given: readonly string[], env: Record<string, string> = {}, node: readonly string[] = []): Promise<Ran> {
  return new Promise((resolve) => {
    const options = {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', TENURE_FOLDER: '/nonexistent/.tenure', ...env },
      timeout: 60_000,
    }
    execFile(process.execPath, [...node, MAIN, ...given], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 99) : 0, out, err })
    })
  })
}

/** Writes the names of all modules that were loaded to standard error when the process ends. */
const LIST_MODULES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
  process.on('exit', () => process.stderr.write(loaded.join('\\n')))`)}`

describe('tenure --help', () => {
  it('loads nothing of the server', async () => {
    const { code, out, err } = await run(['--help'], {}, ['--import', LIST_MODULES])

    assert.equal(code, 0)
    assert.match(out, /Examples:/)
    assert.match(err, /cli\/program\.ts/, 'the list of modules works')
    assert.doesNotMatch(err, /node_modules\/(fastify|pg|kysely|pino|undici|typebox)\/|server\/src\/(?!cli\/)/)
  })

  it('is there for every command, and says what to type', async () => {
    for (const command of [['dev'], ['import'], ['deliveries', 'redrive'], ['endpoints', 'create']]) {
      const { code, out } = await run([...command, '--help'])
      assert.equal(code, 0)
      assert.match(out, /Examples:\n {2}\$ /)
    }
  })
})

describe('a command', () => {
  let company: Company
  let app: App
  let folder: string
  let env: Record<string, string>
  before(async () => {
    company = await createCompany({ now: new Date().toISOString() })
    const config = readConfig({ ROLE: 'api', PORT: '0', METRICS_PORT: '0' })
    app = await startApp(config, createLog('silent'), { ground: company.ground, embedded: false, admin: undefined, close: async () => {} })
    const { key } = await createFirstKey(company.ground, company.tenantId, { name: 'test', environment: 'test' })
    env = { TENURE_URL: app.url!, TENURE_API_KEY: key }
    folder = await mkdtemp(join(tmpdir(), 'tenure-cli-'))
  })
  after(async () => {
    await app.stop()
    await company.close()
    await rm(folder, { recursive: true })
  })

  it('ends with 0 and prints one object a line with --json', async () => {
    await run(['keys', 'create', '--name', 'second', '--scope', 'events:read'], env)

    const { code, out } = await run(['keys', 'list', '--json'], env)

    const names = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).name)
    assert.deepEqual([code, names.sort()], [0, ['second', 'test']])
  })

  it('prints a table under its titles for people', async () => {
    const { code, out } = await run(['keys', 'list'], env)

    assert.equal(code, 0)
    assert.match(out, /^KEY +NAME +STARTS WITH +EXPIRES +USED\nkey_/)
  })

  it('ends with 1 and a sentence when nothing answers', async () => {
    const { code, err } = await run(['events', 'list'], { TENURE_URL: 'http://127.0.0.1:9', TENURE_API_KEY: 'tnr_test_x' })

    assert.equal(code, 1)
    assert.match(err, /Nothing answers|failed/)
    assert.doesNotMatch(err, /\bat .*\.ts:/, 'no stack')
  })

  it('ends with 1 and the API\u2019s own words when a change is refused', async () => {
    const { code, err } = await run(['endpoints', 'create', '--name', 'x', '--to', 'https://10.0.0.1/', '--event', '*'], env)

    assert.equal(code, 1)
    assert.match(err, /\/url/)
    assert.match(err, /docs\/errors\/[a-z-]+\.md, request req_/)
  })

  it('ends with 2 for what it does not understand, before it asks anybody', async () => {
    for (const given of [
      ['nonsense'],
      ['deliveries', 'list', '--state', 'lost'],
      ['keys', 'create'],
      ['endpoints', 'list', '--url', 'ftp://x'],
    ]) {
      assert.equal((await run(given, env)).code, 2)
    }
  })

  it('ends with 3 for a key that does not open, and says so as JSON where JSON was asked for', async () => {
    const { code, out, err } = await run(['events', 'list', '--json'], { ...env, TENURE_API_KEY: 'tnr_test_wrong' })

    assert.deepEqual([code, out], [3, ''])
    assert.deepEqual([JSON.parse(err).error.status, JSON.parse(err).error.code], [401, 'unauthenticated'])
  })

  it('ends with 3 where there is no key at all', async () => {
    assert.equal((await run(['events', 'list'], { TENURE_URL: app.url! })).code, 3)
  })

  it('ends with 4 for what is not there', async () => {
    assert.equal((await run(['deliveries', 'show', 'dlv_none'], env)).code, 4)
  })

  it('asks before it destroys', async () => {
    const { code, err } = await run(['keys', 'revoke', 'key_any'], env)

    assert.equal(code, 2)
    assert.match(err, /--yes/)
  })

  it('prints no value of an event unless it is asked to', async () => {
    const { createEmployee } = await import('../people/employees/create-employees.ts')
    const person = { given_name: 'Zephyrine', family_name: 'Quux' }
    await company.change((change) => createEmployee(change, { start_date: '2026-01-01', person }))

    await waitForOldTransactions(company.database.admin)
    const silent = await run(['events', 'list', '--json'], env)
    const asked = await run(['events', 'list', '--json', '--values'], env)

    assert.match(silent.out, /employment\.started/)
    assert.doesNotMatch(silent.out, /Zephyrine/)
    assert.match(asked.out, /Zephyrine/)
  })

  it('keeps a login that works, and none that does not', async () => {
    const home = { ...env, XDG_CONFIG_HOME: folder }
    assert.equal((await run(['login', '--url', app.url!], { ...home, TENURE_API_KEY: 'tnr_test_wrong' })).code, 3)
    assert.equal((await run(['login', '--url', app.url!], home)).code, 0)

    const { code } = await run(['endpoints', 'list'], { XDG_CONFIG_HOME: folder })

    assert.equal(code, 0)
  })

  it('reports a file that is not there, and a mapping that is not YAML', async () => {
    const bad = join(folder, 'bad.yaml')
    await writeFile(bad, '{ columns: [')
    assert.equal((await run(['import', 'employees', '--file', join(folder, 'none.csv')], env)).code, 2)
    assert.equal((await run(['import', 'employees', '--file', bad, '--map', bad], env)).code, 2)
  })
})
