import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createTokenBuckets } from './token-buckets.ts'

describe('a token bucket', () => {
  it('lets a burst through and then one request for each token that came back', () => {
    let now = 0
    const buckets = createTokenBuckets({ perSecond: 10, burst: 3 }, () => now)
    assert.deepEqual(
      [1, 2, 3, 4].map(() => buckets.take('a').allowed),
      [true, true, true, false],
    )
    now += 99
    assert.equal(buckets.take('a').allowed, false)
    now += 1
    assert.equal(buckets.take('a').allowed, true)
    assert.equal(buckets.take('a').allowed, false)
  })

  it('says how many remain and how long to wait', () => {
    const buckets = createTokenBuckets({ perSecond: 2, burst: 2 }, () => 0)
    assert.deepEqual(buckets.take('a'), { allowed: true, remaining: 1, waitSeconds: 0 })
    assert.deepEqual(buckets.take('a'), { allowed: true, remaining: 0, waitSeconds: 0 })
    assert.deepEqual(buckets.take('a'), { allowed: false, remaining: 0, waitSeconds: 0.5 })
  })

  it('is one for each name, and looking takes nothing', () => {
    const buckets = createTokenBuckets({ perSecond: 1, burst: 1 }, () => 0)
    assert.equal(buckets.look('a').allowed, true)
    assert.equal(buckets.take('a').allowed, true)
    assert.equal(buckets.look('a').allowed, false)
    assert.equal(buckets.take('b').allowed, true)
  })

  it('never lets more through, in any stretch of time, than the burst and what came back meanwhile', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 20, maxLength: 200 })
    fc.assert(
      fc.property(pauses, (waits) => {
        let now = 0
        const buckets = createTokenBuckets({ perSecond: 10, burst: 5 }, () => now)
        const passed = waits.flatMap((wait) => {
          now += wait
          return buckets.take('a').allowed ? [now] : []
        })
        return passed.every((from, first) => passed.slice(first).every((to, more) => more + 1 <= 5 + ((to - from) / 1_000) * 10 + 1e-9))
      }),
    )
  })
})
