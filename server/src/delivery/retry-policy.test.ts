import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextWaitSeconds, RETRY_WAITS_SECONDS, readRetryAfter } from './retry-policy.ts'

const now = new Date('2026-11-01T12:00:00Z')
const wait = (failures: number, retryAfterSeconds?: number, random = 0.5) =>
  nextWaitSeconds({ failures, retryAfterSeconds, random: () => random })

describe('the retry schedule', () => {
  it('has the waits of Standard Webhooks, 75 h 35 min 5 s in all, and then gives up', () => {
    const waits = RETRY_WAITS_SECONDS.map((_, index) => wait(index + 1))
    assert.deepEqual(waits, [...RETRY_WAITS_SECONDS])
    assert.equal(
      RETRY_WAITS_SECONDS.reduce((sum, seconds) => sum + seconds, 0),
      75 * 3_600 + 35 * 60 + 5,
    )
    assert.equal(wait(10), undefined)
  })

  it('spreads each wait by a fifth to both sides', () => {
    assert.equal(wait(2, undefined, 0), 240)
    assert.equal(Math.round(wait(2, undefined, 1) ?? 0), 360)
  })

  it('obeys Retry-After between the scheduled wait and 24 hours', () => {
    assert.equal(wait(1, 120), 120)
    assert.equal(wait(2, 1), 300)
    assert.equal(wait(1, 900_000), 86_400)
  })

  it('reads whole seconds and HTTP dates and ignores what is odd', () => {
    assert.equal(readRetryAfter('120', now), 120)
    assert.equal(readRetryAfter('Sun, 01 Nov 2026 12:01:30 GMT', now), 90)
    for (const odd of [
      '-1',
      '1e99',
      '1.5',
      '',
      ' ',
      'soon',
      '2026-11-01T13:00:00Z',
      '99999999999',
      'Sun, 01 Nov 2026 11:00:00 GMT',
      undefined,
    ]) {
      assert.equal(readRetryAfter(odd, now), undefined, String(odd))
    }
  })
})
