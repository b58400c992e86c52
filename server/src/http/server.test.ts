import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newApiKey } from '../access/api-key.ts'
import { auditRoutes } from './audit-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { startMetricsServer } from './metrics.ts'
import { bearer, createTestServer, type TestServer, type TestTenant } from './test-server.ts'

const generous = { perSecond: 1_000_000, burst: 1_000_000 }

describe('the HTTP server', () => {
  let server: TestServer
  before(async () => {
    server = await createTestServer({
      routes: [keyRoutes, auditRoutes],
      limits: { perKey: generous, refusedPerAddress: generous },
      readiness: [async () => (failing ? 'The dispatcher has stopped.' : undefined)],
    })
  })
  after(() => server.stop())
  let failing = false

  const call = (method: 'GET' | 'POST' | 'DELETE', url: string, tenant: { key: string } = server.tenant, payload?: object) =>
    server.app.inject({ method, url, headers: bearer(tenant), ...(payload ? { payload } : {}) })
  const newKey = (body: object, tenant?: { key: string }) =>
    call('POST', '/v1/api_keys', tenant, { name: 'payroll', scopes: ['employees:read'], ...body })

  it('asks for a key below /v1, with a challenge, and asks the database nothing about one that is mistyped', async () => {
    await server.app.ready()
    const asked = server.keyQuestions()
    for (const headers of [
      {},
      { authorization: 'Bearer tnr_live_short' },
      { authorization: `Bearer ${server.tenant.key.slice(0, -1)}~` },
    ]) {
      const reply = await server.app.inject({ url: '/v1/api_keys', headers })
      assert.equal(reply.statusCode, 401)
      assert.equal(reply.json().code, 'unauthenticated')
      assert.equal(reply.headers['www-authenticate'], 'Bearer realm="tenure"')
    }
    assert.equal(server.keyQuestions(), asked)
  })

  it('refuses before it reads the body', async () => {
    const reply = await server.app.inject({
      method: 'POST',
      url: '/v1/api_keys',
      payload: '{broken',
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(reply.statusCode, 401)
  })

  it('shows a new key once, and never again', async () => {
    const made = await newKey({})
    assert.equal(made.statusCode, 201)
    const { id, key } = made.json()
    assert.match(key, /^tnr_live_/)
    assert.equal(made.headers['location'], `/v1/api_keys/${id}`)

    const shown = await call('GET', `/v1/api_keys/${id}`)
    const listed = await call('GET', '/v1/api_keys?limit=200')
    for (const { body } of [shown, listed]) assert.ok(!body.includes(key.slice(13)))
    assert.deepEqual(shown.json().scopes, ['employees:read'])
    assert.equal(shown.json().created_by, server.tenant.keyId)
  })

  it('holds a key to its scopes', async () => {
    const { key } = (await newKey({ scopes: ['keys:read', 'audit:read'] })).json()
    assert.equal((await call('GET', '/v1/api_keys', { key })).statusCode, 200)
    const refused = await newKey({}, { key })
    assert.equal(refused.statusCode, 403)
    assert.equal(refused.json().code, 'not-allowed')
    assert.match(refused.json().detail, /`keys:write`/)
    const blind = (await newKey({ scopes: ['employees:read'] })).json()
    assert.equal((await call('GET', '/v1/audit_entries', blind)).statusCode, 403)
    assert.equal((await call('GET', '/v1/api_keys', blind)).statusCode, 403)
  })

  it('answers for a key of another tenant, byte for byte, as for one that does not exist', async () => {
    const other = await server.newTenant()
    const missing = 'key_0000000000000000000000'
    const same = (reply: { statusCode: number; body: string }) => ({ status: reply.statusCode, body: reply.body.replace(/req_\w+/, 'req') })
    for (const method of ['GET', 'DELETE'] as const) {
      const foreign = await call(method, `/v1/api_keys/${server.tenant.keyId}`, other)
      assert.equal(foreign.statusCode, 404)
      assert.deepEqual(same(foreign), same(await call(method, `/v1/api_keys/${missing}`, other)))
    }
    assert.equal((await call('GET', '/v1/api_keys')).statusCode, 200)
  })

  it('lists by pages that hold every row once, also when keys are made meanwhile', async () => {
    const tenant = await server.newTenant()
    const made = [tenant.keyId]
    for (let count = 0; count < 9; count++) made.push((await newKey({}, tenant)).json().id)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: { data: { id: string }[]; next_cursor: string | null } = (
        await call('GET', `/v1/api_keys?limit=3${cursor ? `&cursor=${cursor}` : ''}`, tenant)
      ).json()
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.next_cursor
      await newKey({}, tenant)
    } while (cursor)
    assert.deepEqual(seen.toSorted(), made.toSorted())
    assert.equal((await call('GET', '/v1/api_keys?cursor=nonsense', tenant)).json().code, 'cursor-not-valid')
  })

  it('revokes a key, again without harm, and tells who did it', async () => {
    const { id } = (await newKey({})).json()
    for (let times = 0; times < 2; times++) assert.equal((await call('DELETE', `/v1/api_keys/${id}`)).statusCode, 204)
    assert.notEqual((await call('GET', `/v1/api_keys/${id}`)).json().revoked_at, null)

    const { data } = (await call('GET', `/v1/audit_entries?subject_id=${id}`)).json()
    assert.deepEqual(
      data.map(({ action }: { action: string }) => action),
      ['api_key.revoke', 'api_key.create'],
    )
    assert.deepEqual(data[1].actor, { type: 'api_key', id: server.tenant.keyId })
    assert.deepEqual(data[1].fields, ['name', 'scopes', 'expires_at'])
    assert.match(data[1].request_id, /^req_/)
    assert.equal(data[1].remote_address, '127.0.0.1')
    const other = await server.newTenant()
    assert.deepEqual((await call('GET', `/v1/audit_entries?subject_id=${id}`, other)).json().data, [])
  })

  it('gives every answer an id, and headers that keep a browser from doing anything with it', async () => {
    for (const url of ['/health/live', '/v1/api_keys', '/nothing']) {
      const { headers } = await call('GET', url)
      assert.match(String(headers['x-request-id']), /^req_[0-9A-Za-z]{22}$/)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
      assert.equal(headers['cache-control'], 'no-store')
    }
  })

  it('writes one line for each request, with ids and the pattern of the route, and no address', async () => {
    const before = server.logLines().length
    await call('GET', `/v1/api_keys/${server.tenant.keyId}?secret=canary-1`)
    const lines = server
      .logLines()
      .slice(before)
      .map((line) => JSON.parse(line))
    assert.equal(lines.length, 1)
    const { method, route, status, tenant, credential, requestId, ms } = lines[0]
    assert.deepEqual({ method, route, status }, { method: 'GET', route: '/v1/api_keys/:id', status: 200 })
    assert.deepEqual({ tenant, credential }, { tenant: server.tenant.tenantId, credential: server.tenant.keyId })
    assert.match(requestId, /^req_/)
    assert.equal(typeof ms, 'number')
    assert.ok(!server.logLines().join('').includes('canary-1'))
    assert.ok(!server.logLines().join('').includes(server.tenant.key))
  })

  it('is ready while everything works, and says what does not', async () => {
    assert.deepEqual((await server.app.inject('/health/live')).json(), { status: 'ok', reasons: [] })
    assert.deepEqual((await server.app.inject('/health/ready')).json(), { status: 'ok', reasons: [] })
    failing = true
    const reply = await server.app.inject('/health/ready')
    failing = false
    assert.equal(reply.statusCode, 503)
    assert.deepEqual(reply.json(), { status: 'not_ready', reasons: ['The dispatcher has stopped.'] })
  })

  it('counts requests by pattern and class of status, on a listener of its own', async () => {
    const listener = await startMetricsServer(server.metrics, { port: 0 })
    try {
      await call('GET', '/v1/api_keys?limit=0')
      const text = await (await fetch(listener.url)).text()
      assert.match(text, /tenure_http_request_seconds_count\{method="GET",route="\/v1\/api_keys",status="4xx"\} [1-9]/)
      assert.match(text, /process_resident_memory_bytes/)
      assert.equal((await fetch(listener.url.replace('/metrics', '/'))).status, 404)
      assert.equal((await server.app.inject('/metrics')).statusCode, 404)
    } finally {
      await listener.close()
    }
  })
})

describe('the rate limit', () => {
  let server: TestServer
  let other: TestTenant
  const slow = { perSecond: 0.001, burst: 5 }
  before(async () => {
    server = await createTestServer({ routes: [keyRoutes], limits: { perKey: slow, refusedPerAddress: slow } })
    other = await server.newTenant()
  })
  after(() => server.stop())

  const call = (key: string) => server.app.inject({ url: '/v1/api_keys', headers: { authorization: `Bearer ${key}` } })

  it('holds a key back after its burst, says for how long, and leaves other keys alone', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => call(server.tenant.key)))
    assert.deepEqual(replies.map(({ statusCode }) => statusCode).toSorted(), [200, 200, 200, 200, 200, 429, 429, 429])
    const refused = replies.find(({ statusCode }) => statusCode === 429)!
    assert.equal(refused.json().code, 'rate-limited')
    assert.ok(Number(refused.headers['retry-after']) >= 1)
    assert.equal(refused.headers['ratelimit-remaining'], '0')
    assert.equal((await call(other.key)).headers['ratelimit-remaining'], '4')
  })

  it('holds an address back that tries keys, before they cost more statements, and leaves a key that is in use alone', async () => {
    const asked = server.keyQuestions()
    for (let tries = 0; tries < 20; tries++) await call(newApiKey())
    assert.equal(server.keyQuestions() - asked, slow.burst)
    assert.equal((await call(newApiKey())).statusCode, 429)
    assert.equal((await call('tnr_live_mistyped')).statusCode, 401)
  })
})
