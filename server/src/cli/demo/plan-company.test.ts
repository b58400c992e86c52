import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planCompany } from './plan-company.ts'

const TODAY = '2026-11-23'

describe('the plan of the demo company', () => {
  it('is the same for the same seed and day, and another for another seed', () => {
    assert.deepEqual(planCompany(7, TODAY), planCompany(7, TODAY))
    assert.notDeepEqual(planCompany(7, TODAY), planCompany(8, TODAY))
  })

  it('has 60 people with different names and addresses, of whom some have not started', () => {
    const { employees } = planCompany(7, TODAY)

    assert.equal(employees.length, 60)
    assert.equal(new Set(employees.map(({ person }) => person.email)).size, 60)
    assert.ok(employees.every(({ person }) => /^[a-z]+\.[a-z]+@harbourpine\.example$/.test(person.email)))
    assert.ok(employees.some(({ startDate }) => startDate > TODAY))
  })

  it('gives everybody but one a manager who started before them and is entered before them', () => {
    const { employees } = planCompany(7, TODAY)

    const [top, ...others] = employees
    assert.equal(top?.managerAt, undefined)
    for (const { managerAt, rank, startDate } of others) {
      const manager = employees[managerAt!]
      assert.ok(manager && manager.rank < rank && manager.startDate <= startDate)
    }
  })

  for (const today of ['2026-11-23', '2027-01-01', '2028-02-29', '2028-12-31']) {
    it(`dates every change inside the employment that it is of (${today})`, () => {
      const { employees, raises, promotions, terminations } = planCompany(7, today)

      for (const { at, on } of [...raises, ...promotions]) assert.ok(on > employees[at]!.startDate && on <= today)
      assert.ok(terminations.some(({ endDate }) => endDate > today) && terminations.some(({ endDate }) => endDate <= today))
      for (const { at, endDate } of terminations) assert.ok(endDate > employees[at]!.startDate)
    })
  }
})
