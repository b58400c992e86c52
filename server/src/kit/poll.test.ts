import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from './log.ts'
import { poll } from './poll.ts'

/** Longer than any test may last: whoever waits for it fails the test by its timeout. */
const NEVER_MS = 2 ** 30
const log = createLog('silent')

describe('the poll loop', () => {
  it('goes on at once while there is something to do', async () => {
    const stopping = new AbortController()
    const left = [3, 2, 1, 0]
    await poll(
      async () => {
        const done = left.shift() ?? 0
        if (left.length === 0) stopping.abort()
        return done
      },
      { idleMs: NEVER_MS, signal: stopping.signal, log, name: 'test' },
    )
    assert.deepEqual(left, [])
  })

  it('ends while it waits', async () => {
    const stopping = new AbortController()
    const loop = poll(async () => 0, { idleMs: NEVER_MS, signal: stopping.signal, log, name: 'test' })
    setImmediate(() => stopping.abort())
    await loop
  })

  it('does nothing when it was ended before it began', async () => {
    let runs = 0
    await poll(async () => ++runs, { idleMs: NEVER_MS, signal: AbortSignal.abort(), log, name: 'test' })
    assert.equal(runs, 0)
  })

  it('is woken early, and a wake while it works is not lost', async () => {
    const stopping = new AbortController()
    let wake = () => {}
    let runs = 0
    await poll(
      async () => {
        if (++runs === 3) stopping.abort()
        // Once from outside while it waits, once from within while it works.
        if (runs === 1) setImmediate(() => wake())
        if (runs === 2) wake()
        return 0
      },
      { idleMs: NEVER_MS, signal: stopping.signal, log, name: 'test', onWaker: (given) => (wake = given) },
    )
    assert.equal(runs, 3)
  })

  it('logs an error, waits, and goes on', async () => {
    const stopping = new AbortController()
    const lines: string[] = []
    const noisy = createLog('error', { write: (line: string) => void lines.push(line) })
    let runs = 0
    await poll(
      async () => {
        if (++runs === 2) stopping.abort()
        throw new Error('broken')
      },
      { idleMs: 1, signal: stopping.signal, log: noisy, name: 'dispatcher' },
    )
    assert.equal(runs, 2)
    assert.equal(lines.length, 2)
    assert.match(lines[0]!, /"loop":"dispatcher".*"msg":"poll.failed"/)
  })
})
