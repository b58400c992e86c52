import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { SIGNATURE_VECTORS_FILE, type SignatureVectors, signatureVectors } from '../vectors/write-signature-vectors.ts'
import { parseSecret, REFUSALS, type SignedMessage, sign, signedText, verify } from './signature.ts'

const SECRET = `whsec_${Buffer.from('Tenure test vector, 32 bytes: 1.').toString('base64')}`
const OTHER = `whsec_${Buffer.from('Tenure test vector, 32 bytes: 2.').toString('base64')}`
const TIMESTAMP = 1_767_225_600
const now = () => new Date(TIMESTAMP * 1000)
const { vectors } = JSON.parse(readFileSync(SIGNATURE_VECTORS_FILE, 'utf8')) as SignatureVectors

const BODIES = [
  '',
  '{"id":"evt_1","type":"employment.started"}',
  '{"name":"Zoë Łukasz 李小龍 🎉 e\u0301"}',
  '{"n":9007199254740993,"amount":4250.00,"e":1e3}',
  '{ "a" : "\\u00e9\\/",\r\n "b": [ ] }\n',
]

async function signedHeaders(secret: string, { id, timestamp, body }: SignedMessage): Promise<Record<string, string>> {
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': await sign(secret, { id, timestamp, body }) }
}

describe('the vectors', () => {
  it('are those that the generator writes', () => {
    assert.deepEqual({ vectors }, { vectors: signatureVectors().vectors })
  })

  it('name every reason for a refusal, so that none goes untested', () => {
    assert.deepEqual(new Set(vectors.flatMap(({ reason }) => reason ?? [])), new Set(REFUSALS))
  })

  for (const vector of vectors) {
    it(`${vector.valid ? 'accepts' : 'refuses'}: ${vector.name}`, async () => {
      const request = { headers: vector.headers, body: Buffer.from(vector.body_base64, 'base64') }
      const options = { now: () => new Date(vector.now * 1000), toleranceSeconds: vector.tolerance_seconds }

      const verified = await verify(vector.secrets, request, options)

      assert.equal(verified.ok, vector.valid)
      assert.equal(verified.ok ? undefined : verified.reason, vector.reason)
    })
  }
})

