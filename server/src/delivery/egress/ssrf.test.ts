import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BROKEN_GUARDS, connectorAlone } from './broken-guards.ts'
import { PUBLIC_ONLY } from './egress-policy.ts'
import { createEgress } from './send.ts'
import { controlPayloads, hostilePayloads } from './ssrf-corpus.ts'
import { type Guard, type Outcome, runCorpus } from './ssrf-harness.ts'

/** The real thing as production has it, with nothing replaced but the name server. */
const egressGuard: Guard = async (url, resolver, connection) => {
  const egress = createEgress({ policy: PUBLIC_ONLY, resolver, connectTimeoutMs: 2_000, timeoutMs: 4_000 })
  try {
    return await egress.send({ url, method: 'POST', headers: {}, body: '{}', pool: connection })
  } finally {
    await egress.close()
  }
}

const hostile = hostilePayloads()
const controls = controlPayloads()
/** A positive control needs no completeness; every third payload holds every kind. */
const sample = hostile.filter((_, index) => index % 3 === 0)
const tell = ({ leaks, canaryHits }: Outcome) => `${leaks.length} payloads leaked, ${canaryHits} canary hits`

describe('the egress guard', () => {
  it('dials no inside address for any hostile payload, and is caught by the canary if it does', async (t) => {
    const outcome = await runCorpus(egressGuard, hostile)
    t.diagnostic(`${hostile.length} payloads: ${tell(outcome)}`)
    assert.ok(hostile.length >= 4_000)
    assert.deepEqual(outcome.leaks, [])
    assert.equal(outcome.canaryHits, 0)
  })

  it('holds at the connector alone, without the URL rules before it', async (t) => {
    const outcome = await runCorpus(connectorAlone, hostile)
    t.diagnostic(`${hostile.length} payloads: ${tell(outcome)}`)
    assert.deepEqual(outcome.leaks, [])
    assert.equal(outcome.canaryHits, 0)
  })

  it('dials every public control', async (t) => {
    const { leaks, reached } = await runCorpus(egressGuard, controls)
    t.diagnostic(`${reached.size} of ${controls.length} public controls reached`)
    assert.ok(controls.length >= 500)
    assert.deepEqual(leaks, [])
    assert.deepEqual(
      controls.filter(({ name }) => !reached.has(name)).map(({ name }) => name),
      [],
    )
  })

  it('asks no proxy of the environment', async () => {
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
    const before = new Map(names.map((name) => [name, process.env[name]]))
    for (const name of names) process.env[name] = 'http://127.0.0.1:9'
    process.env.NODE_USE_ENV_PROXY = '1'
    try {
      const { leaks, reached } = await runCorpus(egressGuard, controls.slice(0, 20))
      assert.deepEqual(leaks, [])
      assert.equal(reached.size, 20)
    } finally {
      delete process.env.NODE_USE_ENV_PROXY
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  })
})

describe('the harness', () => {
  for (const [name, guard] of Object.entries(BROKEN_GUARDS)) {
    it(`catches a broken guard: ${name}`, async (t) => {
      const outcome = await runCorpus(guard, sample)
      t.diagnostic(`${sample.length} payloads: ${tell(outcome)}`)
      assert.ok(outcome.leaks.length > 0)
      assert.ok(outcome.canaryHits > 0)
    })
  }
})
