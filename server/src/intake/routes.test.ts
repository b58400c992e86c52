import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { systemActor } from '../access/actor.ts'
import { inChange } from '../events/change.ts'
import { bearer, createTestServer, type TestServer } from '../http/test-server.ts'
import { createLog } from '../kit/log.ts'
import { createLegalEntity } from '../people/organisation/create-unit.ts'
import { applyImportsOnce } from './apply-imports.ts'
import { listImports } from './queries.ts'
import { importRoutes } from './routes.ts'

const CSV = 'external_id,given_name,family_name,start_date,extra\n1,Ada,Byron,2020-01-01,x\n2,,Roe,2020-01-01,x\n3,Bob,Roe,2020-02-30,x\n'
const IMPORT = '/imports?kind=employees'

describe('the API of imports', () => {
  let server: TestServer
  before(async () => {
    server = await createTestServer({ routes: [importRoutes] })
    await inChange(server.ground, server.tenant.tenantId, systemActor('test', 'test'), (change) =>
      createLegalEntity(change, { code: 'main', name: 'Example', country: 'DE' }),
    )
  })
  after(() => server.stop())

  async function call(
    method: 'GET' | 'POST',
    path: string,
    { csv, headers = {}, key = server.tenant }: { csv?: string; headers?: Record<string, string>; key?: { key: string } } = {},
  ) {
    const reply = await server.app.inject({
      method,
      url: `/v1${path}`,
      headers: { ...bearer(key), ...(csv === undefined ? {} : { 'content-type': 'text/csv' }), ...headers },
      ...(csv === undefined ? {} : { payload: csv }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers are read as a client without types would.
    return { status: reply.statusCode, headers: reply.headers, json: (reply.body ? reply.json() : {}) as any }
  }
  const apply = async () => {
    while ((await applyImportsOnce(server.ground, createLog('silent'))) > 0);
  }

  it('takes a file in, applies it, and pages through its bad rows', async () => {
    const { status, headers, json } = await call('POST', IMPORT, { csv: CSV })
    assert.deepEqual([status, json.state, headers.location], [202, 'applying', `/v1/imports/${json.id}`])
    await apply()
    const read = await call('GET', `/imports/${json.id}`)
    assert.deepEqual([read.json.state, read.json.rows, read.json.progress], ['done', { total: 3, applied: 1, unchanged: 0, bad: 2 }, 1])
    assert.deepEqual(read.json.ignored_columns, ['extra'])
    const first = await call('GET', `/imports/${json.id}/bad_rows?limit=1`)
    assert.deepEqual([first.json.data[0].line, first.json.data[0].faults[0].column], [3, 'given_name'])
    const second = await call('GET', `/imports/${json.id}/bad_rows?cursor=${first.json.next_cursor}`)
    assert.deepEqual([second.json.data[0].line, second.json.next_cursor], [4, null])
    assert.equal((await call('GET', '/imports')).json.data[0].id, json.id)
  })

  it('takes the mapping of the columns from a header', async () => {
    const map = Buffer.from(
      JSON.stringify({ columns: { no: 'external_id', since: 'start_date' }, constants: { family_name: 'Roe' } }),
    ).toString('base64url')
    const { json } = await call('POST', IMPORT, { csv: 'no;given_name;since\n9;Ada;2020-01-01\n', headers: { 'tenure-import-map': map } })
    await apply()
    assert.equal((await call('GET', `/imports/${json.id}`)).json.rows.applied, 1)
    for (const bad of [
      '%%%',
      Buffer.from('{"columns":[]}').toString('base64url'),
      Buffer.from('{"__proto__":{"x":1},"nope":1}').toString('base64url'),
    ]) {
      const refused = await call('POST', IMPORT, { csv: CSV, headers: { 'tenure-import-map': bad } })
      assert.deepEqual([refused.status, refused.json.code], [422, 'import-mapping-not-valid'])
    }
  })

  it('answers the same import to the same idempotency key, and refuses it for another', async () => {
    const headers = { 'idempotency-key': 'import-1' }
    const first = await call('POST', IMPORT, { csv: CSV, headers })
    const second = await call('POST', IMPORT, { csv: CSV, headers })
    assert.deepEqual([second.status, second.json.id, second.headers['idempotency-replayed']], [202, first.json.id, 'true'])
    const other = await call('POST', `${IMPORT}&dry_run=true`, { csv: CSV, headers })
    assert.deepEqual([other.status, other.json.code], [422, 'idempotency-key-reused'])
    await apply()
  })

  it('asks for the scopes of what it changes', async () => {
    const importsOnly = await server.newKey(['imports:write', 'imports:read'])
    const refused = await call('POST', IMPORT, { csv: CSV, key: importsOnly })
    assert.deepEqual([refused.status, refused.json.code], [403, 'not-allowed'])
    const employeesOnly = await server.newKey(['employees:write'])
    assert.equal((await call('POST', IMPORT, { csv: CSV, key: employeesOnly })).status, 403)
    assert.equal((await call('GET', '/imports', { key: employeesOnly })).status, 403)
  })

  it('cancels, once', async () => {
    const { json } = await call('POST', IMPORT, { csv: CSV })
    const cancelled = await call('POST', `/imports/${json.id}/cancel`)
    assert.deepEqual([cancelled.status, cancelled.json.state], [200, 'cancelled'])
    assert.equal((await call('POST', `/imports/${json.id}/cancel`)).json.code, 'import-settled')
    assert.equal((await call('GET', '/imports/imp_0000000000000000000000')).json.code, 'import-not-found')
  })

  it('refuses other types of body, unknown kinds and headers that do not fit, with what to mend', async () => {
    assert.equal((await call('POST', IMPORT, { csv: '{}', headers: { 'content-type': 'application/json' } })).status, 415)
    assert.equal((await call('POST', '/imports?kind=robots', { csv: CSV })).status, 422)
    const refused = await call('POST', IMPORT, { csv: 'Ada,Byron,1990-01-01\n' })
    assert.deepEqual([refused.status, refused.json.code], [422, 'import-columns-not-valid'])
    assert.ok(!JSON.stringify(refused.json).includes('Byron'))
  })

  it('takes more than the limit of other bodies, and fails an upload that breaks off', async () => {
    await server.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = server.app.server.address() as { port: number }
    const options = {
      port,
      method: 'POST',
      path: `/v1${IMPORT}&system=wire`,
      headers: { ...bearer(server.tenant), 'content-type': 'text/csv' },
    }
    const rows = Array.from({ length: 9_000 }, (_, i) => `w${i},Ada,Byron,2020-01-01,${'x'.repeat(80)}\n`).join('')
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(options, (reply) => resolve(reply.resume().statusCode))
      sent.on('error', reject)
      sent.end(`${CSV.split('\n')[0]}\n${rows}`)
    })
    assert.equal(status, 202)
    const refused = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const sent = httpRequest(options, (reply) => {
        reply.setEncoding('utf8').on('data', (text: string) => resolve([reply.statusCode, text]))
      })
      sent.on('error', reject)
      sent.end(`no,columns\n${rows.repeat(5)}`)
    })
    assert.deepEqual([refused[0], JSON.parse(refused[1]).code], [422, 'import-columns-not-valid'])
    const broken = httpRequest(options)
    broken.on('error', () => {})
    broken.write(`${CSV.split('\n')[0]}\n${rows}`)
    const latest = () =>
      server.database.withTenant(
        server.tenant.tenantId,
        async (tx) => (await listImports(tx, systemActor('test', 'test'), undefined, 1))[0]!,
      )
    for (let tries = 0; tries < 2_000 && (await latest()).failure === null; tries++) {
      const { state, rows } = await latest()
      if (state === 'receiving' && rows.total > 500) broken.destroy()
    }
    assert.deepEqual([(await latest()).state, (await latest()).failure], ['failed', 'not-received-whole'])
    // Whoever hangs up makes no mistake of ours, and must not ring our alarms.
    const alarmed = () => server.logLines().some((line) => line.includes('request.failed'))
    for (let tries = 0; tries < 100 && !alarmed(); tries++) await latest()
    assert.ok(!alarmed())
  })
})
