import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ADA, assertProblem, createPeopleApi, type PeopleApi, pay } from './testing/people-api.ts'

describe('the API of people', () => {
  let api: PeopleApi
  before(async () => {
    api = await createPeopleApi()
  })
  after(() => api.server.stop())

  it('enters an employee, says where, and answers every read of it', async () => {
    const reply = await api.post('/employees', { person: ADA, start_date: '2020-01-01' })
    const { employee_id: id, employment_id } = reply.json()
    assert.equal(reply.headers.location, `/v1/employees/${id}`)
    const view = await api.get(`/employees/${id}`)
    assert.equal(view.statusCode, 200)
    assert.equal(view.headers.etag, `"${view.json().version}"`)
    assert.equal(view.json().status, 'active')
    assert.equal(view.json().employments[0].id, employment_id)
    assert.equal((await api.get(`/employees/${id}/history`)).json().data.length, 3)
    assert.ok((await api.get('/employees?limit=200')).json().data.some((one: { id: string }) => one.id === id))
    assert.equal((await api.get(`/employees/${id}?as_of=2019-12-31`)).json().status, 'prehire')
  })

  it('answers 200 to each change, and says whether anything was different', async () => {
    const id = await api.hire()
    const changes: [string, object][] = [
      ['person', { person: { family_name: 'King' } }],
      ['assignment', { title: 'Lead', fte: '0.80' }],
      ['compensation', pay('4100')],
    ]
    for (const [path, body] of changes) {
      assert.deepEqual((await api.post(`/employees/${id}/${path}`, body)).json(), { changed: true }, path)
      assert.deepEqual((await api.post(`/employees/${id}/${path}`, body)).json(), { changed: false }, path)
    }
    assert.deepEqual((await api.post(`/employees/${id}/compensation`, pay('4100.00'))).json(), { changed: false })
    const end = { end_date: '2999-01-01' }
    assert.deepEqual((await api.post(`/employees/${id}/termination`, end)).json(), { changed: true })
    assert.deepEqual((await api.post(`/employees/${id}/termination`, end)).json(), { changed: false })
    assert.deepEqual((await api.post(`/employees/${id}/termination/cancel`, {})).json(), { changed: true })
    assert.deepEqual((await api.post(`/employees/${id}/termination`, { end_date: '2024-01-01' })).json(), { changed: true })
    assert.equal((await api.post(`/employees/${id}/employments`, { start_date: '2025-01-01' })).statusCode, 201)
  })

  it('shows jobs and pay no longer than the employment that they belong to', async () => {
    const id = await api.hire({ assignment: { title: 'Analyst' } })
    await api.post(`/employees/${id}/termination`, { end_date: '2024-01-01' })
    await api.post(`/employees/${id}/employments`, { start_date: '2025-01-01', assignment: { title: 'Head' } })
    const titles = async (asOf: string) =>
      (await api.get(`/employees/${id}?as_of=${asOf}`))
        .json()
        .assignments.map(({ title, valid_to }: { title: string; valid_to: string | null }) => [title, valid_to])
    assert.deepEqual(await titles('2023-12-31'), [['Analyst', '2024-01-01']])
    assert.deepEqual(await titles('2024-06-01'), [])
    assert.deepEqual(await titles('2025-01-01'), [['Head', null]])
    assert.deepEqual((await api.get(`/employees/${id}?as_of=2024-06-01`)).json().compensations, [])
  })

  it('hires a candidate once: 201, then 200 with the same employee also after a rehire, then 409 for another hire', async () => {
    const id = await api.candidate()
    const input = { start_date: '2020-01-01', compensation: pay('4000') }
    const first = await api.post(`/candidates/${id}/hire`, input)
    assert.equal(first.statusCode, 201)
    const { employee_id } = first.json()
    await api.post(`/employees/${employee_id}/termination`, { end_date: '2021-01-01' })
    await api.post(`/employees/${employee_id}/employments`, { start_date: '2022-01-01' })
    const again = await api.post(`/candidates/${id}/hire`, input)
    assert.deepEqual([again.statusCode, again.json()], [200, first.json()])
    assertProblem(await api.post(`/candidates/${id}/hire`, { ...input, start_date: '2020-02-01' }), 409, 'candidate-already-hired')
    assertProblem(await api.post(`/candidates/${id}/status`, { status: 'rejected' }), 409, 'candidate-not-active')
    assert.equal((await api.get(`/candidates/${id}`)).json().status, 'hired')
  })

  it('refuses the hire of a candidate who was rejected, until the candidate is active again', async () => {
    const id = await api.candidate()
    assert.deepEqual((await api.post(`/candidates/${id}/status`, { status: 'rejected' })).json(), { changed: true })
    assertProblem(await api.post(`/candidates/${id}/hire`, { start_date: '2020-01-01' }), 409, 'candidate-not-active')
    await api.post(`/candidates/${id}/status`, { status: 'active' })
    assert.equal((await api.post(`/candidates/${id}/hire`, { start_date: '2020-01-01' })).statusCode, 201)
  })

  it('refuses a second candidate from the same source with the same id', async () => {
    const input = { person: ADA, source: 'ats', source_id: '77' }
    assert.equal((await api.post('/candidates', input)).statusCode, 201)
    assertProblem(await api.post('/candidates', input), 409, 'candidate-source-taken', '/source_id')
  })

  it('answers 404 for an employee as known before it was entered', async () => {
    assertProblem(await api.get(`/employees/${await api.hire()}?known_at=2001-01-01T00:00:00Z`), 404, 'employee-not-found')
  })

  it('gives a free number although numbers from another system lie ahead', async () => {
    const first = Number((await api.get(`/employees/${await api.hire()}`)).json().employee_number)
    for (const ahead of [1, 2, 3, 5]) await api.hire({ employee_number: String(first + ahead) })
    const free = await Promise.all([1, 2, 3].map(async () => (await api.get(`/employees/${await api.hire()}`)).json().employee_number))
    assert.equal(new Set(free).size, 3)
  })

  it('keeps hiring into the first legal entity when later ones are added, and into a named one when asked', async () => {
    const { id } = (await api.post('/legal_entities', { code: 'aaa', name: 'Later', country: 'US' })).json()
    const entityOf = async (employeeId: string) => (await api.get(`/employees/${employeeId}`)).json().employments[0].legal_entity_id
    assert.equal(await entityOf(await api.hire()), api.legalEntityId)
    assert.equal(await entityOf(await api.hire({ legal_entity_id: id })), id)
  })

  it('lists departments, locations and legal entities page by page, each once', async () => {
    for (const at of [1, 2, 3])
      assert.equal((await api.post('/locations', { code: `l${at}`, name: 'L', time_zone: 'UTC' })).statusCode, 201)
    const codes: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 10; pages++) {
      const { data, next_cursor } = (await api.get(`/locations?limit=2${cursor}`)).json()
      codes.push(...data.map(({ code }: { code: string }) => code))
      if (next_cursor === null) break
      cursor = `&cursor=${next_cursor}`
    }
    assert.deepEqual(codes.sort(), ['l1', 'l2', 'l3'])
  })
})
