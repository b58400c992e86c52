import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isClean, reconcile, wants } from './reconcile.ts'

const event = (id: string, employee_id: string, sequence: number, type = 'compensation.changed') => ({ id, type, employee_id, sequence })
const effect = (event_id: string, employee_id: string, sequence: number) => ({ event_id, employee_id, sequence })
const log = [event('a1', 'a', 1), event('a2', 'a', 2), event('b1', 'b', 1), event('a3', 'a', 3, 'candidate.hired')]
const wanted = wants(['compensation.*'])
const right = [effect('a1', 'a', 1), effect('b1', 'b', 1), effect('a2', 'a', 2)]

describe('the checker of the proofs', () => {
  it('finds nothing where every event was done once and in order', () => {
    assert.ok(isClean(reconcile(log, wanted, right)))
  })

  it('finds an event that was lost, done twice, made up, or done out of order', () => {
    assert.equal(reconcile(log, wanted, right.slice(1)).missing, 1)
    assert.equal(reconcile(log, wanted, [...right, effect('a2', 'a', 2)]).duplicate, 1)
    assert.equal(reconcile(log, wanted, [...right, effect('x9', 'x', 9)]).phantom, 1)
    assert.equal(reconcile(log, wanted, [effect('a2', 'a', 2), effect('a1', 'a', 1), effect('b1', 'b', 1)]).out_of_order, 1)
  })

  it('finds a number that no event has, and one that two have', () => {
    assert.equal(reconcile([event('a1', 'a', 1), event('a3', 'a', 3)], wanted, []).sequence_gaps, 1)
    assert.equal(reconcile([event('a1', 'a', 1), event('a2', 'a', 1)], wanted, []).sequence_gaps, 1)
  })
})
