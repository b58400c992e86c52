import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemActor } from '../../access/actor.ts'
import { createCandidate } from '../candidates/create-candidate.ts'
import { hireCandidate } from '../candidates/hire-candidate.ts'
import { createLocation } from '../organisation/create-unit.ts'
import { type Company, createCompany } from '../testing/company.ts'
import { changeAssignment } from './change-assignment.ts'
import { changeCompensation } from './change-compensation.ts'
import { createEmployee } from './create-employees.ts'
import { openDueEvents } from './open-due-events.ts'
import { getEmployee, getEmployeeHistory } from './queries.ts'
import { startEmployment } from './start-employment.ts'
import { cancelTermination, terminateEmployment } from './terminate-employment.ts'
import { updatePerson } from './update-person.ts'

const person = {
  given_name: 'Ada',
  family_name: 'Byron',
  email: 'ada@example.com',
  national_id: { country: 'DE', type: 'tax_id', value: '12345' },
}
const pay = (amount: string) => ({
  components: [{ kind: 'base' as const, amount, currency: 'EUR', period: 'month' as const }],
  pay_frequency: 'monthly' as const,
})

describe('the life of an employment', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  after(() => company.close())

  const hire = (startDate: string, extra = {}) =>
    company.change((change) =>
      createEmployee(change, { person, start_date: startDate, compensation: pay('4000.00'), assignment: { title: 'Analyst' }, ...extra }),
    )
  const eventsOf = async (employeeId: string) => (await company.events()).filter((event) => event.employee_id === employeeId)
  const typesOf = async (employeeId: string) => (await eventsOf(employeeId)).map(({ type }) => type)

  it('schedules a future start, and starts it once, at midnight of the site', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2026-07-01')
    assert.deepEqual(await typesOf(employeeId), ['employee.created', 'employment.start_scheduled'])
    assert.equal(await openDueEvents(company.ground, new Date('2026-06-30T21:59:59Z')), 0)
    company.at('2026-06-30T22:00:00Z')
    assert.equal(await openDueEvents(company.ground, new Date('2026-06-30T22:00:00Z')), 1)
    assert.equal(await openDueEvents(company.ground, new Date('2026-06-30T22:00:00Z')), 0)
    const started = (await eventsOf(employeeId)).at(-1)
    assert.equal(started?.type, 'employment.started')
    assert.equal(started?.timestamp, '2026-06-30T22:00:00.000Z')
    assert.equal(started?.recorded_at, '2026-06-15T10:00:00.000Z')
    assert.equal(started?.source, 'scheduler')
    assert.deepEqual(
      started?.data['compensation'] && (started.data['compensation'] as { components: unknown }).components,
      pay('4000.00').components,
    )
  })

  it('numbers the events of an employee without a gap', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2020-01-01')
    for (const amount of ['4100', '4200', '4300'])
      await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-01-01', ...pay(amount) }))
    const sequences = (await eventsOf(employeeId)).map(({ sequence }) => sequence)
    assert.deepEqual(sequences, [1, 2, 3, 4, 5])
  })

  it('tells what changed, what it was before, and that it is retroactive', async () => {
    const { employeeId } = await hire('2020-01-01')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-05-01', ...pay('4500.00') }))
    const event = (await eventsOf(employeeId)).at(-1)
    assert.equal(event?.type, 'compensation.changed')
    assert.deepEqual(event?.changed, ['compensation.components[base].amount'])
    assert.deepEqual(event?.previous_attributes, { compensation: { components: [{ kind: 'base', amount: '4000.00' }] } })
    assert.equal(event?.retroactive, true)
    assert.equal(event?.effective_date, '2026-05-01')
  })

  it('emits nothing and writes nothing when nothing is different', async () => {
    const { employeeId } = await hire('2020-01-01')
    const before = (await eventsOf(employeeId)).length
    assert.equal(
      await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-05-01', ...pay('4000.00') })),
      false,
    )
    assert.equal(await company.change((change) => changeAssignment(change, employeeId, { title: 'Analyst' })), false)
    assert.equal((await eventsOf(employeeId)).length, before)
  })

  it('names a secret field that changed, and never carries it', async () => {
    const { employeeId } = await hire('2020-01-01')
    await company.change((change) =>
      updatePerson(change, employeeId, {
        person: { national_id: { country: 'DE', type: 'tax_id', value: '98765' }, email: 'new@example.com' },
      }),
    )
    const event = (await eventsOf(employeeId)).at(-1)
    assert.equal(event?.type, 'employee.updated')
    assert.deepEqual([...(event?.changed ?? [])].sort(), ['person.email', 'person.national_id'])
    assert.ok(!JSON.stringify(event).includes('98765') && !JSON.stringify(event).includes('12345'))
  })

  it('keeps a later change when one is entered before it', async () => {
    const { employeeId } = await hire('2020-01-01')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-09-01', ...pay('5000.00') }))
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-03-01', ...pay('4200.00') }))
    const actor = systemActor('test', 'test')
    const payOn = (asOf: string) =>
      company.database.withTenant(company.tenantId, async (tx) => {
        const view = await getEmployee(tx, company.ground.vault, actor, employeeId, { asOf })
        return (view['compensations'] as { components: { amount: string }[] }[])[0]?.components[0]?.amount
      })
    assert.deepEqual(await Promise.all(['2026-02-01', '2026-03-01', '2026-08-31', '2026-09-01'].map(payOn)), [
      '4000.00',
      '4200.00',
      '4200.00',
      '5000.00',
    ])
  })

  it('answers what was known at a moment', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2020-01-01')
    company.at('2026-06-25T10:00:00Z')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-06-01', ...pay('4900.00') }))
    const actor = systemActor('test', 'test')
    const known = (knownAt: string) =>
      company.database.withTenant(company.tenantId, async (tx) => {
        const view = await getEmployee(tx, company.ground.vault, actor, employeeId, { asOf: '2026-06-10', knownAt: new Date(knownAt) })
        return (view['compensations'] as { components: { amount: string }[] }[])[0]?.components[0]?.amount
      })
    assert.equal(await known('2026-06-20T00:00:00Z'), '4000.00')
    assert.equal(await known('2026-06-26T00:00:00Z'), '4900.00')
    const history = await company.database.withTenant(company.tenantId, (tx) =>
      getEmployeeHistory(tx, company.ground.vault, actor, employeeId),
    )
    assert.equal(history.filter(({ subject }) => subject === 'compensation').length, 3)
  })

  it('answers the date of the site where the employee works, not that of the head office', async () => {
    const site = { code: 'akl', name: 'Auckland', time_zone: 'Pacific/Auckland' }
    const { id } = await company.change((change) => createLocation(change, site))
    company.at('2026-06-15T13:00:00Z')
    const { employeeId } = await hire('2020-01-01', { assignment: { location_id: id } })
    const view = await company.database.withTenant(company.tenantId, (tx) =>
      getEmployee(tx, company.ground.vault, systemActor('test', 'test'), employeeId),
    )
    assert.equal(view['as_of'], '2026-06-16')
  })

  it('schedules a termination, cancels it, and ends the employment when its day comes', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2020-01-01')
    await company.change((change) =>
      terminateEmployment(change, employeeId, { end_date: '2026-08-01', termination: { type: 'voluntary' } }),
    )
    await company.change((change) => cancelTermination(change, employeeId, {}))
    assert.equal(await openDueEvents(company.ground, new Date('2026-08-02T00:00:00Z')), 0)
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-08-20' }))
    company.at('2026-08-20T00:00:00Z')
    assert.equal(await openDueEvents(company.ground, new Date('2026-08-20T00:00:00Z')), 1)
    assert.deepEqual((await typesOf(employeeId)).slice(2), [
      'employment.termination_scheduled',
      'employment.termination_cancelled',
      'employment.termination_scheduled',
      'employment.terminated',
    ])
    const last = (await eventsOf(employeeId)).at(-1)
    assert.equal(last?.status, 'terminated')
    assert.equal((last?.data['employment'] as { end_date: string } | undefined)?.end_date, '2026-08-20')
  })

  it('does not open a pay change that lies behind the end of the employment', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2020-01-01')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-10-01', ...pay('6000.00') }))
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-07-01' }))
    await openDueEvents(company.ground, new Date('2026-12-01T00:00:00Z'))
    assert.equal((await typesOf(employeeId)).includes('compensation.changed'), false)
  })

  it('refuses overlapping employments and takes a rehire', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { employeeId } = await hire('2020-01-01')
    await assert.rejects(
      company.change((change) => startEmployment(change, employeeId, { start_date: '2026-01-01' })),
      { code: 'employment-overlaps' },
    )
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-01-01' }))
    await company.change((change) => startEmployment(change, employeeId, { start_date: '2026-03-01' }))
    assert.deepEqual((await typesOf(employeeId)).slice(2), ['employment.terminated', 'employment.started'])
  })

  it('hires a candidate once', async () => {
    company.at('2026-06-15T10:00:00Z')
    const { id } = await company.change((change) => createCandidate(change, { person }))
    const input = { start_date: '2026-06-15', compensation: pay('4000.00') }
    const first = await company.change((change) => hireCandidate(change, id, input))
    const before = (await company.events()).length
    const again = await company.change((change) => hireCandidate(change, id, input))
    assert.equal(again.employeeId, first.employeeId)
    assert.equal((await company.events()).length, before)
    await assert.rejects(
      company.change((change) => hireCandidate(change, id, { ...input, start_date: '2026-06-16' })),
      { code: 'candidate-already-hired' },
    )
    assert.deepEqual(
      (await company.events()).slice(-5).map(({ type }) => type),
      ['candidate.created', 'candidate.status_changed', 'employee.created', 'employment.started', 'candidate.hired'],
    )
  })

  it('leaves nothing behind when a command is refused', async () => {
    const before = (await company.events()).length
    await assert.rejects(hire('2020-01-01', { assignment: { department_id: 'dep_0000000000000000000000' } }), {
      code: 'reference-not-found',
    })
    await assert.rejects(
      hire('2020-01-01', { compensation: { ...pay('1'), components: [{ kind: 'base', amount: '1', currency: 'XXQ', period: 'month' }] } }),
      { code: 'unknown-currency' },
    )
    assert.equal((await company.events()).length, before)
  })

  it('refuses a cut-off that its offset moves out of the calendar', async () => {
    const { employeeId } = await hire('2020-01-01')
    for (const access_cutoff_at of ['9999-12-31T23:59:59-23:59', '1000-01-01T00:00:00+23:59']) {
      await assert.rejects(
        company.change((change) => terminateEmployment(change, employeeId, { end_date: '2030-01-01', access_cutoff_at })),
        { code: 'invalid-date' },
      )
    }
  })

  it('keeps two changes of one day, and the last is current', async () => {
    const { employeeId } = await hire('2020-01-01')
    for (const title of ['Lead', 'Head'])
      await company.change((change) => changeAssignment(change, employeeId, { effective_date: '2026-06-15', title }))
    const actor = systemActor('test', 'test')
    const history = await company.database.withTenant(company.tenantId, (tx) =>
      getEmployeeHistory(tx, company.ground.vault, actor, employeeId),
    )
    const titles = history
      .filter(({ subject, superseded_at }) => subject === 'assignment' && superseded_at === null)
      .map(({ values }) => (values as { title: string }).title)
    assert.deepEqual(titles, ['Analyst', 'Head'])
    assert.equal(history.filter(({ values }) => (values as { title?: string }).title === 'Lead').length, 1)
  })
})
