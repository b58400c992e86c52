import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import Type from 'typebox'
import { decodeCursor, encodeCursor, pageOf } from './paging.ts'

const Position = Type.Tuple([Type.Integer(), Type.String()])

describe('a cursor', () => {
  it('comes back as the position that it was made of', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string({ unit: 'grapheme' }), (number, text) => {
        assert.deepEqual(decodeCursor(encodeCursor([number, text]), Position), [number, text])
      }),
    )
  })

  it('of another list, cut or made up is refused', () => {
    const good = encodeCursor([5, 'key_1'])
    for (const cursor of [
      encodeCursor([5]),
      encodeCursor(['5', 'key_1']),
      good.slice(0, -3),
      'x',
      '!!',
      Buffer.from('{}').toString('base64url'),
    ]) {
      assert.throws(() => decodeCursor(cursor, Position), { code: 'cursor-not-valid', status: 422 })
    }
  })

  it('is given out only when more follows', () => {
    const rows = [1, 2, 3].map((id) => ({ id }))
    const page = (limit: number) =>
      pageOf(
        rows,
        limit,
        ({ id }) => [id],
        ({ id }) => id,
      )
    assert.deepEqual(page(3), { data: [1, 2, 3], next_cursor: null })
    assert.deepEqual(page(2), { data: [1, 2], next_cursor: encodeCursor([2]) })
    assert.deepEqual(
      pageOf([], 2, () => [], String),
      { data: [], next_cursor: null },
    )
  })
})
