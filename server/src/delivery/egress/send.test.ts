import assert from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type EgressPolicy, PUBLIC_ONLY } from './egress-policy.ts'
import type { SendResult } from './exchange.ts'
import { FAILURES, type FailureSymbol, publicFailure } from './failure.ts'
import { openReceiver, type RawReceiver, type Respond } from './raw-receivers.ts'
import type { Resolver } from './resolve-host.ts'
import { createEgress, type Egress, type EgressOptions } from './send.ts'

const TIMEOUT_MS = 600
const LOOPBACK: EgressPolicy = { ...PUBLIC_ONLY, loopbackPorts: 'any' }
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  // Receivers hang up first: an egress waits for what is in the air.
  await Promise.all(open.splice(0).map((thing) => thing.close()))
})

function egressWith(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ policy: LOOPBACK, timeoutMs: TIMEOUT_MS, connectTimeoutMs: 300, ...options })
  open.push(egress)
  return egress
}

async function receiverWith(respond: Respond): Promise<RawReceiver> {
  const receiver = await openReceiver(respond)
  open.push(receiver)
  return receiver
}

function post(
  egress: Egress,
  port: number,
  { path = '/hook', pool = 'tenant/endpoint', headers = {} }: { path?: string; pool?: string; headers?: object } = {},
): Promise<SendResult> {
  return egress.send({ url: `http://127.0.0.1:${port}${path}`, method: 'POST', headers: { ...headers }, body: '{"a":1}.', pool })
}

const writes =
  (text: string | Buffer): Respond =>
  (socket) =>
    socket.write(text, 'latin1')
const endsWith =
  (text: string): Respond =>
  (socket) =>
    socket.end(text, 'latin1')

/** Writes for as long as the other side takes it. */
function pour(socket: Parameters<Respond>[0], head: string, piece: string): void {
  socket.write(head, 'latin1')
  const more = () => {
    while (!socket.destroyed && socket.write(piece, 'latin1'));
  }
  socket.on('drain', more)
  more()
}

function drip(text: string): Respond {
  return (socket) => {
    let at = 0
    const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20)
    socket.on('close', () => clearInterval(timer))
  }
}

type Verdict = Partial<Pick<SendResult, 'ok' | 'failure' | 'status' | 'bodyState'>>
const failed = (failure: FailureSymbol): Verdict => ({ ok: false, failure })
const many = (line: (i: number) => string, count: number) => Array.from({ length: count }, (_, i) => line(i)).join('')

