import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { newId, newTimeOrderedId, randomBase62 } from './ids.ts'

const MAX_TIME = 2 ** 48 - 1

describe('ids', () => {
  it('carry their kind and 22 characters of base62, and do not repeat', () => {
    const ids = Array.from({ length: 20_000 }, () => newId('emp'))
    for (const id of ids) assert.match(id, /^emp_[0-9A-Za-z]{22}$/)
    assert.equal(new Set(ids).size, ids.length)
  })

  it('that are ordered by time sort as text in the order of their milliseconds', () => {
    const time = fc.integer({ min: 0, max: MAX_TIME })
    fc.assert(
      fc.property(time, time, (one, other) => {
        fc.pre(one !== other)
        const [first, second] = [newTimeOrderedId('evt', Math.min(one, other)), newTimeOrderedId('evt', Math.max(one, other))]
        assert.match(first, /^evt_[0-9A-Za-z]{22}$/)
        assert.ok(first < second, `${first} ${second}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it('of one millisecond differ', () => {
    const ids = Array.from({ length: 10_000 }, () => newTimeOrderedId('evt', 1_781_000_000_000))
    assert.equal(new Set(ids).size, ids.length)
  })
})

describe('random text', () => {
  it('has the length that was asked for and draws every character equally often', () => {
    for (const length of [0, 1, 30, 1_000]) assert.match(randomBase62(length), new RegExp(`^[0-9A-Za-z]{${length}}$`))
    const counts = Map.groupBy(randomBase62(62_000), (character) => character)
    assert.equal(counts.size, 62)
    // 1,000 expected, a standard deviation of 32: eight of them are out of reach of chance. A plain modulo would give 1,210.
    for (const [character, { length }] of counts) assert.ok(length > 744 && length < 1_256, `${character}: ${length}`)
    const first = [...'01234567'].reduce((sum, character) => sum + (counts.get(character)?.length ?? 0), 0)
    assert.ok(first < 8_600, `the first eight characters came ${first} times`)
  })
})
