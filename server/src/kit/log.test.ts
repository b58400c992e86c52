import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog, describeError } from './log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  write(createLog('trace', { write: (line: string) => void lines.push(line) }))
  return lines.join('')
}

const VALUE = 'canary-value'
const NAMES = ['authorization', 'cookie', 'password', 'secret', 'body', 'payload', 'person', 'personal', 'parameters', 'key']

describe('the log', () => {
  it('cuts what could hold a personal value or a secret, at the first three levels', () => {
    for (const name of NAMES) {
      for (const fields of [
        { [name]: VALUE },
        { a: { [name]: VALUE } },
        { a: { b: { [name]: { deep: VALUE } } } },
        { headers: { [name]: VALUE } },
      ]) {
        const line = logged((log) => log.info(fields, 'said'))
        assert.ok(!line.includes(VALUE) && line.includes('[redacted]'), line)
      }
    }
  })

  it('keeps ids, counts and symbols', () => {
    const line = JSON.parse(logged((log) => log.trace({ delivery: 'dlv_1', count: 3, tenant: 'ten_1' }, 'delivery.attempted')))
    assert.equal(line.delivery, 'dlv_1')
    assert.equal(line.count, 3)
    assert.equal(line.msg, 'delivery.attempted')
    assert.match(line.time, /^\d{4}-\d\d-\d\dT/)
  })

  it('tells of an error of PostgreSQL its code, constraint and place, and nothing that it quotes', () => {
    const error = Object.assign(new Error(`duplicate key ${VALUE}`), {
      severity: 'ERROR',
      code: '23505',
      detail: `Key (email)=(${VALUE})`,
      where: VALUE,
      hint: VALUE,
      constraint: 'candidate_key',
      table: 'candidate',
    })
    for (const fields of [{ err: error }, { err: Object.assign(error, { cause: new Error(VALUE) }) }]) {
      const line = logged((log) => log.error(fields, 'failed'))
      assert.ok(!line.includes(VALUE), line)
      assert.ok(line.includes('23505') && line.includes('candidate_key') && line.includes('log.test.ts'))
    }
  })

  it('tells of a parser its class and place only', () => {
    const error = (() => {
      try {
        return JSON.parse(`{"name": ${VALUE}`)
      } catch (thrown) {
        return thrown
      }
    })()
    const line = logged((log) => log.warn({ err: error }, 'unreadable'))
    assert.ok(!line.includes('canary') && line.includes('SyntaxError'), line)
  })

  it('tells of what was thrown and is no error its type only', () => {
    assert.deepEqual(describeError(VALUE), { type: 'string' })
    assert.deepEqual(describeError({ person: VALUE }), { type: 'object' })
  })

  it('tells of an error of our own its message', () => {
    assert.equal(describeError(new Error('The tenant has no key.'))['message'], 'The tenant has no key.')
  })
})
