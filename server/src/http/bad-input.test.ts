import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { CalendarDate, PersonRecord } from '@tenure/contract'
import fc from 'fast-check'
import Type from 'typebox'
import { pageFields } from './paging.ts'
import type { RoutePlugin } from './route.ts'
import { bearer, createTestServer, type TestServer } from './test-server.ts'

const Hire = Type.Object(
  {
    start_date: CalendarDate,
    person: PersonRecord,
    positions: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, description: 'How many, from 1 to 5.' })),
    note: Type.Optional(Type.Union([Type.String({ maxLength: 20 }), Type.Null()])),
    tags: Type.Optional(Type.Array(Type.String(), { maxItems: 3, uniqueItems: true })),
    anything: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
)
const Filter = Type.Object(
  { ...pageFields, open: Type.Optional(Type.Boolean()), kinds: Type.Optional(Type.Array(Type.String())) },
  { additionalProperties: false },
)

let accepted = 0
const routes: RoutePlugin = (app, { ground }) => {
  app.post('/hires', { schema: { body: Hire, response: { 200: Type.Object({ ok: Type.Boolean() }) } } }, async () => {
    accepted += 1
    return { ok: true }
  })
  app.get('/hires', { schema: { querystring: Filter } }, async ({ query }) => query)
  app.get('/hires/:id', async () => ({ ok: true }))
  app.get('/broken', async () => {
    throw new Error('The value canary-55 was not expected.')
  })
  // A route that forgot to check: the text reaches PostgreSQL as it is.
  app.get('/unchecked/:text', async ({ tenantId, params }) =>
    ground.database.withTenant(tenantId, (tx) =>
      tx.scope.run({ name: 'unchecked', text: 'select $1::date' }, [(params as { text: string }).text]),
    ),
  )
}

const person = { given_name: 'Ada', family_name: 'Byron' }
const good = { start_date: '2026-09-01', person }

