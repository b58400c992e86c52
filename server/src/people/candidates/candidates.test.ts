import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { systemActor } from '../../access/actor.ts'
import { openDueEvents } from '../employees/open-due-events.ts'
import { updatePerson } from '../employees/update-person.ts'
import { type Company, createCompany } from '../testing/company.ts'
import { changeCandidateStatus } from './change-status.ts'
import { createCandidate } from './create-candidate.ts'
import { hireCandidate } from './hire-candidate.ts'
import { getCandidate } from './queries.ts'

const person = { given_name: 'Ada', family_name: 'Byron', national_id: { country: 'DE', type: 'tax_id', value: 'N-1' } }
const actor = systemActor('test', 'test')

describe('a candidate', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  beforeEach(() => company.at('2026-06-15T10:00:00Z'))
  after(() => company.close())

  const create = async (more = {}) => (await company.change((change) => createCandidate(change, { person, ...more }))).id
  const eventsOf = async (candidateId: string) =>
    (await company.events()).filter(({ data }) => (data['candidate'] as { id: string } | undefined)?.id === candidateId)
  const read = (id: string) => company.database.withTenant(company.tenantId, (tx) => getCandidate(tx, company.ground.vault, actor, id))

  it('is told when recorded, without the secrets of the person', async () => {
    const [event] = await eventsOf(await create({ stage: 'offer' }))
    assert.equal(event?.type, 'candidate.created')
    assert.deepEqual([event?.employee_id, event?.sequence], [null, null])
    assert.ok(!JSON.stringify(event).includes('N-1'))
  })

  it('tells every move with what it was before, and nothing where it stands already', async () => {
    const id = await create({ stage: 'screen' })
    const move = (input: object) => company.change((change) => changeCandidateStatus(change, id, input))
    assert.equal(await move({ stage: 'offer' }), true)
    assert.equal(await move({ stage: 'offer' }), false)
    assert.equal(await move({ status: 'withdrawn' }), true)
    const [, offer, withdrawn, ...more] = await eventsOf(id)
    assert.deepEqual(offer?.previous_attributes, { candidate: { stage: 'screen' } })
    assert.deepEqual([withdrawn?.changed, withdrawn?.previous_attributes], [['candidate.status'], { candidate: { status: 'active' } }])
    assert.deepEqual(more, [])
    assert.equal((await read(id)).version, 3)
  })

  it('is hired once by two hires at the same moment', async () => {
    const id = await create()
    const hires = await Promise.all([1, 2].map(() => company.change((change) => hireCandidate(change, id, { start_date: '2026-06-01' }))))
    assert.equal(hires[0]?.employeeId, hires[1]?.employeeId)
    assert.deepEqual(hires.map(({ repeated }) => repeated).sort(), [false, true])
    assert.equal((await eventsOf(id)).filter(({ type }) => type === 'candidate.hired').length, 1)
  })

  it('keeps the person on hire, also for a first day before it was recorded', async () => {
    const id = await create()
    const { employeeId } = await company.change((change) => hireCandidate(change, id, { start_date: '2020-01-01' }))
    const events = await company.events({ employeeId })
    assert.deepEqual(
      events.map(({ type, status, effective_date }) => [type, status, effective_date]),
      [
        ['employee.created', 'active', '2020-01-01'],
        ['employment.started', 'active', '2020-01-01'],
      ],
    )
    assert.equal((events[1]!.data['person'] as { family_name: string }).family_name, 'Byron')
  })

  it('is a prehire, and not active, between the hire and the first day', async () => {
    const id = await create()
    const { employeeId } = await company.change((change) => hireCandidate(change, id, { start_date: '2026-07-01' }))
    const statuses = async () => (await company.events({ employeeId })).map(({ type, status }) => [type, status])
    assert.deepEqual(await statuses(), [
      ['employee.created', 'prehire'],
      ['employment.start_scheduled', 'prehire'],
    ])
    company.at('2026-07-01T10:00:00Z')
    await openDueEvents(company.ground, new Date('2026-07-01T10:00:00Z'))
    assert.deepEqual((await statuses()).at(-1), ['employment.started', 'active'])
  })

  it('shows the person of today, and not what holds from a later day', async () => {
    const id = await create()
    const { employeeId } = await company.change((change) => hireCandidate(change, id, { start_date: '2026-06-01' }))
    await company.change((change) => updatePerson(change, employeeId, { effective_date: '2026-08-01', person: { family_name: 'King' } }))
    assert.equal(((await read(id))['person'] as { family_name: string }).family_name, 'Byron')
  })
})
