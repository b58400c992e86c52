import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { asAdmin } from '../../database/test-database.ts'
import { createLocation } from '../organisation/create-unit.ts'
import { type Company, createCompany } from '../testing/company.ts'
import { changeAssignment } from './change-assignment.ts'
import { changeCompensation } from './change-compensation.ts'
import { createEmployee } from './create-employees.ts'
import { openDueEvents } from './open-due-events.ts'
import { startEmployment } from './start-employment.ts'
import { cancelTermination, terminateEmployment } from './terminate-employment.ts'
import { updatePerson } from './update-person.ts'

const pay = (amount: string) => ({
  components: [{ kind: 'base' as const, amount, currency: 'EUR', period: 'month' as const }],
  pay_frequency: 'monthly' as const,
})

describe('an event that waits for its day', () => {
  let company: Company
  const sites: Record<string, string> = {}
  before(async () => {
    company = await createCompany()
    for (const zone of ['America/New_York', 'Pacific/Auckland', 'Africa/Cairo']) {
      const { id } = await company.change((change) => createLocation(change, { code: zone, name: zone, time_zone: zone }))
      sites[zone] = id
    }
  })
  beforeEach(() => company.at('2026-06-15T10:00:00Z'))
  after(() => company.close())

  const hire = async (startDate: string, assignment = {}) => {
    const input = { person: { given_name: 'Ada', family_name: 'Byron' }, start_date: startDate, compensation: pay('4000'), assignment }
    return (await company.change((change) => createEmployee(change, input))).employeeId
  }
  const tellAt = (moment: string) => {
    company.at(moment)
    return openDueEvents(company.ground, new Date(moment))
  }
  const typesOf = async (employeeId: string) => (await company.events({ employeeId })).map(({ type }) => type)
  const lastOf = async (employeeId: string) => (await company.events({ employeeId })).at(-1)!

  it('waits for midnight of the site to which the employee moves before that day', async () => {
    const employeeId = await hire('2020-01-01')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-09-01', ...pay('5000') }))
    await company.change((change) =>
      changeAssignment(change, employeeId, { effective_date: '2026-08-01', location_id: sites['America/New_York']! }),
    )
    assert.equal(await tellAt('2026-09-01T03:59:59Z'), 1)
    assert.equal((await lastOf(employeeId)).type, 'assignment.changed')
    assert.equal(await tellAt('2026-09-01T04:00:00Z'), 1)
    assert.equal((await lastOf(employeeId)).timestamp, '2026-09-01T04:00:00.000Z')
  })

  it('is told at the first moment of a day whose midnight the clocks skip', async () => {
    const employeeId = await hire('2027-04-30', { location_id: sites['Africa/Cairo'] })
    assert.equal(await tellAt('2027-04-29T21:59:59.999Z'), 0)
    assert.equal(await tellAt('2027-04-29T22:00:00Z'), 1)
    assert.equal((await lastOf(employeeId)).type, 'employment.started')
  })

  it('is told at once where the day has come at the site, though not yet at the head office', async () => {
    company.at('2026-06-15T13:00:00Z')
    const employeeId = await hire('2026-06-16', { location_id: sites['Pacific/Auckland'] })
    assert.deepEqual(await typesOf(employeeId), ['employee.created', 'employment.started'])
  })

  it('is told before a command that comes while the scheduler is away, so that an end never precedes its start', async () => {
    const employeeId = await hire('2026-07-01')
    company.at('2026-07-10T10:00:00Z')
    await company.change((change) => terminateEmployment(change, employeeId, {}))
    assert.equal(await openDueEvents(company.ground, new Date('2026-07-10T10:00:00Z')), 0)
    const events = await company.events({ employeeId })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['employee.created', 'employment.start_scheduled', 'employment.started', 'employment.terminated'],
    )
    assert.deepEqual([events[2]?.source, events[2]?.timestamp], ['scheduler', '2026-06-30T22:00:00.000Z'])
  })

  it('is told once, and settled, by a command that itself changes nothing', async () => {
    const employeeId = await hire('2026-07-01')
    company.at('2026-07-10T10:00:00Z')
    assert.equal(await company.change((change) => changeAssignment(change, employeeId, {})), false)
    assert.equal(await openDueEvents(company.ground, new Date('2026-07-10T10:00:00Z')), 0)
    assert.equal((await typesOf(employeeId)).filter((type) => type === 'employment.started').length, 1)
  })

  it('is told once when it was corrected before its day, and belongs to the correction', async () => {
    const employeeId = await hire('2020-01-01')
    const enter = (amount: string) =>
      company.change(async (change) => {
        await changeCompensation(change, employeeId, { effective_date: '2026-08-01', ...pay(amount) })
        return change.id
      })
    await enter('5000')
    company.at('2026-06-16T10:00:00Z')
    const correction = await enter('5500')
    assert.equal(await tellAt('2026-08-01T00:00:00Z'), 1)
    const { correlation_id, recorded_at, previous_attributes } = await lastOf(employeeId)
    assert.deepEqual([correlation_id, recorded_at], [correction, '2026-06-16T10:00:00.000Z'])
    assert.deepEqual(previous_attributes, { compensation: { components: [{ kind: 'base', amount: '4000' }] } })
    assert.equal((await typesOf(employeeId)).filter((type) => type === 'compensation.changed').length, 1)
  })

  it('is not told when a correction made it the same as the day before', async () => {
    const employeeId = await hire('2020-01-01')
    for (const amount of ['5000', '4000'])
      await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-08-01', ...pay(amount) }))
    await tellAt('2026-08-01T00:00:00Z')
    assert.deepEqual(await typesOf(employeeId), ['employee.created', 'employment.started'])
  })

  it('is part of the start when it changes the job or the pay of the first day', async () => {
    const employeeId = await hire('2026-07-01', { title: 'Analyst' })
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-07-01', ...pay('4500') }))
    await company.change((change) => changeAssignment(change, employeeId, { effective_date: '2026-07-01', title: 'Lead' }))
    assert.equal(await tellAt('2026-07-01T00:00:00Z'), 1)
    const { type, data } = await lastOf(employeeId)
    assert.equal(type, 'employment.started')
    assert.equal((data as { assignment: { title: string } }).assignment.title, 'Lead')
    assert.equal((data as { compensation: { components: { amount: string }[] } }).compensation.components[0]?.amount, '4500')
  })

  it('says what a person was before, when the data of a prehire change before the first day', async () => {
    const employeeId = await hire('2026-07-01')
    await company.change((change) => updatePerson(change, employeeId, { person: { family_name: 'King' } }))
    const { type, changed, previous_attributes, status } = await lastOf(employeeId)
    assert.deepEqual([type, changed, status], ['employee.updated', ['person.family_name'], 'prehire'])
    assert.deepEqual(previous_attributes, { person: { family_name: 'Byron' } })
  })

  it('is not told of the pay of an employment that ended, though a later employment is in force', async () => {
    const employeeId = await hire('2020-01-01')
    await company.change((change) => changeCompensation(change, employeeId, { effective_date: '2026-10-01', ...pay('6000') }))
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-07-01' }))
    await company.change((change) => startEmployment(change, employeeId, { start_date: '2026-09-01', compensation: pay('4200') }))
    await tellAt('2026-10-02T00:00:00Z')
    assert.deepEqual((await typesOf(employeeId)).slice(2), [
      'employment.termination_scheduled',
      'employment.start_scheduled',
      'employment.terminated',
      'employment.started',
    ])
  })

  it('ends one employment before it starts the next at the same midnight', async () => {
    const employeeId = await hire('2020-01-01')
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-08-01' }))
    await company.change((change) => startEmployment(change, employeeId, { start_date: '2026-08-01' }))
    assert.equal(await tellAt('2026-08-01T00:00:00Z'), 2)
    assert.deepEqual((await typesOf(employeeId)).slice(-2), ['employment.terminated', 'employment.started'])
  })

  it('goes with the termination that was cancelled, and the next one is told once', async () => {
    const employeeId = await hire('2020-01-01')
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-08-01' }))
    await company.change((change) => cancelTermination(change, employeeId, {}))
    await company.change((change) => terminateEmployment(change, employeeId, { end_date: '2026-08-01' }))
    assert.equal(await tellAt('2026-08-02T00:00:00Z'), 1)
    assert.equal((await typesOf(employeeId)).filter((type) => type === 'employment.terminated').length, 1)
  })

  it('refuses an end on or before the first day of an employment that has not begun', async () => {
    const employeeId = await hire('2026-07-01')
    for (const end_date of ['2026-06-20', '2026-07-01', undefined]) {
      const input = end_date ? { end_date } : {}
      await assert.rejects(
        company.change((change) => terminateEmployment(change, employeeId, input)),
        { code: 'invalid-date' },
      )
    }
  })

  it('is withdrawn for somebody who was erased', async () => {
    const employeeId = await hire('2026-07-01')
    await asAdmin(company.database.admin, (client) =>
      client.query('delete from keys.person_key where person_id = (select person_id from employee where id = $1)', [employeeId]),
    )
    company.at('2026-07-01T00:00:00Z')
    await openDueEvents(company.anotherProcess(), new Date('2026-07-01T00:00:00Z'))
    const { rows } = await asAdmin(company.database.admin, (client) =>
      client.query('select state from scheduled_event where employee_id = $1', [employeeId]),
    )
    assert.deepEqual(rows, [{ state: 'cancelled' }])
  })

  it('holds up nobody else when it cannot be told', async () => {
    const [broken, whole] = [await hire('2026-07-01'), await hire('2026-07-01')]
    await asAdmin(company.database.admin, (client) =>
      client.query('update person_fact set personal = personal || $2 where subject_id = (select person_id from employee where id = $1)', [
        broken,
        Buffer.of(0),
      ]),
    )
    await assert.rejects(tellAt('2026-07-01T00:00:00Z'))
    assert.equal((await lastOf(whole)).type, 'employment.started')
  })
})
