import assert from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { type EgressPolicy, PUBLIC_ONLY } from './egress-policy.ts'
import type { SendResult } from './exchange.ts'
import type { FailureSymbol } from './failure.ts'
import { type CertificateOptions, createAuthority, openReceiver, openTlsReceiver, type RawReceiver, type Respond } from './raw-receivers.ts'
import { createEgress, type EgressOptions } from './send.ts'

const LOOPBACK: EgressPolicy = { ...PUBLIC_ONLY, loopbackPorts: 'any' }
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const authority = createAuthority()
const skip = authority ? false : 'the openssl command is not there'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()))
})
after(() => authority?.remove())

const answer: Respond = (socket) => socket.write(OK)

async function receiverWith(options: TlsOptions, respond = answer): Promise<RawReceiver> {
  const receiver = await openTlsReceiver(options, respond)
  open.push(receiver)
  return receiver
}

function post(port: number, options: Partial<EgressOptions> = {}, host = 'hook.test'): Promise<SendResult> {
  const resolver = async () => [{ address: '127.0.0.1', family: 4 }]
  const egress = createEgress({ policy: LOOPBACK, resolver, timeoutMs: 2_000, connectTimeoutMs: 800, ca: authority!.cert, ...options })
  open.push(egress)
  return egress.send({ url: `https://${host}:${port}/hook`, method: 'POST', headers: {}, body: '{}.', pool: 'p' })
}

/** Certificates that must be refused for hook.test. */
const REFUSED: Readonly<Record<string, CertificateOptions>> = {
  'has expired': { names: 'DNS:hook.test', from: '20200101000000Z', until: '20200201000000Z' },
  'is not valid yet': { names: 'DNS:hook.test', from: '20490101000000Z' },
  'names another host': { names: 'DNS:other.test' },
  'holds a wildcard one level too high': { names: 'DNS:*.test' },
  'names only an address': { names: 'IP:127.0.0.1' },
  'has an RSA key of 1024 bits': { names: 'DNS:hook.test', bits: 1_024 },
  'is signed with SHA-1': { names: 'DNS:hook.test', digest: 'sha1' },
}

describe('a TLS receiver', { skip }, () => {
  it('is sent to by its name: SNI, certificate and Host are the name, the address is the one judged', async () => {
    let sni: unknown
    const receiver = await receiverWith(authority!.issue({ names: 'DNS:hook.test' }), (socket) => {
      sni = (socket as TLSSocket).servername
      socket.write(OK)
    })
    const result = await post(receiver.port)
    assert.deepEqual([result.ok, result.failure], [true, undefined])
    assert.equal(sni, 'hook.test')
    assert.match(receiver.requests[0]!, new RegExp(`\r\nhost: hook.test:${receiver.port}\r\n`))
  })

  it('may be named with a trailing dot', async () => {
    const receiver = await receiverWith(authority!.issue({ names: 'DNS:hook.test' }))
    assert.equal((await post(receiver.port, {}, 'hook.test.')).ok, true)
  })

  it('may be named by its address when the certificate does so', async () => {
    const named = await receiverWith(authority!.issue({ names: 'IP:127.0.0.1' }))
    const inCn = await receiverWith(authority!.issue({ cn: '127.0.0.1' }))
    assert.equal((await post(named.port, {}, '127.0.0.1')).ok, true)
    assert.equal((await post(inCn.port, {}, '127.0.0.1')).failure, 'tls_failed')
  })

  for (const [name, options] of Object.entries(REFUSED)) {
    it(`is refused when its certificate ${name}`, async () => {
      // The server's own limits are lowered, so that it is we who refuse.
      const ciphers = 'DEFAULT@SECLEVEL=0'
      const receiver = await receiverWith({ ...authority!.issue(options), ciphers })
      const host = name.includes('wildcard') ? 'a.hook.test' : 'hook.test'
      assert.equal((await post(receiver.port, {}, host)).failure, 'tls_failed')
      assert.deepEqual(receiver.requests, [])
    })
  }

  it('is refused when its authority is unknown, also with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const receiver = await receiverWith(authority!.issue({ names: 'DNS:hook.test' }))
    const stranger = createAuthority()!
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      assert.equal((await post(receiver.port, { ca: stranger.cert })).failure, 'tls_failed')
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
      stranger.remove()
    }
    assert.deepEqual(receiver.requests, [])
  })

  it('is refused when it signs for itself', async () => {
    const selfSigned = createAuthority()!
    selfSigned.remove()
    const receiver = await receiverWith({ key: selfSigned.key, cert: selfSigned.cert })
    assert.equal((await post(receiver.port)).failure, 'tls_failed')
  })

  it('is refused when an intermediate is missing, and taken when it is sent along', async () => {
    const intermediate = authority!.issue({ cn: 'Intermediate', isAuthority: true })
    const { key, cert } = authority!.issue({ names: 'DNS:hook.test', issuer: intermediate })
    assert.equal((await post((await receiverWith({ key, cert })).port)).failure, 'tls_failed')
    assert.equal((await post((await receiverWith({ key, cert: cert + intermediate.cert })).port)).ok, true)
  })

  it('is refused when its issuer is no authority', async () => {
    const leaf = authority!.issue({ cn: 'Not an authority', names: 'DNS:leaf.test' })
    const { key, cert } = authority!.issue({ names: 'DNS:hook.test', issuer: leaf })
    assert.equal((await post((await receiverWith({ key, cert: cert + leaf.cert })).port)).failure, 'tls_failed')
  })

  it('is refused below TLS 1.2', async () => {
    const old: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    const receiver = await receiverWith({ ...authority!.issue({ names: 'DNS:hook.test' }), ...old })
    assert.equal((await post(receiver.port)).failure, 'tls_failed')
  })

  it('is refused when it speaks HTTP/2 only', async () => {
    const receiver = await receiverWith({ ...authority!.issue({ names: 'DNS:hook.test' }), ALPNProtocols: ['h2'] })
    assert.equal((await post(receiver.port)).failure, 'tls_failed')
  })

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`fails when it demands a certificate of ours over ${maxVersion}`, async () => {
      const demanding: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority!.cert, maxVersion }
      const receiver = await receiverWith({ ...authority!.issue({ names: 'DNS:hook.test' }), ...demanding })
      assert.equal((await post(receiver.port)).failure, 'tls_failed')
      assert.deepEqual(receiver.requests, [])
    })
  }
})

describe('a receiver at which TLS does not come about', { skip }, () => {
  const cases: Readonly<Record<string, readonly [(socket: Parameters<Respond>[0]) => void, FailureSymbol]>> = {
    'speaks plain HTTP': [(socket) => socket.write(OK), 'tls_failed'],
    'closes in the handshake': [(socket) => socket.end(), 'tls_failed'],
    'resets in the handshake': [(socket) => socket.resetAndDestroy(), 'tls_failed'],
    'stalls in the handshake': [() => {}, 'connect_timeout'],
  }
  for (const [name, [behave, failure]] of Object.entries(cases)) {
    it(`because it ${name} fails as ${failure}`, async () => {
      const receiver = await openReceiver(
        () => {},
        (socket) => void socket.once('data', () => behave(socket)),
      )
      open.push(receiver)
      assert.equal((await post(receiver.port)).failure, failure)
    })
  }
})
