import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineProblem, Problem, problemKinds } from './problem.ts'

describe('a kind of problem', () => {
  const kind = defineProblem('planted-problem', 418, 'A planted problem.')

  it('makes problems with its code, status and title, and the detail of the case as the message', () => {
    const problem = kind({ detail: 'The case.', errors: [{ pointer: '/a', message: 'is wrong' }], retryAfterSeconds: 3 })
    assert.ok(problem instanceof Problem && problem instanceof Error)
    assert.equal(problem.code, 'planted-problem')
    assert.equal(problem.status, 418)
    assert.equal(problem.title, 'A planted problem.')
    assert.equal(problem.message, 'The case.')
    assert.equal(problem.details.retryAfterSeconds, 3)
    assert.equal(kind().message, 'A planted problem.')
  })

  it('is declared once', () => {
    assert.throws(() => defineProblem('planted-problem', 400, 'Again.'), /declared twice/)
    assert.equal(problemKinds().filter(({ code }) => code === 'planted-problem').length, 1)
  })
})
