import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTerminal } from '../terminal.ts'
import { createBursts } from './bursts.ts'
import { liveLine } from './live-lines.ts'

const { colors } = createTerminal({ env: { NO_COLOR: '1' } })
const show = (line: Record<string, unknown>) =>
  liveLine(
    { level: 30, time: '2026-11-23T09:00:00Z', msg: 'delivery.attempted', type: 'employment.started', endpoint: 'end_1', ...line },
    {
      colors,
      nameOf: () => 'payroll',
    },
  )?.slice('00:00:00  '.length)

describe('a live line', () => {
  it('tells a delivery by mark, word and time, and which try it was', () => {
    assert.match(show({ verdict: 'delivered', status: 200, ms: 4, attempt: 1 })!, /^✓ {2}employment\.started +→ payroll {2}200 {2}4 ms$/)
    assert.match(show({ verdict: 'delivered', status: 200, ms: 4, attempt: 3 })!, /\(try 3\)$/)
  })

  it('says why an attempt failed and when the next one is', () => {
    assert.match(show({ verdict: 'retry', outcome: 'connect_refused', attempt: 1, retry_in_s: 5 })!, /^↻ .*connect_refused; try 2 in 5 s$/)
    assert.match(
      show({ level: 40, msg: 'delivery.dead', verdict: 'dead', outcome: 'status_410', status: 410, attempt: 1 })!,
      /^✗ .*410; dead letter$/,
    )
  })

  it('is silent about everything else but warnings', () => {
    const options = { colors, nameOf: String }
    assert.equal(liveLine({ level: 30, msg: 'request' }, options), undefined)
    assert.equal(liveLine({ level: 40, msg: 'poll.failed', err: { message: 'no' } }, options), '! poll.failed: no')
  })
})

describe('a burst of lines', () => {
  it('is shown as far as it can be read, the rest counted by kind, and starts afresh after that', () => {
    const printed: string[] = []
    const bursts = createBursts({ most: 2, print: (line) => printed.push(line.trim()) })

    for (const line of ['a', 'b', 'c', 'd']) bursts.add('delivered', line)
    bursts.add('to be tried again', 'e')
    bursts.flush()
    bursts.add('delivered', 'f')
    bursts.flush()

    assert.deepEqual(printed, ['a', 'b', '… and 2 delivered, 1 to be tried again', 'f'])
  })
})
