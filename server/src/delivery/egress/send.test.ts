import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { closeAll, egressWith, OK, post, receiverWith, writes } from './egress-fixture.ts'
import { PUBLIC_ONLY } from './egress-policy.ts'
import { FAILURES, type FailureSymbol, publicFailure } from './failure.ts'
import { openReceiver } from './raw-receivers.ts'
import { createSystemResolver, type Resolver } from './resolve-host.ts'
import type { EgressOptions } from './send.ts'

afterEach(closeAll)

describe('a redirect', () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it(`${status} is a failure, and its target is never called`, async () => {
      const canary = await receiverWith(writes(OK))
      const targets = ['http://127.0.0.1', 'http://2130706433', 'http://localhost', '//127.0.0.1', 'http://0x7f.1']
      const receiver = await receiverWith((socket, request) => {
        const location = request.startsWith('POST /self') ? '/again' : `${targets[Number(request.slice(6, 7))]}:${canary.port}/`
        socket.write(`HTTP/1.1 ${status} Moved\r\nlocation: ${location}\r\nrefresh: 0; url=${location}\r\ncontent-length: 0\r\n\r\n`)
      })
      const egress = egressWith()
      for (const path of [...targets.map((_, index) => `/${index}`), '/self']) {
        const result = await post(egress, receiver.port, { path })
        assert.equal(result.failure, 'redirect_refused')
        assert.equal(result.status, status)
      }
      assert.equal(receiver.requests.length, targets.length + 1)
      assert.equal(canary.connections, 0)
    })
  }
})

