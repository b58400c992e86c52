import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../kit/log.ts'
import { defineProblem } from '../kit/problem.ts'
import { createSettlementQueue } from './settlement-queue.ts'

const gone = defineProblem('gone', 503, 'Gone.')

function openQueue(write: (items: readonly string[]) => Promise<void>) {
  const empty = Promise.withResolvers<void>()
  const queue = createSettlementQueue<string>({ write, maxBatch: 8, log: createLog('silent'), onEmpty: empty.resolve, firstWaitMs: 1 })
  return { queue, empty: empty.promise }
}

describe('the queue of outcomes', () => {
  it('writes what comes together in one batch, in order', async () => {
    const batches: (readonly string[])[] = []
    const { queue, empty } = openQueue(async (items) => void batches.push(items))
    for (const item of 'abcdefghij') queue.add(item)
    await empty
    assert.deepEqual(batches, [[...'abcdefgh'], ['i', 'j']])
    assert.equal(queue.size(), 0)
  })

  it('writes everybody else when one outcome can never be written, and lets go of that one', async () => {
    const written: string[] = []
    let tries = 0
    const { queue, empty } = openQueue(async (items) => {
      if (items.length === 1 && items[0] === 'bad') tries++
      if (items.includes('bad')) throw new Error('the database does not take it')
      written.push(...items)
    })
    for (const item of ['a', 'b', 'bad', 'c', 'd', 'e']) queue.add(item)
    await empty
    assert.deepEqual(written, ['a', 'b', 'c', 'd', 'e'])
    assert.equal(tries, 5)
    assert.equal(queue.size(), 0)
  })

  it('keeps every outcome for as long as the database is gone', async () => {
    const written: string[] = []
    let failures = 9
    const { queue, empty } = openQueue(async (items) => {
      if (failures-- > 0) throw gone()
      written.push(...items)
    })
    queue.add('a')
    await empty
    assert.deepEqual(written, ['a'])
  })

  it('ends when it is told to, with outcomes unwritten', async () => {
    const { queue, empty } = openQueue(async () => {
      queue.abandon()
      throw gone()
    })
    queue.add('a')
    await empty
    queue.add('b')
  })
})
