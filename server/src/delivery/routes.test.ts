import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { webhookTest } from '@tenure/contract'
import type { Scope } from '../access/actor.ts'
import { systemActor } from '../access/actor.ts'
import { asAdmin, waitForOldTransactions } from '../database/test-database.ts'
import { inChange } from '../events/change.ts'
import { emit } from '../events/emit.ts'
import { bearer, createTestServer, type TestServer } from '../http/test-server.ts'
import { createLog } from '../kit/log.ts'
import { deliveryRoutes } from './delivery-routes.ts'
import { createDispatcher, type Dispatcher } from './dispatcher.ts'
import { createEgress } from './egress/send.ts'
import { endpointRoutes } from './endpoint-routes.ts'
import { eventRoutes } from './event-routes.ts'
import { drain, emitCandidate, LOOPBACK } from './testing/delivery-site.ts'
import { startReceiver, type TestReceiver } from './testing/receiver.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a client without types would.
type Json = Record<string, any>

describe('the API of endpoints, deliveries and events', () => {
  let server: TestServer
  let receiver: TestReceiver
  let dispatcher: Dispatcher
  const egress = createEgress({ policy: LOOPBACK })
  before(async () => {
    server = await createTestServer({ routes: [endpointRoutes(LOOPBACK), deliveryRoutes, eventRoutes] })
    receiver = await startReceiver()
    const { database, vault } = server.ground
    dispatcher = createDispatcher({
      database,
      vault,
      egress,
      log: createLog('silent'),
      clock: () => new Date(),
      random: () => 0.5,
      endpointFreshMs: 0,
    })
  })
  after(async () => {
    await receiver.close()
    await dispatcher.stop()
    await egress.close()
    await server.stop()
  })

  async function call(
    method: 'GET' | 'POST' | 'PATCH',
    url: string,
    { body, key = server.tenant, headers = {} }: { body?: object; key?: { key: string }; headers?: Record<string, string> } = {},
  ) {
    const reply = await server.app.inject({
      method,
      url: `/v1${url}`,
      headers: { ...bearer(key), ...headers },
      ...(body ? { payload: body } : {}),
    })
    return { status: reply.statusCode, headers: reply.headers, json: (reply.body ? reply.json() : {}) as Json }
  }
  const create = (input: object = {}, key?: { key: string }) =>
    call('POST', '/endpoints', { body: { name: 'payroll', url: receiver.url, event_types: ['*'], ...input }, ...(key ? { key } : {}) })
  const keyWith = (...scopes: Scope[]) => server.newKey(scopes)
  const pointers = ({ json }: { json: Json }) => json['errors'].map(({ pointer }: { pointer: string }) => pointer)

  it('shows the secret of an endpoint once, and neither it nor header values ever again', async () => {
    const { status, json } = await create({ custom_headers: { 'X-Token': 'very secret' } })
    assert.equal(status, 201)
    assert.match(json['secret'], /^whsec_[A-Za-z0-9+/]{43}=$/)

    const read = await call('GET', `/endpoints/${json['id']}`)
    const listed = await call('GET', '/endpoints')
    assert.equal(read.json['url'], receiver.url)
    for (const { json: shown } of [read, listed]) assert.doesNotMatch(JSON.stringify(shown), /whsec_|very secret/)
    const stored = await asAdmin(server.database.admin, async (client) => (await client.query('select * from endpoint')).rows)
    assert.doesNotMatch(JSON.stringify(stored.map((row) => [row.secret.toString(), row.custom_headers?.toString()])), /whsec_|very secret/)
  })

  it('refuses an unknown type, an ungrantable path, reserved headers and a weak secret in one answer, without quoting values', async () => {
    const { status, json } = await create({
      event_types: ['employment.started', 'employment.exploded'],
      grants: ['person.email', 'person.shoe_size'],
      custom_headers: { Host: 'x', 'webhook-signature': 'x', 'x-bad': 'line\r\nbreak-canary' },
      secret: 'whsec_c2hvcnQ=',
    })
    assert.equal(status, 422)
    assert.deepEqual(pointers({ json }), [
      '/event_types/1',
      '/grants/1',
      '/custom_headers/Host',
      '/custom_headers/webhook-signature',
      '/custom_headers/x-bad',
      '/secret',
    ])
    assert.doesNotMatch(JSON.stringify(json), /canary|c2hvcnQ/)
  })

  it('refuses a URL that the egress rules refuse', async () => {
    const { status, json } = await create({ url: 'http://169.254.169.254/latest/meta-data' })
    assert.equal(status, 422)
    assert.match(JSON.stringify(json), /endpoint-url-refused/)
  })

  it('lets nobody set up an endpoint that is sent more than they may read', async () => {
    const writer = await keyWith('endpoints:write')
    assert.equal((await create({ detail: 'changed' }, writer)).status, 201)
    assert.equal((await create({ detail: 'full' }, writer)).status, 403)
    assert.equal((await create({ grants: ['person.email'] }, writer)).status, 403)
    const owned = await create({ detail: 'full', grants: ['personal'] })
    const swap = { url: `${receiver.url}/mine` }
    assert.equal((await call('PATCH', `/endpoints/${owned.json['id']}`, { body: swap, key: writer })).status, 403)
    const wider = { event_types: ['*'] }
    assert.equal((await call('PATCH', `/endpoints/${owned.json['id']}`, { body: wider, key: writer })).status, 403)
    assert.equal((await call('PATCH', `/endpoints/${owned.json['id']}`, { body: { name: 'other' }, key: writer })).status, 200)
  })

  it('tells those who read of candidates apart from those who read of employees', async () => {
    const values = { detail: 'full', grants: ['personal'] }
    const hr = await keyWith('endpoints:write', 'employees:read', 'employees:read:personal')
    const recruiter = await keyWith('endpoints:write', 'candidates:read', 'candidates:read:personal')
    const statusOf = async (event_types: string[], key: { key: string }) => (await create({ ...values, event_types }, key)).status
    assert.deepEqual([await statusOf(['employment.*'], hr), await statusOf(['employment.*'], recruiter)], [201, 403])
    assert.deepEqual([await statusOf(['candidate.hired'], hr), await statusOf(['candidate.hired'], recruiter)], [403, 201])
    assert.deepEqual([await statusOf(['*'], hr), await statusOf(['*'], recruiter)], [403, 403])
  })

  it('never brings back the value of a header, also where the endpoint echoes it', async () => {
    const token = 'Bearer of-the-receiver-8842'
    const { json: endpoint } = await create({ event_types: ['employment.started'], custom_headers: { authorization: token } })
    receiver.answer({ status: 500, body: `cannot handle authorization: ${token}`, headers: { 'x-echo': token } })
    await call('POST', `/endpoints/${endpoint['id']}/test`)
    await drain(dispatcher)
    receiver.answer(200)
    const { json: list } = await call('GET', `/deliveries?endpoint_id=${endpoint['id']}`)
    const { json } = await call('GET', `/deliveries/${list['data'][0].id}`)
    assert.equal(json['attempt_log'][0].exchange.response.body, 'cannot handle authorization: [not kept]')
    assert.equal(json['attempt_log'][0].exchange.response.headers['x-echo'], '[not kept]')
    assert.doesNotMatch(JSON.stringify(json), /of-the-receiver/)
  })

  it('changes an endpoint only on the version that was read', async () => {
    const { json } = await create()
    const { headers } = await call('GET', `/endpoints/${json['id']}`)
    const ifMatch = { 'if-match': String(headers['etag']) }
    assert.equal((await call('PATCH', `/endpoints/${json['id']}`, { body: { state: 'paused' }, headers: ifMatch })).status, 200)
    assert.equal((await call('PATCH', `/endpoints/${json['id']}`, { body: { name: 'other' }, headers: ifMatch })).status, 412)
    assert.equal((await call('GET', `/endpoints/${json['id']}`)).json['state'], 'paused')
    assert.equal((await call('PATCH', '/endpoints/end_missing', { body: { name: 'x' } })).status, 404)
  })

  it('sends a test event to one endpoint alone, and shows delivery, attempt and exchange by scope', async () => {
    const { json: endpoint } = await create({ event_types: ['employment.started'] })
    receiver.answer({ status: 400, body: 'unknown cost centre' })
    assert.deepEqual((await call('POST', `/endpoints/${endpoint['id']}/test`)).json, { state: 'active' })
    await drain(dispatcher)

    const { json: list } = await call('GET', `/deliveries?endpoint_id=${endpoint['id']}&state=pending`)
    assert.deepEqual(
      list['data'].map((row: Json) => [row['event_type'], row['failure'], row['attempts']]),
      [['webhook.test', 'status_4xx', 1]],
    )
    const all = await call('GET', `/deliveries?event_id=${list['data'][0].event_id}`)
    assert.equal(all.json['data'].length, 1)
    const path = `/deliveries/${list['data'][0].id}`
    const { json: detailed } = await call('GET', path)
    assert.equal(detailed['attempt_log'][0].exchange.response.body, 'unknown cost centre')
    const { json: plain } = await call('GET', path, { key: await keyWith('deliveries:read') })
    assert.deepEqual([plain['attempt_log'][0].status, plain['attempt_log'][0].exchange], [400, null])

    receiver.answer(200)
    assert.equal((await call('POST', `${path}/retry`)).status, 202)
    await drain(dispatcher)
    assert.equal((await call('GET', path)).json['state'], 'delivered')
    assert.equal((await call('POST', `${path}/redrive`)).status, 409)
    assert.equal((await call('GET', path, { key: await server.newTenant() })).status, 404)
  })

  it('does not tell which network fault it was to a reader without the scope for detail', async () => {
    const { json } = await create({ url: 'http://127.0.0.1:1/', event_types: ['employment.started'] })
    await call('POST', `/endpoints/${json['id']}/test`)
    await drain(dispatcher)
    const url = `/deliveries?endpoint_id=${json['id']}`
    assert.equal((await call('GET', url)).json['data'][0].failure, 'connect_refused')
    const plain = await keyWith('deliveries:read')
    const { data } = (await call('GET', url, { key: plain })).json
    assert.equal(data[0].failure, 'unreachable')
    const timed = async (key?: { key: string }) =>
      (await call('GET', `/deliveries/${data[0].id}`, key ? { key } : {})).json['attempt_log'][0]
    assert.deepEqual([(await timed(plain)).outcome, (await timed(plain)).duration_ms], ['unreachable', null])
    assert.equal(typeof (await timed()).duration_ms, 'number')
  })

  it('pages through deliveries newest first, each exactly once', async () => {
    const { json } = await create({ event_types: ['employment.started'] })
    for (let n = 0; n < 5; n++) await call('POST', `/endpoints/${json['id']}/test`)
    const seen: string[] = []
    let cursor = ''
    do {
      const { json: listed } = await call('GET', `/deliveries?endpoint_id=${json['id']}&limit=2${cursor}`)
      seen.push(...listed['data'].map(({ id }: Json) => id))
      cursor = listed['next_cursor'] ? `&cursor=${listed['next_cursor']}` : ''
    } while (cursor)
    assert.equal(new Set(seen).size, 5)
    assert.deepEqual(seen, seen.toSorted().reverse())
  })

  it('reads the feed in order and without gaps while transactions overlap, and goes on from its end', async () => {
    const tenant = await server.newTenant()
    const actor = systemActor('test', 'test')
    const put = (name: string, hold?: Promise<void>, begun?: () => void) =>
      inChange(server.ground, tenant.tenantId, actor, async (change) => {
        // Taking a transaction id early, as any write would, and committing late.
        await change.tx.scope.run({ name: 'take-xid', text: 'select pg_current_xact_id()' }, [])
        begun?.()
        await hold
        emitCandidate(change, name, null)
      })
    const names = (json: Json) => json['data'].map((event: Json) => event['data'].person?.family_name)

    await put('first')
    await waitForOldTransactions(server.database.admin)
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const begun = Promise.withResolvers<void>()
    const slow = put('slow', held, begun.resolve)
    await begun.promise
    await put('fast')
    const { json: before } = await call('GET', '/events', { key: tenant })
    release()
    await slow
    await waitForOldTransactions(server.database.admin)
    const { json: rest } = await call('GET', `/events?cursor=${before['next_cursor']}`, { key: tenant })
    const { json: end } = await call('GET', `/events?cursor=${rest['next_cursor']}`, { key: tenant })

    assert.deepEqual(names(before), ['first'])
    assert.deepEqual(names(rest), ['slow', 'fast'])
    assert.deepEqual([end['data'], end['next_cursor'], end['has_more']], [[], rest['next_cursor'], false])
  })

  it('shows no personal value of an event to a reader without that scope, and of an erased person only that something happened', async () => {
    const { ground, tenant } = server
    const actor = systemActor('test', 'test')
    await inChange(ground, tenant.tenantId, actor, async (change) => {
      emitCandidate(change, 'Canary', null)
      emit(change, webhookTest, { data: { endpoint_id: 'end_8rFvTgByHnUjMiKoLpZaQx', message: 'x' }, personId: null })
    })
    const reader = await keyWith('events:read')
    await waitForOldTransactions(server.database.admin)
    const { json } = await call('GET', '/events?type=candidate.created', { key: reader })
    assert.equal(json['data'].length, 1)
    assert.doesNotMatch(JSON.stringify(json), /Canary/)
    const seen = async (scope: Scope) => {
      const key = await keyWith('events:read', scope)
      return JSON.stringify((await call('GET', '/events?type=candidate.created', { key })).json).includes('Canary')
    }
    assert.deepEqual([await seen('employees:read:personal'), await seen('candidates:read:personal')], [false, true])
    const { json: one } = await call('GET', `/events/${json['data'][0].id}`)
    assert.equal(one['data'].person.family_name, 'Canary')
    assert.equal((await call('GET', '/events/evt_missing')).status, 404)

    await inChange(ground, tenant.tenantId, actor, async (change) => {
      await change.vault.createPersonKeys(change.tx, ['per_1'])
      emitCandidate(change, 'Erased', 'per_1')
    })
    const destroyed = await asAdmin(server.database.admin, async (client) =>
      client.query('update event set person_id = $1 where person_id = $2', ['per_gone', 'per_1']),
    )
    assert.equal(destroyed.rowCount, 1)
    await waitForOldTransactions(server.database.admin)
    const { json: feed } = await call('GET', '/events')
    const { erased, data, type } = feed['data'].at(-1)
    assert.deepEqual([erased, data, type], [true, undefined, 'candidate.created'])
  })
})
