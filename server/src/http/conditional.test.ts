import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { etagOf, requireMatch } from './conditional.ts'

describe('If-Match', () => {
  const given = (tag?: string) => ({ headers: tag === undefined ? {} : { 'if-match': tag } })

  it('lets a change of the version that was read through', () => {
    for (const tag of [undefined, '"3"', '*', '"2", "3"', etagOf(3)]) requireMatch(given(tag), 3)
  })

  it('refuses a change of any other version, and a weak tag', () => {
    for (const tag of ['"2"', '"33"', '3', 'W/"3"', '', '"2", "4"']) {
      assert.throws(() => requireMatch(given(tag), 3), { code: 'precondition-failed', status: 412 })
    }
  })
})