describe('verify', () => {
  const message = fc.record({
    id: fc.stringMatching(/^[a-zA-Z0-9_]{1,40}$/),
    timestamp: fc.integer({ min: TIMESTAMP - 300, max: TIMESTAMP + 300 }),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  const secret = fc.uint8Array({ minLength: 24, maxLength: 64 })

  it('accepts what sign made, from any one of several secrets and at any place in the list', async () => {
    await fc.assert(
      fc.asyncProperty(
        message,
        fc.uniqueArray(secret, { minLength: 1, maxLength: 4, comparator: isEqual }),
        fc.nat(),
        async (signed, secrets, pick) => {
          const used = secrets[pick % secrets.length] as Uint8Array
          const own = await sign(used, signed)
          const foreign = await sign(parseSecret(OTHER), signed)
          const headers = {
            'webhook-id': signed.id,
            'webhook-timestamp': String(signed.timestamp),
            'webhook-signature': `${foreign} ${own}`,
          }

          assert.deepEqual(await verify(secrets, { headers, body: signed.body }, { now }), {
            ok: true,
            id: signed.id,
            timestamp: signed.timestamp,
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  it('refuses when any one bit of id, timestamp, signature, body or secret is another', async () => {
    await fc.assert(
      fc.asyncProperty(message, secret, fc.nat(), async (signed, key, where) => {
        const parts = [signed.id, String(signed.timestamp), await sign(key, signed)].map((text) => new TextEncoder().encode(text))
        const flipped = flipBit([...parts, signed.body, key], where)
        const [id, timestamp, signature] = flipped.map((bytes) => Buffer.from(bytes).toString('latin1'))
        const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }

        const verified = await verify(
          flipped[4] as Uint8Array,
          { headers, body: flipped[3] as Uint8Array },
          { now, toleranceSeconds: 1e12 },
        )

        assert.equal(verified.ok, false)
      }),
      { numRuns: 1_000 },
    )
  })

  it('accepts exactly the attempts whose time lies within the tolerance', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -1_000, max: 1_000 }), fc.integer({ min: 0, max: 900 }), async (age, toleranceSeconds) => {
        const headers = await signedHeaders(SECRET, { id: 'evt_1', timestamp: TIMESTAMP - age, body: '{}' })

        const verified = await verify(SECRET, { headers, body: '{}' }, { now, toleranceSeconds })

        const expected = age > toleranceSeconds ? 'too_old' : age < -toleranceSeconds ? 'too_new' : undefined
        assert.equal(verified.ok ? undefined : verified.reason, expected)
      }),
      { numRuns: 200 },
    )
  })

  it('never throws on what a stranger sends', async () => {
    const header = fc.option(fc.string({ unit: 'binary' }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(header, header, header, fc.uint8Array(), async (id, timestamp, signature, body) => {
        const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
        assert.equal((await verify(SECRET, { headers, body }, { now })).ok, false)
      }),
      { numRuns: 300 },
    )
    const headers = { ...(await signedHeaders(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body: '{}' })) }
    const deep = '['.repeat(100_000)
    assert.equal((await verify(SECRET, { headers, body: `${deep}${']'.repeat(100_000)}` }, { now })).ok, false)
  })

  it('finds headers in a Headers object, in any case, and in lists', async () => {
    const headers = await signedHeaders(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body: '{}' })
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    const twice = { ...headers, 'webhook-signature': [`v1,${'A'.repeat(43)}=`, headers['webhook-signature'] ?? ''] }
    const joined = { ...headers, 'webhook-signature': twice['webhook-signature'].toReversed().join(', ') }

    for (const given of [new Headers(headers), upper, twice, joined]) {
      assert.equal((await verify(SECRET, { headers: given, body: '{}' }, { now })).ok, true)
    }
  })

  it('says how far the clock is off, and that a body is not raw', async () => {
    const signed = await signedHeaders(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body: '{}' })
    const fast = await verify(SECRET, { headers: signed, body: '{}' }, { now: () => new Date((TIMESTAMP + 420) * 1000) })
    const parsed = await verify(SECRET, { headers: signed, body: {} as unknown as string }, { now })

    assert.match(fast.ok ? '' : fast.detail, /7 min/)
    assert.match(parsed.ok ? '' : parsed.detail, /parsed before verifying/)
  })

  it('refuses a tolerance that is not a number, and a clock that does not tell the time', async () => {
    const request = { headers: await signedHeaders(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body: '{}' }), body: '{}' }

    await assert.rejects(verify(SECRET, request, { toleranceSeconds: Number.NaN }), TypeError)
    assert.equal((await verify(SECRET, request, { now: () => new Date(Number.NaN) })).ok, false)
  })

  it('needs a secret', async () => {
    await assert.rejects(verify([], { headers: {}, body: '' }), /At least one webhook secret/)
  })
})

describe('parseSecret', () => {
  it('refuses what is not base64 of 24 to 64 bytes, and does not quote it', () => {
    for (const secret of [
      '',
      'whsec_',
      'whsec_c2hvcnQ=',
      `whsec_${'A'.repeat(100)}`,
      'whsec_not base64 at all, really not!!',
      `${SECRET}=`,
    ]) {
      assert.throws(
        () => parseSecret(secret),
        (error: Error) => error instanceof TypeError && (secret.length < 10 || !error.message.includes(secret.slice(6))),
      )
    }
  })

  it('forgives the line end that a file or an environment adds', () => {
    assert.deepEqual(parseSecret(` ${SECRET}\n`), parseSecret(SECRET))
  })
})

describe('sign', () => {
  it('refuses an id that could be cut in two places and a time that is not whole seconds', () => {
    assert.throws(() => signedText('evt.1', 1, ''), RangeError)
    assert.throws(() => signedText('', 1, ''), RangeError)
    assert.throws(() => signedText('evt_1', 1.5, ''), RangeError)
    assert.throws(() => signedText('evt_1', -1, ''), RangeError)
  })

  it('agrees with the vector of the Standard Webhooks libraries', async () => {
    const signature = await sign('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}',
    })
    assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })
})