const HOSTILE: Readonly<Record<string, readonly [Respond, Verdict]>> = {
  'closes without a word': [(socket) => socket.end(), failed('connection_reset')],
  'resets the connection': [(socket) => socket.resetAndDestroy(), failed('connection_reset')],
  'never answers': [() => {}, failed('timeout')],
  'answers after the deadline': [(socket) => void setTimeout(() => socket.write(OK), TIMEOUT_MS + 100), failed('timeout')],
  'stops in the middle of the head': [writes('HTTP/1.1 200 OK\r\ncontent-'), failed('timeout')],
  'closes in the middle of the head': [endsWith('HTTP/1.1 200 OK\r\ncontent-'), failed('connection_reset')],
  'drips its head': [drip('HTTP/1.1 200 OK\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), failed('timeout')],
  'sends no status line': [writes('hello\r\n\r\n'), failed('response_invalid')],
  'speaks HTTP/0.9': [endsWith('<html>ok</html>'), failed('response_invalid')],
  'speaks HTTP/9.9': [writes('HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'sends status 99': [writes('HTTP/1.1 99 Odd\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'sends status 600': [writes('HTTP/1.1 600 Odd\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'sends a status of text': [writes('HTTP/1.1 OK OK\r\n\r\n'), failed('response_invalid')],
  'sends 1 MB of one header': [(socket) => pour(socket, 'HTTP/1.1 200 OK\r\nx-big: ', 'a'.repeat(65_536)), failed('headers_too_large')],
  'sends 10,000 headers': [writes(`HTTP/1.1 200 OK\r\n${many((i) => `x-${i}: ${i}\r\n`, 10_000)}\r\n`), failed('headers_too_large')],
  'puts a NUL into a header': [writes('HTTP/1.1 200 OK\r\nx-nul: a\u0000b\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'puts a bare CR into a header': [writes('HTTP/1.1 200 OK\r\nx-cr: a\rb\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'folds a header': [writes('HTTP/1.1 200 OK\r\nx-fold: a\r\n b\r\ncontent-length: 0\r\n\r\n'), failed('response_invalid')],
  'names two lengths': [writes('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'), failed('response_invalid')],
  'names a length and chunks': [
    writes('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    failed('response_invalid'),
  ],
  'names a negative length': [writes('HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok'), failed('response_invalid')],
  'floods interim answers': [(socket) => pour(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)), failed('response_invalid')],
  'says 100 Continue unasked': [writes(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), failed('response_invalid')],
  'switches protocols': [writes('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'), failed('response_invalid')],
  'answers 200 with a few interim answers before': [
    writes(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3)}${OK}`),
    { ok: true, bodyState: 'complete' },
  ],
  'pours a body without end': [(socket) => pour(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)), { ok: true, bodyState: 'cut' }],
  'pours chunks without end': [
    (socket) => pour(socket, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', `10000\r\n${'x'.repeat(65_536)}\r\n`),
    { ok: true, bodyState: 'cut' },
  ],
  'announces 10 GB': [
    (socket) => pour(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n', 'x'.repeat(65_536)),
    { ok: true, bodyState: 'cut' },
  ],
  'sends a bad chunk size': [
    writes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n'),
    { ok: true, bodyState: 'broken' },
  ],
  'floods chunk extensions': [
    (socket) => pour(socket, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;', 'a=b;'.repeat(10_000)),
    { ok: true },
  ],
  'closes before the length it named': [endsWith('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok'), { ok: true, bodyState: 'broken' }],
  'sends more than the length it named': [
    writes(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${'!'.repeat(100)}`),
    { ok: true, bodyState: 'complete' },
  ],
  'resets in the middle of the body': [
    (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok', () => setTimeout(() => socket.resetAndDestroy(), 50)),
    { ok: true, bodyState: 'broken' },
  ],
  'says 200 and then nothing': [writes('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok'), { ok: true, bodyState: 'stalled' }],
  'says 500 and then nothing': [
    writes('HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nno'),
    { ok: false, failure: 'status_5xx', bodyState: 'stalled' },
  ],
  'drips a body for ever': [
    (socket, request, nth) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      drip('x')(socket, request, nth)
    },
    { ok: true, bodyState: 'stalled' },
  ],
  'sends 204 with a body': [writes('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok'), { ok: true, status: 204 }],
  'sends trailers': [
    writes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-a: b\r\n\r\n'),
    { ok: true, bodyState: 'complete' },
  ],
  'speaks HTTP/1.0 and closes': [endsWith('HTTP/1.0 200 OK\r\n\r\nok'), { ok: true, bodyState: 'complete' }],
  'says 410': [writes('HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n'), failed('status_410')],
  'says 429': [writes('HTTP/1.1 429 Slow\r\nretry-after: -1\r\ncontent-length: 0\r\n\r\n'), failed('status_429')],
  'says 404': [writes('HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n'), failed('status_4xx')],
  'says 503': [writes('HTTP/1.1 503 No\r\nretry-after: 1e99\r\ncontent-length: 0\r\n\r\n'), failed('status_5xx')],
  'says 304': [writes('HTTP/1.1 304 Same\r\n\r\n'), failed('redirect_refused')],
}

describe('a receiver that', () => {
  const count = Object.keys(HOSTILE).length
  after(() => assert.ok(count >= 25))

  for (const [name, [respond, verdict]] of Object.entries(HOSTILE)) {
    it(`${name} ends with its symbol before the deadline`, async () => {
      const receiver = await receiverWith(respond)
      const result = await post(egressWith(), receiver.port)
      const { ok, failure, status, bodyState } = result
      const seen: Verdict = { ok, ...(failure && { failure }), ...(status && { status }), ...(bodyState && { bodyState }) }
      assert.deepEqual({ ...seen, ...verdict }, seen)
      // The deadline is the promise; the rest is the slack of a busy machine.
      assert.ok(result.durationMs < TIMEOUT_MS + 400, `${result.durationMs} ms`)
      assert.ok((result.body?.length ?? 0) <= 8_192)
    })
  }

  it('sends a very long body is cut off at once and costs no memory', async () => {
    const receiver = await receiverWith((socket) => pour(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)))
    const egress = egressWith()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100; i++) {
      const { body, bodyState } = await post(egress, receiver.port)
      assert.equal(bodyState, 'cut')
      assert.deepEqual(body, Buffer.alloc(8_192, 'x'))
    }
    assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20)
  })

  it('sends two answers at once gets its next request answered by the next answer', async () => {
    const receiver = await receiverWith((socket, _request, nth) => {
      const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`
      socket.write(nth === 1 ? answer('first') + answer('forged') : answer('second'))
    })
    const egress = egressWith()
    const bodies = [await post(egress, receiver.port), await post(egress, receiver.port)].map(({ body }) => body?.toString())
    assert.deepEqual(bodies, ['first', 'second'])
  })

  it('compresses its answer is not believed: the bytes stay as they came', async () => {
    const bomb = gzipSync(Buffer.alloc(1 << 20))
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`
    const receiver = await receiverWith((socket) => {
      socket.write(head)
      socket.write(bomb)
    })
    const { body } = await post(egressWith(), receiver.port)
    assert.deepEqual(body, bomb)
    assert.match(receiver.requests[0]!, /\r\naccept-encoding: identity\r\n/)
  })

  it('sends cookies, odd names and long values leaves only what is worth keeping', async () => {
    const lines = `set-cookie: a=1\r\n__proto__: polluted\r\nx-long: ${'l'.repeat(4_000)}\r\nretry-after: 7\r\nx-two: a\r\nx-two: b\r\n`
    const receiver = await receiverWith(writes(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`))
    const { headers } = await post(egressWith(), receiver.port)
    assert.deepEqual(headers, { 'x-long': 'l'.repeat(1_024), 'retry-after': '7', 'x-two': 'a, b', 'content-length': '0' })
  })

  it('offers another address by Alt-Svc is still called at its own', async () => {
    const other = await receiverWith(writes(OK))
    const receiver = await receiverWith(
      writes(`HTTP/1.1 200 OK\r\nalt-svc: h2="127.0.0.1:${other.port}"; ma=60\r\ncontent-length: 0\r\n\r\n`),
    )
    const egress = egressWith()
    for (let i = 0; i < 3; i++) assert.equal((await post(egress, receiver.port)).ok, true)
    assert.equal(receiver.requests.length, 3)
    assert.equal(other.connections, 0)
  })
})

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