describe('bad input', () => {
  let server: TestServer
  before(async () => {
    server = await createTestServer({ routes: [routes], limits: { perKey: { perSecond: 1_000_000, burst: 1_000_000 } } })
  })
  after(() => server.stop())

  const send = (payload: string | Buffer | object, headers: Record<string, string> = {}) =>
    server.app.inject({
      method: 'POST',
      url: '/v1/hires',
      headers: { ...bearer(server.tenant), 'content-type': 'application/json', ...headers },
      payload,
    })
  const get = (url: string) => server.app.inject({ method: 'GET', url, headers: bearer(server.tenant) })

  it('does not include what is right', async () => {
    assert.equal((await send(good)).statusCode, 200)
    assert.equal((await send({ ...good, note: null, anything: { constructor: 'a word', list: ['😀'] } })).statusCode, 200)
  })

  const deep = (depth: number) => `{"start_date":"2026-09-01","person":{},"anything":${'['.repeat(depth)}${']'.repeat(depth)}}`
  const withPerson = (fields: object) => ({ ...good, person: { ...person, ...fields } })
  const table: [name: string, body: string | Buffer | object, status: number, code: string, pointer?: string][] = [
    ['a date that is not one', { ...good, start_date: '2026-02-30' }, 422, 'invalid-request', '/start_date'],
    ['a number in quotes', { ...good, positions: '3' }, 422, 'invalid-request', '/positions'],
    ['a negative count', { ...good, positions: -1 }, 422, 'invalid-request', '/positions'],
    ['a fraction where a whole number belongs', { ...good, positions: 1.5 }, 422, 'invalid-request', '/positions'],
    ['a number beyond all bounds', '{"start_date":"2026-09-01","person":{},"positions":1e999}', 422, 'invalid-request', '/positions'],
    ['a field that nobody knows', { ...good, emial: 'x' }, 422, 'invalid-request', '/emial'],
    ['an unknown field inside', withPerson({ salary: 5 }), 422, 'invalid-request', '/person/salary'],
    ['a field that is missing', { person }, 422, 'invalid-request', '/start_date'],
    ['no body', '', 422, 'invalid-request', ''],
    ['null', 'null', 422, 'invalid-request', ''],
    ['a list', '[]', 422, 'invalid-request', ''],
    ['a NUL character', withPerson({ given_name: 'A\u0000da' }), 422, 'invalid-request', '/person/given_name'],
    ['a lone surrogate', '{"start_date":"2026-09-01","person":{"given_name":"\\ud800"}}', 422, 'invalid-request', '/person/given_name'],
    ['a NUL in a name', { ...good, anything: { 'a\u0000': 1 } }, 422, 'invalid-request', '/anything/(name)'],
    ['a list element that is wrong', { ...good, anything: ['fine', '\u0000'] }, 422, 'invalid-request', '/anything/1'],
    ['__proto__', '{"start_date":"2026-09-01","person":{"__proto__":{"admin":true}}}', 400, 'invalid-json', '/person/__proto__'],
    ['constructor.prototype', { ...good, anything: { constructor: { prototype: {} } } }, 400, 'invalid-json', '/anything/constructor'],
    ['65 deep', deep(64), 400, 'invalid-json'],
    ['10,000 deep', deep(10_000), 400, 'invalid-json'],
    ['100,000 deep and never closed', '['.repeat(100_000), 400, 'invalid-json'],
    ['half a body', '{"start_date":', 400, 'invalid-json'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400, 'invalid-json'],
    ['10 MB', Buffer.alloc(10_000_000, 0x20), 413, 'body-too-large'],
  ]
  for (const [name, body, status, code, pointer] of table) {
    it(`is answered with ${status} ${code}: ${name}`, async () => {
      accepted = 0
      const reply = await send(body)

      assert.equal(reply.statusCode, status, reply.body)
      assert.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8')
      const problem = reply.json()
      assert.equal(problem.code, code)
      assert.equal(problem.type, `/errors/${code}`)
      assert.equal(problem.instance, reply.headers['x-request-id'])
      if (pointer !== undefined) {
        const fault = problem.errors.find((one: { pointer: string }) => one.pointer === pointer)
        assert.ok(fault, `${pointer} is not among ${reply.body}`)
        assert.ok(fault.message.length > 0 && fault.mend.length > 0)
      }
      assert.equal(accepted, 0)
    })
  }

  it('is taken to 64 levels', async () => {
    const reply = await send(deep(63))
    assert.deepEqual(
      reply.json().errors.map(({ pointer }: { pointer: string }) => pointer),
      ['/person/given_name', '/person/family_name'],
    )
  })

  it('of far too many equal list elements is refused for their number alone, before anybody compares them', async () => {
    const { errors } = (await send({ ...good, tags: Array.from({ length: 60_000 }, () => 'a') })).json()
    assert.deepEqual(errors, [{ pointer: '/tags', message: 'must not have more than 3 items', mend: 'Send fewer.' }])
    assert.equal((await send({ ...good, tags: ['a', 'b', 'a'] })).json().errors[0].pointer, '/tags')
    assert.equal((await send({ ...good, tags: ['a', 'b', 'c'] })).statusCode, 200)
  })

  it('says what the schema says of a field', async () => {
    const [fault] = (await send({ ...good, positions: 9 })).json().errors
    assert.equal(fault.mend, 'How many, from 1 to 5.')
  })

  it('never has its values in the answer or in the log', async () => {
    const canary = 'canary-8842'
    await send(withPerson({ email: canary, birth_date: canary, phone: `${canary}\u0000`, nationality: canary }))
    await send(withPerson({ nationality: canary, gender: canary.repeat(9), address: { lines: canary } }))
    await send({ ...good, [`${canary} Byron`]: 1, note: canary.repeat(3) })
    await send(`{"start_date": ${canary}`)
    await get(`/v1/hires/${canary}%00`)
    await get(`/v1/hires?cursor=${canary}&open=${canary}`)
    await get(`/v1/unchecked/${canary}`)
    await get('/v1/broken?name=canary-55')
    const replies = await Promise.all([
      send(withPerson({ email: canary, nationality: canary })),
      send({ ...good, [`${canary} Byron`]: 1 }),
      send(`{"start_date": ${canary}`),
      get(`/v1/unchecked/${canary}`),
      get(`/v1/hires/${canary}%00`),
    ])
    for (const { body, statusCode } of replies) {
      assert.ok(statusCode >= 400 && statusCode < 500, body)
      assert.ok(!body.includes(canary), body)
    }
    const log = server.logLines().join('')
    assert.ok(log.includes('"status":422'))
    assert.ok(!log.includes(canary))
    assert.ok(!log.includes('name=canary-55'))
  })

  it('in path and query is held to the same rules, and numbers are read exactly', async () => {
    for (const [url, pointer] of [
      ['/v1/hires/a%00b', '/path/id'],
      ['/v1/hires?cursor=%00', '/query/cursor'],
      ['/v1/hires?limit=1.5', '/query/limit'],
      ['/v1/hires?limit=0x10', '/query/limit'],
      ['/v1/hires?limit=', '/query/limit'],
      ['/v1/hires?limit=201', '/query/limit'],
      ['/v1/hires?limit=5&limit=6', '/query/limit'],
      ['/v1/hires?open=yes', '/query/open'],
      ['/v1/hires?unknown=1', '/query/unknown'],
      ['/v1/hires?__proto__=1', '/query/__proto__'],
    ] as const) {
      const reply = await get(url)
      assert.equal(reply.statusCode, 422, `${url} ${reply.body}`)
      assert.equal(reply.json().errors[0].pointer, pointer)
    }
    assert.deepEqual((await get('/v1/hires?limit=7&open=true&kinds=a&kinds=b')).json(), { limit: 7, open: true, kinds: ['a', 'b'] })
    assert.deepEqual((await get('/v1/hires?kinds=a')).json(), { limit: 50, kinds: ['a'] })
  })

  it('that only the database notices is the caller’s to mend', async () => {
    const reply = await get('/v1/unchecked/not-a-date')
    assert.equal(reply.statusCode, 422)
    assert.equal(reply.json().code, 'value-not-storable')
  })

  it('does not include our own mistakes: they are answered without a word about them, and explained in the log', async () => {
    const reply = await get('/v1/broken')
    assert.equal(reply.statusCode, 500)
    assert.equal(reply.json().code, 'internal-error')
    assert.ok(!reply.body.includes('canary-55'))
    assert.ok(server.logLines().some((line) => line.includes('request.failed') && line.includes(reply.json().instance)))
  })

  it('of another media type, path or method has its own answer', async () => {
    assert.equal((await send('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).json().code, 'media-type-not-supported')
    assert.equal((await send('{}', { 'content-type': 'text/plain' })).statusCode, 415)
    assert.equal((await get('/v1/nothing')).json().code, 'no-such-route')
    assert.equal((await get('/v1/hires/%E0%A4%A')).json().code, 'bad-request')
    assert.equal((await get(`/v1/hires/${'x'.repeat(300)}`)).json().code, 'bad-request')
    const wrongMethod = await server.app.inject({ method: 'DELETE', url: '/v1/hires/hir_1?x=1' })
    assert.equal(wrongMethod.statusCode, 405)
    assert.equal(wrongMethod.headers['allow'], 'GET, HEAD')
  })

  it('of any JSON at all is never a 5xx', async () => {
    const naughty = fc.oneof(
      fc.json(),
      fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify({ ...good, anything: value, note: value })),
      fc.string(),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(naughty, async (text) => (await send(text)).statusCode < 500),
      { numRuns: 300 },
    )
  })

  it('over a real socket: 10 MB, broken HTTP and huge headers are answered, and the server goes on', async () => {
    const url = await server.app.listen({ port: 0, host: '127.0.0.1' })
    const port = Number(new URL(url).port)
    const head = `POST /v1/hires HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.tenant.key}\r\ncontent-type: application/json\r\n`
    const tooLarge = await exchange(port, [`${head}content-length: 10000000\r\n\r\n`, Buffer.alloc(300_000, 0x20)])
    assert.match(tooLarge, /^HTTP\/1\.1 413 /)
    assert.match(tooLarge, /"code":"body-too-large"/)
    const chunked = await exchange(port, [
      `${head}transfer-encoding: chunked\r\n\r\n`,
      `${(300_000).toString(16)}\r\n`,
      Buffer.alloc(300_000, 0x20),
      '\r\n0\r\n\r\n',
    ])
    assert.match(chunked, /^HTTP\/1\.1 413 /)
    const broken = await exchange(port, ['GET / HTTP/9.9\r\n\r\n'])
    assert.match(broken, /^HTTP\/1\.1 400 [\s\S]*"code":"bad-request"/)
    const headers = await exchange(port, [`GET /health/live HTTP/1.1\r\nhost: x\r\nx-large: ${'y'.repeat(40_000)}\r\n\r\n`])
    assert.match(headers, /^HTTP\/1\.1 400 /)
    assert.match(await exchange(port, ['GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n']), /^HTTP\/1\.1 200 /)
  })

  it('that drips is cut off, on a path that nobody asks a key for as well', { timeout: 10_000 }, async () => {
    const hasty = await createTestServer({ routes: [routes], limits: { bodyMs: 50 } })
    const { port } = new URL(await hasty.app.listen({ port: 0, host: '127.0.0.1' }))
    const rest = `content-type: application/json\r\nauthorization: Bearer ${hasty.tenant.key}\r\ncontent-length: 100\r\n\r\n{`
    for (const path of ['/v1/hires', '/nowhere']) {
      assert.doesNotMatch(await exchange(Number(port), [`POST ${path} HTTP/1.1\r\nhost: x\r\n${rest}`]), /^HTTP\/1\.1 2/)
    }
    const whole = JSON.stringify(good)
    const reply = await hasty.app.inject({
      method: 'POST',
      url: '/v1/hires',
      headers: { ...bearer(hasty.tenant), 'content-type': 'application/json' },
      payload: whole,
    })
    assert.equal(reply.statusCode, 200)
    await hasty.stop()
  })
})

/** Sends raw bytes and returns what came back until the other side closed, or until the first whole answer. */
function exchange(port: number, parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part)
    })
    socket.on('data', (chunk) => {
      text += chunk
      if (/\r\n\r\n[\s\S]*\}$/.test(text)) socket.end()
    })
    // A server that refuses early may reset the connection while we still write; what it said before that counts.
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}