describe('other implementations', () => {
  it('standardwebhooks of npm verifies ours, and we verify its', async () => {
    const theirs = new Webhook(SECRET)
    for (const body of BODIES) {
      const present = Math.floor(Date.now() / 1000)
      const headers = await signedHeaders(SECRET, { id: 'evt_1', timestamp: present, body })
      theirs.verify(body, headers, { jsonParse: false })

      const signature = theirs.sign('evt_1', new Date(present * 1000), body)
      assert.equal(signature, headers['webhook-signature'])
      assert.equal((await verify(SECRET, { headers: { ...headers, 'webhook-signature': signature }, body })).ok, true)
    }
  })

  it('standardwebhooks of npm refuses ours once it is changed', async () => {
    const headers = await signedHeaders(SECRET, { id: 'evt_1', timestamp: Math.floor(Date.now() / 1000), body: '{"a":1}' })
    assert.throws(() => new Webhook(SECRET).verify('{"a":2}', headers))
  })

  it("Python's standard library signs as we do", { skip: missing('python3', ['--version']) }, async () => {
    const script = `
import base64, hashlib, hmac, json, sys
for case in json.load(sys.stdin):
    key = base64.b64decode(case["secret"][len("whsec_"):])
    text = f'{case["id"]}.{case["timestamp"]}.'.encode() + base64.b64decode(case["body"])
    print("v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode())
`
    const bodies = [...BODIES.map((body) => Buffer.from(body)), Buffer.of(0xff, 0x00, 0x80)]
    const cases = bodies.map((body) => ({ secret: SECRET, id: 'evt_1', timestamp: TIMESTAMP, body: body.toString('base64') }))

    const printed = execFileSync('python3', ['-c', script], { input: JSON.stringify(cases), encoding: 'utf8' })

    const ours = await Promise.all(bodies.map((body) => sign(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body })))
    assert.deepEqual(printed.trim().split('\n'), ours)
  })

  it('openssl signs as we do', { skip: missing('openssl', ['version']) }, async () => {
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64').toString('hex')
    for (const body of BODIES) {
      const input = `evt_1.${TIMESTAMP}.${body}`
      const digest = execFileSync('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${key}`, '-binary'], { input })
      assert.equal(`v1,${digest.toString('base64')}`, await sign(SECRET, { id: 'evt_1', timestamp: TIMESTAMP, body }))
    }
  })

  it('works where there is no global crypto, as on Node 18', () => {
    const script = `
      delete globalThis.crypto
      const { sign } = await import(${JSON.stringify(new URL('signature.ts', import.meta.url).href)})
      process.stdout.write(typeof globalThis.crypto + ' ' + await sign(process.env.SECRET, { id: 'evt_1', timestamp: ${TIMESTAMP}, body: '{}' }))`

    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, SECRET },
      encoding: 'utf8',
    })

    const key = Buffer.from(SECRET.slice(6), 'base64')
    const expected = new Webhook(key, { format: 'raw' }).sign('evt_1', now(), '{}')
    assert.equal(printed, `undefined ${expected}`)
  })
})

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function flipBit(parts: readonly Uint8Array[], where: number): Uint8Array[] {
  const bits = parts.reduce((sum, { length }) => sum + length * 8, 0)
  let bit = where % bits
  return parts.map((part) => {
    const copy = Uint8Array.from(part)
    const byte = Math.floor(bit / 8)
    if (bit >= 0 && byte < copy.length) copy[byte] = (copy[byte] ?? 0) ^ (1 << (bit % 8))
    bit -= copy.length * 8
    return copy
  })
}

/** The reason for leaving a test out, or false where the program is there. */
function missing(program: string, args: readonly string[]): string | false {
  return spawnSync(program, args).status === 0 ? false : `${program} is not on this machine`
}
