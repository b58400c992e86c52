import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asAdmin } from '../database/test-database.ts'
import { type Company, createCompany } from '../people/testing/company.ts'
import { importCsv, look, receive } from './test-imports.ts'

const DEPARTMENTS = 'code,name,parent_code\nRD-A,Research A,RD\nRD,Research,\n'
const EMPLOYEES = `external_id,given_name,family_name,email,start_date,termination_date,termination_type,title,department,national_id,national_id_country,national_id_type
1,Ada,Byron,ada@example.com,2020-01-01,,,Analyst,RD,QZ-111,DE,tax_id
2,Bob,"Smith, Jr.",,2015-03-01,2018-03-01,voluntary,Clerk,RD-A,,,
3,=cmd|'/c calc'!A1,Ünal,,2019-06-01,,,,,,,
`
const PAY = `external_id,effective_date,amount,currency,period,pay_frequency
1,2020-01-01,4000.00,EUR,month,monthly
1,2021-01-01,4200.00,EUR,month,monthly
2,2016-01-01,3000.00,EUR,month,monthly
`
const JOBS = 'external_id,effective_date,title,department,manager,fte\n1,2021-06-01,Lead,,,0.80\n3,2021-01-01,Expert,RD,1,1\n'

describe('an import', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  after(() => company.close())
  const events = async () => (await company.events()).map(({ type, effective_date, data }) => ({ type, effective_date, data }))

  it('brings in departments, employees, jobs and pay, and tells them in the order of their dates', async () => {
    const first = await importCsv(company, { kind: 'departments' }, DEPARTMENTS)
    assert.deepEqual([first.state, first.rows], ['done', { total: 2, applied: 2, unchanged: 0, bad: 0 }])
    const second = await importCsv(company, { kind: 'employees' }, EMPLOYEES)
    assert.deepEqual([second.rows, second.badRows], [{ total: 3, applied: 3, unchanged: 0, bad: 0 }, []])
    const told = await events()
    assert.deepEqual(
      told.map(({ type, effective_date }) => [type, effective_date]),
      [
        ['employee.created', '2015-03-01'],
        ['employment.started', '2015-03-01'],
        ['employment.terminated', '2018-03-01'],
        ['employee.created', '2019-06-01'],
        ['employment.started', '2019-06-01'],
        ['employee.created', '2020-01-01'],
        ['employment.started', '2020-01-01'],
      ],
    )
    const pay = await importCsv(company, { kind: 'compensation' }, PAY)
    const jobs = await importCsv(company, { kind: 'assignments' }, JOBS)
    assert.deepEqual([pay.rows.applied, jobs.rows.applied, jobs.badRows], [3, 2, []])
    const changes = (await events()).slice(told.length)
    assert.deepEqual(
      changes.map(({ type, effective_date }) => [type, effective_date]),
      [
        ['compensation.changed', '2016-01-01'],
        ['compensation.changed', '2020-01-01'],
        ['compensation.changed', '2021-01-01'],
        ['assignment.changed', '2021-01-01'],
        ['assignment.changed', '2021-06-01'],
      ],
    )
    assert.equal(new Set((await company.events()).map(({ source }) => source)).size, 1)
    assert.equal((await company.events())[0]?.source, 'import')
  })

  it('keeps text that looks like a formula as the text it is', async () => {
    const created = (await company.events()).find(({ data }) => (data['person'] as { family_name?: string })?.family_name === 'Ünal')
    assert.equal((created?.data['person'] as { given_name?: string } | undefined)?.given_name, "=cmd|'/c calc'!A1")
  })

  it('changes nothing when the same files come again', async () => {
    const before = (await company.events()).length
    const again = [
      await importCsv(company, { kind: 'departments' }, DEPARTMENTS),
      await importCsv(company, { kind: 'employees' }, EMPLOYEES),
      await importCsv(company, { kind: 'compensation' }, PAY),
      await importCsv(company, { kind: 'assignments' }, JOBS),
    ]
    assert.deepEqual(
      again.map(({ rows, badRows }) => [rows.applied, rows.unchanged, rows.bad, badRows.length]),
      [
        [0, 2, 0, 0],
        [0, 3, 0, 0],
        [0, 3, 0, 0],
        [0, 2, 0, 0],
      ],
    )
    assert.equal((await company.events()).length, before)
  })

  it('applies what is different about somebody known: data, an end, a rehire; and refuses an overlap', async () => {
    const before = (await company.events()).length
    const header = 'external_id,given_name,family_name,email,start_date,termination_date\n'
    const changed = await importCsv(
      company,
      { kind: 'employees' },
      `${header}1,Ada,King,ada@example.com,2020-01-01,2026-01-01\n2,Bob,"Smith, Jr.",,2021-02-01,\n3,=cmd|'/c calc'!A1,Ünal,,2020-02-02,\n`,
    )
    assert.deepEqual(changed.rows, { total: 3, applied: 2, unchanged: 0, bad: 1 })
    assert.deepEqual(
      changed.badRows.map(({ line, faults }) => [line, faults[0]?.code, faults[0]?.column]),
      [[4, 'employment-overlaps', 'start_date']],
    )
    const types = (await company.events()).slice(before).map(({ type }) => type)
    assert.deepEqual(types, ['employee.updated', 'employment.started', 'employment.terminated'])
  })

  it('leaves no row and no value behind', async () => {
    const rows = await asAdmin(company.database.admin, (client) => client.query('select state, payload from import_row'))
    assert.deepEqual(new Set(rows.rows.map(({ state, payload }) => `${state} ${payload}`)), new Set(['bad null']))
  })

  it('takes in rows of the same order silently when asked to', async () => {
    const before = (await company.events()).length
    const pay = await importCsv(
      company,
      { kind: 'compensation', silent: true },
      `${PAY.split('\n')[0]}\n3,2022-01-01,1.5,JPY,hour,weekly\n`,
    )
    assert.equal(pay.rows.applied, 1)
    assert.equal((await company.events()).length, before)
  })

  it('applies the imports of a tenant one after the other', async () => {
    const people = 'external_id,given_name,family_name,start_date\nlater-1,Cy,Dee,2024-01-01\n'
    const { id: first } = await receive(company, { kind: 'employees' }, people)
    const pay = await importCsv(company, { kind: 'compensation' }, `${PAY.split('\n')[0]}\nlater-1,2024-02-01,10,EUR,hour,weekly\n`)
    assert.deepEqual([(await look(company, first)).rows.applied, pay.rows.applied], [1, 1])
  })
})
