import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { asAdmin } from '../server/src/database/test-database.ts'
import { type Canaries, createCanaries } from './canary/canaries.ts'
import { exportTables, readDatabaseLog, writeDatabaseLog } from './canary/export-tables.ts'
import { type Answer, type Platform, startPlatform } from './canary/platform.ts'
import { createScanner, encodingsOf, type Hit, type Scanner } from './canary/scanner.ts'
import { spreadByApi } from './canary/spread.ts'
import { leaveRowsWaiting, spreadByImport } from './canary/spread-import.ts'

const EMPLOYEES = 30
const IMPORTED = 20

describe('no personal or secret value is at rest in clear', () => {
  let platform: Platform
  let scanner: Scanner
  let refusals: Answer[]
  let badRows: string[]
  let metrics: string
  const canaries: Canaries = createCanaries()
  const secretOnes = () => canaries.all.filter(({ fieldClass }) => fieldClass !== 'control')

  before(async () => {
    platform = await startPlatform()
    try {
      const byApi = await spreadByApi(platform, canaries, EMPLOYEES)
      const byImport = await spreadByImport(platform, canaries, IMPORTED)
      refusals = [...byApi.refusals, ...byImport.refusals]
      badRows = byImport.badRows
      await settleEverything(platform)
      metrics = await platform.metrics()
    } finally {
      await platform.stop()
    }
    await leaveRowsWaiting(platform, canaries, 5)
    scanner = createScanner(canaries.all)
  })
  after(() => platform?.database.drop())

  it('has put 1,000 canaries through every door, and they arrived where they were sent', async (t) => {
    assert.ok(secretOnes().length >= 1_000, `${secretOnes().length} canaries`)
    const arrived = new Set(
      createScanner(canaries.all)
        .scan(platform.received.join('\n'))
        .map(({ canary }) => canary),
    )
    const sent = canaries.all.filter(
      ({ fieldClass, field }) => fieldClass === 'personal' && /^(person|compensation|termination)/.test(field),
    )
    const share = sent.filter((canary) => arrived.has(canary)).length / sent.length
    assert.ok(share > 0.9, `the receiver got ${share} of the personal canaries`)
    assert.equal([...arrived].filter(({ fieldClass }) => fieldClass === 'secret').length, 0, 'secret fields never leave')
    t.diagnostic(
      `${secretOnes().length} canaries in ${new Set(secretOnes().map(({ field }) => field)).size} fields, ${scanner.needles} needles, ${platform.received.length} webhooks`,
    )
  })

  it('keeps them out of every table', async (t) => {
    const tables = await exportTables(platform.database)
    const found = [...tables].flatMap(([table, text]) => scanner.scan(text).map((hit) => ({ table, ...hit })))
    const leaked = found.filter(({ canary }) => canary.fieldClass !== 'control')
    assert.deepEqual(describeHits(leaked), [])
    const controls = new Set(
      found.filter(({ table }) => table === 'public.assignment_fact' || table === 'public.candidate').map(({ canary }) => canary),
    )
    assert.ok(controls.size > EMPLOYEES, `${controls.size} values of internal fields are found where they belong`)
    for (const table of [
      'attempt',
      'delivery',
      'event',
      'idempotency_key',
      'person_fact',
      'compensation_fact',
      'audit_entry',
      'import_row',
    ])
      assert.ok(tables.get(`public.${table}`), `${table} holds rows`)
    const characters = [...tables.values()].reduce((sum, text) => sum + text.length, 0)
    t.diagnostic(`${tables.size} tables, ${characters} characters, 0 hits, ${controls.size} controls found`)
  })

  it('keeps them out of the log at trace level', (t) => {
    const text = platform.logLines.join('')
    assert.match(text, /"level":(10|20|30)/)
    assert.deepEqual(describeHits(scanner.scan(text)), [])
    t.diagnostic(`${platform.logLines.length} lines, 0 hits`)
  })

  it('keeps them out of the log of PostgreSQL', async (t) => {
    const control = createCanaries()
    await writeDatabaseLog(platform.database, control.text('log', 'control'))
    const text = await readDatabaseLog(platform.database)
    if (text === undefined) return t.skip('the log of this server cannot be read from here')
    assert.equal(createScanner(control.all).scan(text).length, 1, 'the control is in the log that is searched')
    assert.deepEqual(describeHits(scanner.scan(text)), [])
  })

  it('keeps them out of the metrics', () => {
    assert.match(metrics, /tenure_http_request_seconds/)
    assert.deepEqual(describeHits(scanner.scan(metrics)), [])
  })

  it('keeps them out of the answers to what is refused', (t) => {
    for (const { status, text } of refusals) assert.ok(status >= 400 && status < 500, `answered ${status}: ${text}`)
    assert.deepEqual(describeHits(scanner.scan(refusals.map(({ text }) => text).join('\n'))), [])
    t.diagnostic(`${refusals.length} refusals`)
  })

  it('keeps them out of what is told of bad rows', () => {
    for (const report of badRows.slice(0, 2)) assert.match(report, /"column":"birth_date"/)
    assert.deepEqual(describeHits(scanner.scan(badRows.join('\n'))), [])
  })

  describe('the scan finds what it is there to find', () => {
    it('a canary in any encoding, at any place', () => {
      for (const { value } of secretOnes().slice(0, 50)) {
        for (const before of [0, 1, 2, 3, 57]) {
          const text = Buffer.concat([randomBytes(before), Buffer.from(value), randomBytes(5)])
          const forms = [text.toString('base64'), text.toString('base64url'), text.toString('hex'), `x${encodeURIComponent(value)}y`]
          forms.push(Buffer.from(`..${value}`, 'utf16le').toString('hex'), JSON.stringify({ value }), value.toLowerCase())
          for (const form of forms)
            assert.ok(
              scanner.scan(form).some(({ canary }) => canary.value === value),
              form,
            )
        }
      }
      assert.ok(encodingsOf('Zoë-abcdefghijkl').length >= 8)
    })

    it('a table that somebody forgot to seal, in text, bytes and JSON', async () => {
      const [one, two, three] = secretOnes().map(({ value }) => value)
      await asAdmin(platform.database.admin, async (client) => {
        await client.query('create table unsealed (name text, body bytea, fields jsonb)')
        await client.query('insert into unsealed values ($1, $2, $3)', [
          one,
          Buffer.from(`{"name":"${two}"}`),
          JSON.stringify({ name: three }),
        ])
      })
      const text = (await exportTables(platform.database)).get('public.unsealed') ?? ''
      const hits = new Set(scanner.scan(text).map(({ canary }) => canary.value))
      assert.deepEqual([...hits].sort(), [one, two, three].sort())
    })
  })
})

/** Lets every delivery come to its end: delivered at the one endpoint, dead at the other. Nothing waits for its time. */
async function settleEverything({ until }: Platform): Promise<void> {
  await until(
    `select count(*) = 0 as done from delivery d join endpoint e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id where e.url like '%/accept' and d.state = 'pending'`,
    `update delivery set due_at = now() where state = 'pending' and lease_until is null and due_at > now()`,
  )
  await until(
    `select count(*) >= 20 as done from delivery where state = 'dead'`,
    `update delivery set failures = 9, due_at = now() where state = 'pending' and lease_until is null`,
  )
}

const describeHits = (hits: readonly (Hit & { readonly table?: string })[]) => [
  ...new Set(
    hits.map(({ canary, encoding, table }) => `${canary.field} (${canary.fieldClass}) in ${encoding}${table ? ` in ${table}` : ''}`),
  ),
]