describe('a name', () => {
  const send = (resolver: Resolver, options: Partial<EgressOptions> = {}) => {
    return egressWith({ policy: PUBLIC_ONLY, resolver, ...options }).send({
      url: 'https://hook.test/',
      method: 'POST',
      headers: {},
      body: '.',
      pool: 'p',
    })
  }
  const inside = { address: '127.0.0.1', family: 4 }
  const answers = Array.from({ length: 10_000 }, (_, i) => ({ address: `8.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, family: 4 }))

  it('that does not exist fails as dns_failed', async () => {
    const missing: Resolver = () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }))
    assert.equal((await send(missing)).failure, 'dns_failed')
  })
  it('whose server never answers fails as dns_failed', async () =>
    assert.equal((await send(() => new Promise(() => {}))).failure, 'dns_failed'))
  it('with no answers fails as dns_failed', async () => assert.equal((await send(async () => [])).failure, 'dns_failed'))
  it('with one inside address among 10,000 is blocked', async () =>
    assert.equal((await send(async () => [...answers, inside])).failure, 'blocked_address'))

  it('is tried at its next address when the first refuses, and keeps its Host', async () => {
    const receiver = await receiverWith(writes(OK))
    const egress = egressWith({ resolver: async () => [{ address: '::1', family: 6 }, { address: '127.0.0.2', family: 4 }, inside] })
    const result = await egress.send({ url: `http://hook.test:${receiver.port}/x?y=z`, method: 'POST', headers: {}, body: '.', pool: 'p' })
    assert.equal(result.ok, true)
    assert.match(receiver.requests[0]!, new RegExp(`^POST /x\\?y=z HTTP/1.1\r\nhost: hook.test:${receiver.port}\r\n`))
  })

  it('of a private target may mix in no address that is not allowed', async () => {
    const receiver = await receiverWith(writes(OK))
    const egress = egressWith({ resolver: async () => [inside, { address: '10.0.0.1', family: 4 }] })
    const result = await egress.send({ url: `http://hook.test:${receiver.port}/`, method: 'POST', headers: {}, body: '.', pool: 'p' })
    assert.equal(result.failure, 'blocked_address')
    assert.equal(receiver.connections, 0)
  })
})

describe('the way out', () => {
  it('keeps a connection per owner and shares none between owners', async () => {
    const receiver = await receiverWith(writes(OK))
    const egress = egressWith({ connectionsPerOrigin: 1 })
    for (let i = 0; i < 5; i++) await post(egress, receiver.port, { pool: 'tenant/a' })
    assert.equal(receiver.connections, 1)
    for (let i = 0; i < 5; i++) await post(egress, receiver.port, { pool: 'tenant/b' })
    assert.equal(receiver.connections, 2)
  })

  it('resolves names by the system, and one name once for connections that open together', async () => {
    const receiver = await receiverWith(writes(OK))
    const resolver = createSystemResolver()
    assert.equal(resolver('localhost'), resolver('localhost'))
    const egress = egressWith({ resolver })
    const send = () => egress.send({ url: `http://localhost:${receiver.port}/`, method: 'POST', headers: {}, body: '.', pool: 'p' })
    assert.deepEqual(
      (await Promise.all([send(), send()])).map(({ ok }) => ok),
      [true, true],
    )
  })

  it('lets the longest unused owner go when there are too many', async () => {
    const receiver = await receiverWith(writes(OK))
    const egress = egressWith({ maxPools: 2 })
    for (const pool of ['a', 'b', 'a', 'c', 'a', 'b']) assert.equal((await post(egress, receiver.port, { pool })).ok, true)
    assert.equal(receiver.connections, 4)
  })

  it('never sends a request whose time ran out while it waited for a connection', async () => {
    const receiver = await receiverWith(() => {})
    const egress = egressWith({ connectionsPerOrigin: 1 })
    const results = await Promise.all([post(egress, receiver.port, { path: '/1' }), post(egress, receiver.port, { path: '/2' })])
    assert.deepEqual(
      results.map(({ failure }) => failure),
      ['timeout', 'timeout'],
    )
    await egress.close()
    assert.deepEqual(
      receiver.requests.map((request) => request.slice(0, 7)),
      ['POST /1'],
    )
  })

  it('refuses headers that frame the message or name another host, and goes on', async () => {
    const receiver = await receiverWith(writes(OK))
    const egress = egressWith({ connectionsPerOrigin: 2 })
    const bad = [
      { Host: 'inside' },
      { 'content-length': '5' },
      { 'Transfer-Encoding': 'chunked' },
      { connection: 'close' },
      { expect: '100-continue' },
    ]
    const worse = [
      { 'x-a': 'b\r\nx-c: d' },
      { 'x-a\r\nx-c': 'd' },
      { 'x-a': 'é€' },
      { '': 'a' },
      { 'x a': 'b' },
      { 'accept-encoding': 'gzip' },
    ]
    for (const headers of [...bad, ...worse]) assert.equal((await post(egress, receiver.port, { headers })).failure, 'request_invalid')
    assert.equal((await post(egress, receiver.port)).ok, true)
    assert.equal(receiver.requests.length, 1)
  })

  it('refuses a URL that the policy refuses, without a look-up', async () => {
    let lookups = 0
    const resolver: Resolver = async () => {
      lookups++
      return []
    }
    const egress = egressWith({ policy: PUBLIC_ONLY, resolver })
    for (const url of ['http://hook.test/', 'https://127.0.0.1/', 'https://u:p@hook.test/', 'nonsense']) {
      assert.equal((await egress.send({ url, method: 'POST', headers: {}, body: '.', pool: 'p' })).failure, 'url_refused')
    }
    assert.equal(lookups, 0)
  })

  it('says connect_refused for a closed port', async () => {
    const receiver = await openReceiver(() => {})
    await receiver.close()
    assert.equal((await post(egressWith(), receiver.port)).failure, 'connect_refused')
  })

  it('finishes what is in the air when it closes, and sends nothing afterwards', async () => {
    const receiver = await receiverWith((socket) => void setTimeout(() => socket.write(OK), 50))
    const egress = egressWith()
    const inTheAir = post(egress, receiver.port)
    await egress.close()
    assert.equal((await inTheAir).ok, true)
    assert.equal((await post(egress, receiver.port)).failure, 'interrupted')
    assert.equal(receiver.requests.length, 1)
  })

  it('tells a caller without the scope one thing for refused, blocked and unresolved', () => {
    const symbols = Object.keys(FAILURES) as FailureSymbol[]
    const hidden = symbols.filter((symbol) => publicFailure(symbol) === 'unreachable')
    assert.deepEqual(hidden, ['dns_failed', 'blocked_address', 'connect_refused', 'connect_failed', 'connect_timeout'])
  })
})
