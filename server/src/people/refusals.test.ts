import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ADA, assertProblem, createPeopleApi, MISSING, type PeopleApi, pay } from './testing/people-api.ts'

describe('what the API of people refuses', () => {
  let api: PeopleApi
  before(async () => {
    api = await createPeopleApi()
  })
  after(() => api.server.stop())

  it('answers 409 where the record says no, and names the field', async () => {
    const id = await api.hire({ employee_number: 'A-1' })
    assertProblem(
      await api.post('/employees', { person: ADA, start_date: '2020-01-01', employee_number: 'A-1' }),
      409,
      'employee-number-taken',
      '/employee_number',
    )
    assertProblem(await api.post(`/employees/${id}/employments`, { start_date: '2021-01-01' }), 409, 'employment-overlaps', '/start_date')
    assertProblem(
      await api.post(`/employees/${id}/compensation`, { effective_date: '2019-12-31', ...pay('1') }),
      409,
      'not-employed',
      '/effective_date',
    )
    assertProblem(await api.post(`/employees/${id}/termination/cancel`, {}), 409, 'no-scheduled-termination')
    await api.post(`/employees/${id}/termination`, { end_date: '2024-01-01' })
    assertProblem(await api.post(`/employees/${id}/termination`, { end_date: '2024-02-01' }), 409, 'already-terminated')
    assertProblem(await api.post(`/employees/${id}/assignment`, { effective_date: '2024-01-01', title: 'x' }), 409, 'not-employed')
    assertProblem(
      await api.post('/departments', { code: 'hr', name: 'HR' }).then(() => api.post('/departments', { code: 'hr', name: 'HR' })),
      409,
      'code-taken',
      '/code',
    )
  })

  const faulty: [string, string, (id: string) => [string, object], string][] = [
    [
      'a date that the calendar does not have',
      'invalid-request',
      (id) => [`/employees/${id}/person`, { effective_date: '2026-02-30', person: {} }],
      '/effective_date',
    ],
    ['a date before the year 1000', 'invalid-request', () => ['/employees', { person: ADA, start_date: '0000-01-01' }], '/start_date'],
    [
      'a leap second',
      'invalid-request',
      (id) => [`/employees/${id}/termination`, { access_cutoff_at: '2016-12-31T23:59:60Z' }],
      '/access_cutoff_at',
    ],
    [
      'a time with the name of a zone',
      'invalid-request',
      (id) => [`/employees/${id}/termination`, { access_cutoff_at: '2026-01-01T00:00:00Z[Europe/Berlin]' }],
      '/access_cutoff_at',
    ],
    ['a negative amount', 'invalid-request', (id) => [`/employees/${id}/compensation`, pay('-1')], '/components/0/amount'],
    ['an amount with leading zeros', 'invalid-request', (id) => [`/employees/${id}/compensation`, pay('00.10')], '/components/0/amount'],
    [
      'an amount beyond all measure',
      'invalid-request',
      (id) => [`/employees/${id}/compensation`, pay('9'.repeat(40))],
      '/components/0/amount',
    ],
    ['an amount with five decimals', 'invalid-request', (id) => [`/employees/${id}/compensation`, pay('1.00001')], '/components/0/amount'],
    [
      'an unknown currency',
      'unknown-currency',
      (id) => [`/employees/${id}/compensation`, pay('1', { currency: 'XXQ' })],
      '/components/0/currency',
    ],
    [
      'two components of one kind',
      'component-repeated',
      (id) => [`/employees/${id}/compensation`, { ...pay('1'), components: [...pay('1').components, ...pay('2').components] }],
      '/components/1/kind',
    ],
    ['no full-time share at all', 'invalid-request', (id) => [`/employees/${id}/assignment`, { fte: '0.0' }], '/fte'],
    ['a hundred full-time shares', 'invalid-request', (id) => [`/employees/${id}/assignment`, { fte: '100' }], '/fte'],
    ['hours beyond the column', 'invalid-request', (id) => [`/employees/${id}/assignment`, { weekly_hours: '10000' }], '/weekly_hours'],
    [
      'a person without a name',
      'invalid-request',
      (id) => [`/employees/${id}/person`, { person: { given_name: null } }],
      '/person/given_name',
    ],
    [
      'a department that is not there',
      'reference-not-found',
      (id) => [`/employees/${id}/assignment`, { department_id: MISSING.dep }],
      '/assignment/department_id',
    ],
    ['an end before the first day', 'invalid-date', (id) => [`/employees/${id}/termination`, { end_date: '2019-01-01' }], '/end_date'],
    [
      'a last day behind the end',
      'invalid-date',
      (id) => [`/employees/${id}/termination`, { end_date: '2024-01-01', last_day_worked: '2024-01-01' }],
      '/last_day_worked',
    ],
    [
      'a time zone that is not there',
      'unknown-time-zone',
      () => ['/locations', { code: 'm', name: 'M', time_zone: 'Mars/Phobos' }],
      '/time_zone',
    ],
    ['an offset for a time zone', 'unknown-time-zone', () => ['/locations', { code: 'm', name: 'M', time_zone: '+01:00' }], '/time_zone'],
    [
      'a parent department that is not there',
      'reference-not-found',
      () => ['/departments', { code: 'x', name: 'X', parent_id: MISSING.dep }],
      '/parent_id',
    ],
    ['a status that only a hire gives', 'invalid-request', () => [`/candidates/${MISSING.can}/status`, { status: 'hired' }], '/status'],
  ]
  for (const [what, code, make, pointer] of faulty) {
    it(`answers 422 to ${what}, names the field, and changes nothing`, async () => {
      const id = await api.hire()
      const before = await api.versionOf(id)
      const [path, body] = make(id)
      assertProblem(await api.post(path, body), 422, code, pointer)
      assert.equal(await api.versionOf(id), before)
    })
  }

  it('answers 422 to a moment or a date that it cannot read in a query', async () => {
    const id = await api.hire()
    for (const known_at of ['2016-12-31T23:59:60Z', '2026-01-01T00:00:00Z[Europe/Berlin]', 'yesterday', '0000-01-01T00:00:00Z'])
      assertProblem(await api.get(`/employees/${id}?known_at=${encodeURIComponent(known_at)}`), 422, 'invalid-request', '/query/known_at')
    assertProblem(await api.get(`/employees/${id}?as_of=2026-02-30`), 422, 'invalid-request', '/query/as_of')
    assert.ok((await api.get('/employees?employee_number=%00')).statusCode < 500)
    assert.equal((await api.get('/employees/emp_short')).statusCode, 422)
  })
})
