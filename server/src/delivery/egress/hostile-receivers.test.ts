import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { closeAll, egressWith, OK, post, receiverWith, TIMEOUT_MS, writes } from './egress-fixture.ts'
import type { SendResult } from './exchange.ts'
import type { FailureSymbol } from './failure.ts'
import type { Respond } from './raw-receivers.ts'

afterEach(closeAll)

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
