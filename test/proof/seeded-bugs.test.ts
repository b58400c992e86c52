import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Bug, rewritten, runBroken, settleLate } from './broken-platform.ts'
import { isClean } from './reconcile.ts'

const found = async (bug: Bug) => {
  const { missing, duplicate, phantom, out_of_order } = await runBroken(bug)
  return { missing: missing > 0, duplicate: duplicate > 0, phantom: phantom > 0, out_of_order: out_of_order > 0 }
}

describe('the checker of the proofs, held against a platform with one fault', () => {
  it('finds nothing where nothing is broken, and nothing where every hand-over is lost', async () => {
    assert.ok(isClean(await runBroken({})))
    assert.ok(isClean(await runBroken({ losesHandOver: true })))
  })

  it('finds events that nobody looks for', async () => {
    const { missing, duplicate, phantom, out_of_order, sequence_gaps } = await runBroken({ neverLooks: true })
    assert.ok(missing > 0)
    assert.deepEqual({ duplicate, phantom, out_of_order, sequence_gaps }, { duplicate: 0, phantom: 0, out_of_order: 0, sequence_gaps: 0 })
  })

  it('finds effects of a receiver that does not remember', async () => {
    assert.equal((await found({ forgets: true })).duplicate, true)
  })

  it('finds the order broken by a claim that takes any delivery of an employee', async () => {
    const words = 'd.event_position = ('
    assert.equal((await found({ database: rewritten('claim-deliveries', words, 'd.event_position >= (') })).out_of_order, true)
  })

  it('finds a completion that was taken from a process whose lease was over', async () => {
    assert.deepEqual(await settleLate({}), ['delivered', 'delivered'])
    const bug = { database: rewritten('settle-deliveries', 'd.lease_epoch = o.epoch and', '') }
    assert.deepEqual(await settleLate(bug), ['dead', 'dead'])
  })

  it('finds what was called a success and was none', async () => {
    const sent = { ok: true, status: 200, durationMs: 1 } as const
    const bug: Bug = { send: (real) => (request) => real(request).then(() => sent) }
    assert.equal((await found(bug)).missing, true)
  })

  it('finds what was settled and never sent', async () => {
    let asked = 0
    const bug: Bug = { send: (real) => async (request) => (asked++ % 5 === 0 ? { ok: true, status: 200, durationMs: 1 } : real(request)) }
    assert.equal((await found(bug)).missing, true)
  })

  it('finds an effect of a change that was rolled back', async () => {
    assert.equal((await found({ handsOverBeforeCommit: true })).phantom, true)
  })
})
