import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemActor } from '../../access/actor.ts'
import { getEmployee } from '../../people/employees/queries.ts'
import { type Company, createCompany } from '../../people/testing/company.ts'
import { createDemoCompany } from './create-demo-company.ts'

describe('the demo company', () => {
  let company: Company
  before(async () => {
    company = await createCompany({ now: '2026-11-23T09:00:00Z' })
  })
  after(() => company.close())

  it('is entered with its events: past employments have started, future ones and an end are scheduled', async () => {
    assert.equal(await createDemoCompany(company.ground, company.tenantId), 60)

    const events = await company.events()
    const count = (type: string) => events.filter((event) => event.type === type).length
    assert.equal(count('employee.created'), 60)
    assert.equal(count('employment.started') + count('employment.start_scheduled'), 60)
    assert.ok(count('employment.start_scheduled') > 0)
    assert.equal(count('employment.termination_scheduled'), 1)
    assert.equal(count('employment.terminated'), 1)
    assert.equal(count('candidate.created'), 4)
    assert.ok(count('compensation.changed') > 0 && count('assignment.changed') > 0)
  })

  it('is not entered a second time', async () => {
    const before = (await company.events()).length

    assert.equal(await createDemoCompany(company.ground, company.tenantId), 0)

    assert.equal((await company.events()).length, before)
  })

  it('has managers, places, pay and tax forms', async () => {
    const event = (await company.events()).find(
      ({ type, data }) => type === 'employment.started' && JSON.stringify(data).includes('manager_employee_id'),
    )
    const employee = await company.database.withTenant(company.tenantId, (tx) =>
      getEmployee(tx, company.ground.vault, systemActor('test', 'test'), String(event?.employee_id)),
    )

    const [assignment] = employee.assignments as Record<string, unknown>[]
    assert.match(String(assignment?.manager_employee_id), /^emp_/)
    assert.match(String(assignment?.location_id), /^loc_/)
    assert.match(JSON.stringify(employee.compensations), /"amount":"\d+\.00"/)
    assert.match(JSON.stringify(employee.person), /"tax_profile":\{"country":"[A-Z]{2}"/)
  })
})
