import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { createDatabase, deliver, readJson, spawnPayroll, storyOf } from './test-payroll.ts'

const given = process.env.TEST_DATABASE_ADMIN
const skip = given ? false : 'TEST_DATABASE_ADMIN names no PostgreSQL; npm test starts one'

describe('payroll, killed', { skip }, () => {
  it('has one effect for each event of a burst in which it is killed and which is delivered again', { timeout: 60_000 }, async (t) => {
    const database = await createDatabase(JSON.parse(given ?? '{}'))
    t.after(() => database.drop())
    const burst = Array.from({ length: 150 }, (_, number) => {
      const story = storyOf(number)
      return [story.started(), story.paid('4100.00', '2021-01-01'), story.terminated('2022-01-01')]
    })
    const first = await spawnPayroll(database.config)
    let handled = 0
    const broken = await deliverBurst(first.url, burst, () => {
      if (++handled === 200) first.child.kill('SIGKILL')
    })
    const second = await spawnPayroll(database.config)
    t.after(() => second.child.kill('SIGKILL'))

    const left = await deliverBurst(second.url, burst)
    const reconciliation = await readJson(`${second.url}/reconciliation`)
    second.child.kill('SIGTERM')
    const [code] = await once(second.child, 'exit')

    assert.ok(broken > 0, 'the kill came after the burst')
    assert.deepEqual([left, code], [0, 0])
    const { effects, duplicates, inversions, missing_predecessors, records, by_outcome } = reconciliation
    assert.deepEqual(
      { effects, duplicates, inversions, missing_predecessors },
      { effects: 450, duplicates: 0, inversions: 0, missing_predecessors: 0 },
    )
    assert.deepEqual(records, { open: 0, closed: 150, never_opened: 0 })
    assert.deepEqual(by_outcome, { opened: 150, applied: 150, closed: 150 })
    assert.ok(reconciliation.requests.duplicate >= 199)
  })
})

/** Delivers the events of each employee in order, several employees at once. Says how many employees are not through. */
async function deliverBurst(url: string, burst: readonly (readonly { readonly id: string }[])[], onHandled = () => {}): Promise<number> {
  const waiting = [...burst]
  let broken = 0
  const work = async () => {
    for (let events = waiting.shift(); events; events = waiting.shift()) {
      broken += (await deliverInOrder(url, events, onHandled)) ? 0 : 1
    }
  }
  await Promise.all(Array.from({ length: 12 }, work))
  return broken
}

/** 409 is what the sender gets until PostgreSQL has noticed that the killed process is gone. */
async function deliverInOrder(url: string, events: readonly { readonly id: string }[], onHandled: () => void): Promise<boolean> {
  for (const event of events) {
    let status = 409
    for (let tries = 0; status === 409 && tries < 200; tries++) {
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 20))
      status = (await deliver(url, event).catch(() => ({ status: 0 }))).status
    }
    if (status !== 200) return false
    onHandled()
  }
  return true
}
