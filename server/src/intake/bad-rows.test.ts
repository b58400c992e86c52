import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asAdmin } from '../database/test-database.ts'
import { type Company, createCompany } from '../people/testing/company.ts'
import type { ImportKind } from './columns.ts'
import { readCsv } from './read-csv.ts'
import { receiveImport } from './receive-import.ts'
import { importCsv, importer, stream } from './test-imports.ts'

const EMPLOYEE =
  'external_id,given_name,family_name,email,birth_date,start_date,employee_number,national_id,national_id_country,national_id_type\n'
const PAY = 'external_id,effective_date,amount,currency,period,pay_frequency\n'
const JOB = 'external_id,effective_date,title,department,location,manager,fte\n'

describe('a bad row', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
    await importCsv(company, { kind: 'employees' }, `${EMPLOYEE}ok,Ada,Byron,,,2020-01-01,77,,,\ngone,Bob,Roe,,,2019-01-01,,,,\n`)
    const end = 'external_id,given_name,family_name,start_date,termination_date\ngone,Bob,Roe,2019-01-01,2019-06-01\n'
    await importCsv(company, { kind: 'employees' }, end)
  })
  after(() => company.close())

  const cases: [ImportKind, string, string, { code: string; column: string | null; value_class: string }][] = [
    ['compensation', PAY, 'ok,2026-02-30,1,EUR,month,monthly', { code: 'invalid-date', column: 'effective_date', value_class: 'date' }],
    ['compensation', PAY, 'ok,9999-01-01,1,EUR,month,monthly', { code: 'invalid-date', column: 'effective_date', value_class: 'date' }],
    ['compensation', PAY, 'ok,2026-02-01,-5,EUR,month,monthly', { code: 'value-not-valid', column: 'amount', value_class: 'integer' }],
    [
      'compensation',
      PAY,
      'ok,2026-02-01,"4,000.00",EUR,month,monthly',
      { code: 'value-not-valid', column: 'amount', value_class: 'decimal' },
    ],
    ['compensation', PAY, 'ok,2026-02-01,5,XXQ,month,monthly', { code: 'value-not-valid', column: 'currency', value_class: 'text' }],
    ['compensation', PAY, 'ok,2026-02-01,5,EUR,aeon,monthly', { code: 'value-not-valid', column: 'period', value_class: 'text' }],
    ['compensation', PAY, 'ok,2026-02-01,,EUR,month,monthly', { code: 'value-missing', column: 'amount', value_class: 'empty' }],
    [
      'compensation',
      PAY,
      'nobody,2026-02-01,5,EUR,month,monthly',
      { code: 'reference-not-found', column: 'external_id', value_class: 'text' },
    ],
    ['compensation', PAY, 'gone,2020-02-01,5,EUR,month,monthly', { code: 'not-employed', column: 'effective_date', value_class: 'date' }],
    ['compensation', PAY, 'ok,2026-02-01,5,EUR', { code: 'malformed-row', column: null, value_class: 'row' }],
    ['compensation', PAY, 'ok,"2026-02-01,5,EUR,month,monthly', { code: 'malformed-row', column: null, value_class: 'row' }],
    ['compensation', PAY, 'ok,2026-02-01,5,EUR,mo"nth,monthly', { code: 'malformed-row', column: null, value_class: 'row' }],
    ['compensation', PAY, `ok,2026-02-01,5,EUR,month,${'m'.repeat(70_000)}`, { code: 'malformed-row', column: null, value_class: 'row' }],
    ['assignments', JOB, 'ok,2026-02-01,,nowhere,,,', { code: 'reference-not-found', column: 'department', value_class: 'text' }],
    ['assignments', JOB, 'ok,2026-02-01,,,nowhere,,', { code: 'reference-not-found', column: 'location', value_class: 'text' }],
    ['assignments', JOB, 'ok,2026-02-01,,,,nobody,', { code: 'reference-not-found', column: 'manager', value_class: 'text' }],
    ['assignments', JOB, 'ok,2026-02-01,,,,,0', { code: 'value-not-valid', column: 'fte', value_class: 'integer' }],
    ['assignments', JOB, `ok,2026-02-01,${'t'.repeat(201)},,,,`, { code: 'value-not-valid', column: 'title', value_class: 'text' }],
    ['assignments', JOB, 'ok,2026-02-01,,,,,', { code: 'value-missing', column: null, value_class: 'row' }],
    ['employees', EMPLOYEE, 'n,Canary\0,Roe,,,2020-01-01,,,,', { code: 'text-not-valid', column: 'given_name', value_class: 'text' }],
    ['employees', EMPLOYEE, 'n,Canary,Roe,not a mail,,2020-01-01,,,,', { code: 'value-not-valid', column: 'email', value_class: 'text' }],
    [
      'employees',
      EMPLOYEE,
      'n,Canary,Roe,,30.1.1990,2020-01-01,,,,',
      { code: 'invalid-date', column: 'birth_date', value_class: 'decimal' },
    ],
    [
      'employees',
      EMPLOYEE,
      'n,Canary,Roe,,,2020-01-01,77,,,',
      { code: 'employee-number-taken', column: 'employee_number', value_class: 'text' },
    ],
    [
      'employees',
      EMPLOYEE,
      'n,Canary,Roe,,,2020-01-01,,QZ-5,,tax_id',
      { code: 'value-missing', column: 'national_id_country', value_class: 'empty' },
    ],
    ['employees', EMPLOYEE, 'ok,Ada,Byron,,,2021-01-01,,,,', { code: 'employment-overlaps', column: 'start_date', value_class: 'date' }],
    ['departments', 'code,name,parent_code\n', 'a,A,b', { code: 'reference-not-found', column: 'parent_code', value_class: 'text' }],
    ['departments', 'code,name,parent_code\n', 'a,A,a', { code: 'department-circle', column: 'parent_code', value_class: 'text' }],
  ]
  for (const [kind, header, row, expected] of cases) {
    it(`is named with its line, column and kind of value, and changes nothing: ${kind} ${row.slice(0, 50).replaceAll('\0', 'NUL')}`, async () => {
      const before = (await company.events()).length
      const done = await importCsv(company, { kind }, `${header}${row}\n`)
      assert.deepEqual(done.rows, { total: 1, applied: 0, unchanged: 0, bad: 1 })
      const [bad] = done.badRows
      const { message, mend, ...fault } = bad!.faults[0]!
      assert.deepEqual([bad?.line, fault], [2, expected])
      assert.ok(message.length > 5 && mend.length > 5)
      assert.equal((await company.events()).length, before)
    })
  }

  it('never repeats what stood in the row', async () => {
    const row = 'QQ1,QQ2\0,QQ3,QQ4 no mail,QQ5,QQ6,QQ7,QQ8,QQ9,\n'
    const done = await importCsv(company, { kind: 'employees' }, EMPLOYEE + row)
    assert.equal(done.rows.bad, 1)
    const stored = await asAdmin(company.database.admin, (client) => client.query('select faults::text as text, payload from import_row'))
    assert.ok(stored.rows.length > 0)
    for (const { text, payload } of stored.rows) {
      assert.ok(!/QQ\d|Canary/.test(text), text)
      assert.equal(payload, null)
    }
  })

  it('is told by what is not UTF-8 in it', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${EMPLOYEE}u1,Jos`),
      Buffer.of(0xe9),
      Buffer.from(',Roe,,,2020-01-01,,,,\nu2,José,Roe,,,2020-01-01,,,,\n'),
    ])
    const source = (async function* () {
      yield bytes
    })()
    const { id } = await receiveImport(company.ground, company.tenantId, importer, { kind: 'employees', system: 'test' }, source)
    const rows = await asAdmin(company.database.admin, (client) =>
      client.query('select line, state from import_row where import_id = $1 order by line', [id]),
    )
    assert.deepEqual(rows.rows, [
      { line: 2, state: 'bad' },
      { line: 3, state: 'waiting' },
    ])
  })

  it('leaves the good rows around it alone, whatever an open quote would swallow', async () => {
    const lines = [
      'b1,Ada,Roe,,,2020-01-01,,,,',
      'b2,"Ada,Roe,,,2020-01-01,,,,',
      'b3,"Bob","Roe",,,2020-01-01,,,,',
      'b1,Eve,Roe,,,2020-01-01,,,,',
      'b4,"A\r\nB",Roe,,,2020-01-01,,,,',
      'b5,x',
    ]
    const done = await importCsv(company, { kind: 'employees' }, EMPLOYEE + lines.join('\r\n'))
    assert.deepEqual(done.rows, { total: 6, applied: 3, unchanged: 0, bad: 3 })
    assert.deepEqual(
      done.badRows.map(({ line, faults }) => [line, faults[0]?.code]),
      [
        [3, 'malformed-row'],
        [5, 'repeated-row'],
        [8, 'malformed-row'],
      ],
    )
  })
})

describe('a file', () => {
  const read = async (text: string, size: number) => {
    const rows = []
    for await (const some of readCsv(stream(text, size))) rows.push(...some)
    return rows
  }

  it('reads the same however it is cut into pieces', async () => {
    const text = '\ufeffa;b\r\n"1;\r\n""x""";2\r\n\r\n"";é€😀\n"open;3\nlast;"4"'
    const whole = await read(text, 100_000)
    assert.deepEqual(whole, [
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1;\r\n"x"', '2'] },
      { line: 5, cells: ['', 'é€😀'] },
      { line: 6, malformed: 'quotes' },
      { line: 7, cells: ['last', '4'] },
    ])
    for (let size = 1; size < 12; size++) assert.deepEqual(await read(text, size), whole, `in pieces of ${size}`)
  })

  it('is read with commas, semicolons or tabs', async () => {
    for (const [delimiter, other] of [',;', ';,', '\t,']) {
      const rows = await read(`a${delimiter}b\n1${other}5${delimiter}2\n`, 64)
      assert.deepEqual(rows[1], { line: 2, cells: [`1${other}5`, '2'] })
    }
  })
})
