import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ADA, assertProblem, createPeopleApi, MISSING, type PeopleApi, pay } from './testing/people-api.ts'

describe('who reaches what through the API of people', () => {
  let api: PeopleApi
  before(async () => {
    api = await createPeopleApi()
  })
  after(() => api.server.stop())

  it('answers 404 for what does not exist, and the same bytes for what belongs to another tenant', async () => {
    const other = await api.server.newTenant()
    const [employeeId, candidateId] = [await api.hire(), await api.candidate()]
    const asked: [string, object | undefined][] = [
      ['', undefined],
      ['/history', undefined],
      ['/person', { person: {} }],
      ['/assignment', { title: 'Lead' }],
      ['/compensation', pay('1')],
      ['/termination', {}],
      ['/termination/cancel', {}],
      ['/employments', { start_date: '2030-01-01' }],
    ]
    const bytes = (reply: { body: string }, id: string) =>
      reply.body
        .replaceAll(id, 'ID')
        .replace(/"request_id":"[^"]*"/, '')
        .replace(/"instance":"[^"]*"/, '')
    const compare = async (base: string, real: string, missing: string, path: string, body: object | undefined, code: string) => {
      for (const headers of [{}, { 'if-match': '"1"' }]) {
        const [foreign, absent] = await Promise.all(
          [real, missing].map((id) => api.send(body ? 'POST' : 'GET', `${base}/${id}${path}`, body, { key: other, headers })),
        )
        assertProblem(foreign!, 404, code)
        assert.equal(bytes(foreign!, real), bytes(absent!, missing))
      }
    }
    for (const [path, body] of asked) await compare('/employees', employeeId, MISSING.emp, path, body, 'employee-not-found')
    for (const [path, body] of [
      ['', undefined],
      ['/status', { stage: 'x' }],
      ['/hire', { start_date: '2020-01-01' }],
    ] as const)
      await compare('/candidates', candidateId, MISSING.can, path, body, 'candidate-not-found')
    assert.deepEqual((await api.get('/employees', { key: other })).json().data, [])
    assert.deepEqual((await api.get('/candidates', { key: other })).json().data, [])
    assert.deepEqual((await api.get('/departments', { key: other })).json().data, [])
  })

  it('refuses a change on an older version with 412 and changes nothing', async () => {
    const [employeeId, candidateId] = [await api.hire(), await api.candidate()]
    const stale = { headers: { 'if-match': '"99"' } }
    const asked: [string, object][] = [
      [`/employees/${employeeId}/person`, { person: { family_name: 'King' } }],
      [`/employees/${employeeId}/assignment`, { title: 'Lead' }],
      [`/employees/${employeeId}/compensation`, pay('9')],
      [`/employees/${employeeId}/termination`, {}],
      [`/employees/${employeeId}/termination/cancel`, {}],
      [`/employees/${employeeId}/employments`, { start_date: '2030-01-01' }],
      [`/candidates/${candidateId}/status`, { stage: 'offer' }],
      [`/candidates/${candidateId}/hire`, { start_date: '2020-01-01' }],
    ]
    for (const [path, body] of asked) assertProblem(await api.post(path, body, stale), 412, 'precondition-failed')
    const tag = (await api.get(`/employees/${employeeId}`)).headers.etag as string
    assert.equal(
      (await api.post(`/employees/${employeeId}/assignment`, { title: 'Lead' }, { headers: { 'if-match': tag } })).statusCode,
      200,
    )
    assertProblem(
      await api.post(`/employees/${employeeId}/assignment`, { title: 'Head' }, { headers: { 'if-match': tag } }),
      412,
      'precondition-failed',
    )
    const candidateTag = (await api.get(`/candidates/${candidateId}`)).headers.etag as string
    assert.equal(
      (await api.post(`/candidates/${candidateId}/status`, { stage: 'offer' }, { headers: { 'if-match': candidateTag } })).statusCode,
      200,
    )
  })

  it('lets one of two concurrent changes of the same version through, and loses neither of two that name none', async () => {
    const id = await api.hire()
    const tag = (await api.get(`/employees/${id}`)).headers.etag as string
    const guarded = await Promise.all(
      ['Lead', 'Head'].map((title) => api.post(`/employees/${id}/assignment`, { title }, { headers: { 'if-match': tag } })),
    )
    assert.deepEqual(guarded.map(({ statusCode }) => statusCode).sort(), [200, 412])
    const months = ['01', '02', '03', '04', '05', '06', '07', '08']
    const free = await Promise.all(
      months.map((month) => api.post(`/employees/${id}/compensation`, { effective_date: `2021-${month}-01`, ...pay(`41${month}`) })),
    )
    assert.deepEqual(new Set(free.map(({ statusCode }) => statusCode)), new Set([200]))
    for (const month of months) {
      const [paid] = (await api.get(`/employees/${id}?as_of=2021-${month}-15`)).json().compensations
      assert.equal(paid.components[0].amount, `41${month}`)
    }
    const sequences = await api.server.database.withTenant(api.server.tenant.tenantId, (tx) =>
      tx.selectFrom('event').select('sequence').where('employee_id', '=', id).orderBy('sequence').execute(),
    )
    assert.deepEqual(
      sequences.map(({ sequence }) => Number(sequence)),
      sequences.map((_, at) => at + 1),
    )
    assert.equal(await api.versionOf(id), Number(tag.replaceAll('"', '')) + 9)
  })

  it('shows each reader the fields of its scopes, and names the others', async () => {
    const id = await api.hire({ assignment: { title: 'Lead' } })
    await api.post(`/employees/${id}/termination`, { end_date: '2999-01-01', termination: { type: 'voluntary', reason: 'moves away' } })
    const views = [
      { scopes: ['employees:read'], personal: false, secret: false },
      { scopes: ['employees:read', 'employees:read:personal'], personal: true, secret: false },
      { scopes: ['employees:read', 'employees:read:personal', 'employees:read:secret'], personal: true, secret: true },
      { scopes: ['employees:read', 'employees:read:secret'], personal: false, secret: true },
    ] as const
    for (const { scopes, personal, secret } of views) {
      const key = await api.keyWith(...scopes)
      const view = (await api.get(`/employees/${id}`, { key })).json()
      const history = (await api.get(`/employees/${id}/history`, { key })).body
      assert.equal('family_name' in view.person, personal)
      assert.equal('amount' in view.compensations[0].components[0], personal)
      assert.equal(view.compensations[0].components[0].currency, 'EUR')
      assert.equal(view.employments[0].termination?.reason, personal ? 'moves away' : undefined)
      assert.equal('national_id' in view.person, secret)
      assert.equal(view.restricted.includes('compensation.components.amount'), !personal)
      assert.equal(view.restricted.includes('person.national_id'), !secret)
      assert.deepEqual(
        [history.includes('moves away'), history.includes('Byron'), history.includes('"4000"'), history.includes('N-12345')],
        [personal, personal, personal, secret],
      )
    }
    const candidateId = await api.candidate()
    const open = await api.keyWith('candidates:read')
    const shut = await api.keyWith('candidates:read', 'candidates:read:personal')
    assert.deepEqual((await api.get(`/candidates/${candidateId}`, { key: open })).json().restricted, ['person'])
    const seen = (await api.get(`/candidates/${candidateId}`, { key: shut })).json()
    assert.deepEqual([seen.person.family_name, seen.person.national_id], ['Byron', undefined])
  })

  it('answers 403 without the scope, and then tells nothing of the record, not even by If-Match', async () => {
    const [employeeId, candidateId] = [await api.hire(), await api.candidate()]
    const key = await api.keyWith('events:read')
    const asked: ['GET' | 'POST', string, object?][] = [
      ['GET', `/employees/${employeeId}`],
      ['GET', `/employees/${employeeId}/history`],
      ['GET', '/employees'],
      ['GET', `/candidates/${candidateId}`],
      ['GET', '/candidates'],
      ['GET', '/departments'],
      ['POST', '/employees', { person: ADA, start_date: '2020-01-01' }],
      ['POST', '/candidates', { person: ADA }],
      ['POST', '/departments', { code: 'z', name: 'Z' }],
      ['POST', '/locations', { code: 'z', name: 'Z', time_zone: 'UTC' }],
      ['POST', '/legal_entities', { code: 'z', name: 'Z', country: 'DE' }],
      ['POST', `/employees/${employeeId}/person`, { person: {} }],
      ['POST', `/employees/${employeeId}/assignment`, {}],
      ['POST', `/employees/${employeeId}/compensation`, pay('1')],
      ['POST', `/employees/${employeeId}/termination`, {}],
      ['POST', `/employees/${employeeId}/termination/cancel`, {}],
      ['POST', `/employees/${employeeId}/employments`, { start_date: '2030-01-01' }],
      ['POST', `/candidates/${candidateId}/status`, { stage: 'x' }],
      ['POST', `/candidates/${candidateId}/hire`, { start_date: '2020-01-01' }],
    ]
    for (const [method, path, body] of asked)
      for (const headers of [{}, { 'if-match': '"99"' }])
        assertProblem(await api.send(method, path, body, { key, headers }), 403, 'not-allowed')
  })
})
