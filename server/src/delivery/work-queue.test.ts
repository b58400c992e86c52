import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorkQueue, STARTING_PLACES } from './work-queue.ts'

type End = (how: 'well' | 'struggling' | 'neither') => void

function openQueue(total = 64, perList = 32) {
  const running: { item: string; end: End }[] = []
  const queue = createWorkQueue<string>({
    perList,
    total,
    start: (item) => new Promise((end) => running.push({ item, end })),
    onPlaceFree: () => {},
  })
  const endFirst = async (how: Parameters<End>[0]) => {
    running.shift()!.end(how)
    await Promise.resolve()
    await Promise.resolve()
  }
  return { queue, running, endFirst }
}

const fill = (queue: ReturnType<typeof openQueue>['queue'], list: string, count: number) => {
  for (let n = 0; n < count; n++) queue.add(list, `${list}${n}`)
}

describe('the queue of attempts', () => {
  it('starts slowly and gains one place with each success', async () => {
    const { queue, running, endFirst } = openQueue()
    fill(queue, 'a', 40)
    assert.equal(running.length, STARTING_PLACES)
    await endFirst('well')
    assert.equal(running.length, STARTING_PLACES + 1)
  })

  it('halves the places of an endpoint that struggles, down to one, and keeps those of one that refuses an event', async () => {
    const { queue, running, endFirst } = openQueue()
    fill(queue, 'a', 100)
    await endFirst('neither')
    assert.equal(running.length, STARTING_PLACES)
    for (let n = 0; n < 20; n++) await endFirst('struggling')
    assert.equal(running.length, 1)
  })

  it('leaves places for the next endpoint while eight others hang', () => {
    const { queue, running } = openQueue(64, 64)
    for (let hanging = 0; hanging < 8; hanging++) fill(queue, `hanging${hanging}_`, 100)
    queue.add('healthy', 'healthy')
    assert.ok(running.some(({ item }) => item === 'healthy'))
  })

  it('takes turns between endpoints', async () => {
    const { queue, running, endFirst } = openQueue(2)
    fill(queue, 'a', 3)
    fill(queue, 'b', 3)
    const order = []
    while (running[0]) {
      order.push(running[0].item[0])
      await endFirst('neither')
    }
    assert.equal(order.length, 6)
    assert.notEqual(order.slice(0, 4).join(''), 'aaab')
  })

  it('never exceeds its total', async () => {
    const { queue, running, endFirst } = openQueue(4)
    for (const list of ['a', 'b', 'c', 'd', 'e', 'f']) fill(queue, list, 5)
    for (let ended = 0; ended < 30; ended++) {
      assert.ok(running.length <= 4)
      await endFirst('well')
    }
    assert.deepEqual(queue.size(), { waiting: 0, inFlight: 0 })
  })
})
