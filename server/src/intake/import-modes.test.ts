import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { asAdmin } from '../database/test-database.ts'
import { createLog } from '../kit/log.ts'
import { type Company, createCompany } from '../people/testing/company.ts'
import { applyBatch } from './apply-batch.ts'
import { applyImportsOnce } from './apply-imports.ts'
import { cancelImport } from './cancel-import.ts'
import { leaseImport, renewImport } from './import-state.ts'
import { receiveImport } from './receive-import.ts'
import { applyAll, importCsv, importer, look, receive, stream } from './test-imports.ts'

const log = createLog('silent')
const PEOPLE = 'external_id,given_name,family_name,start_date,termination_date\n'
const PAY = 'external_id,effective_date,amount,currency,period,pay_frequency,pay_group\n'
const people = (prefix: string, count: number) =>
  PEOPLE +
  Array.from({ length: count }, (_, i) => `${prefix}${i},Ada,Byron,${2000 + (i % 20)}-01-01,${i % 3 === 0 ? '2022-05-05' : ''}\n`).join('')

/** Everything that a change could leave behind. */
const trace = (company: Company) =>
  asAdmin(company.database.admin, async (client) => {
    const { rows } = await client.query(`select
      (select count(*) from employee)::int as employees, (select count(*) from event)::int as events, (select count(*) from person_fact)::int as facts,
      (select count(*) from external_id)::int as names, (select count(*) from change_set)::int as changes,
      (select count(*) from audit_entry where action not like 'import.%')::int as audited`)
    return rows[0]
  })

describe('an import that must not, or not yet, change anything', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  after(() => company.close())

  it('counts in a dry run what would happen, and leaves no trace', async () => {
    const before = await trace(company)
    const csv = `${people('dry', 7)}dry1,Eve,Roe,2005-01-01,\nbad,,Roe,2005-01-01,\n`
    const done = await importCsv(company, { kind: 'employees', dryRun: true }, csv, { batchRows: 3 })
    assert.deepEqual([done.state, done.rows], ['done', { total: 9, applied: 7, unchanged: 0, bad: 2 }])
    assert.deepEqual(
      done.badRows.map(({ line, faults }) => [line, faults[0]?.code]),
      [
        [9, 'employment-overlaps'],
        [10, 'value-missing'],
      ],
    )
    assert.deepEqual(await trace(company), before)
  })

  it('applies nothing of all-or-nothing when one row is bad, and says which', async () => {
    const before = await trace(company)
    const done = await importCsv(company, { kind: 'employees', allOrNothing: true }, `${people('all', 7)}all1,Eve,Roe,2005-01-01,\n`, {
      batchRows: 3,
    })
    assert.deepEqual([done.state, done.failure, done.rows], ['failed', 'rows-are-bad', { total: 8, applied: 0, unchanged: 0, bad: 1 }])
    assert.equal(done.badRows[0]?.line, 9)
    assert.deepEqual(await trace(company), before)
  })

  it('applies all of all-or-nothing when every row is good, in the order of the dates', async () => {
    const done = await importCsv(company, { kind: 'employees', allOrNothing: true }, people('all', 10), { batchRows: 4 })
    assert.deepEqual([done.state, done.rows], ['done', { total: 10, applied: 10, unchanged: 0, bad: 0 }])
    const dates = (await company.events()).map(({ effective_date }) => effective_date)
    assert.equal(dates.length, 24)
    assert.deepEqual(dates, [...dates].sort())
  })

  it('keeps nothing of a file that breaks off', async () => {
    const before = await trace(company)
    const broken = (async function* () {
      yield* stream(people('cut', 1_200))
      throw new Error('The connection is gone.')
    })()
    await assert.rejects(receiveImport(company.ground, company.tenantId, importer, { kind: 'employees', system: 'cut' }, broken), /gone/)
    await applyAll(company)
    assert.deepEqual(await trace(company), before)
    const rows = await asAdmin(company.database.admin, (client) =>
      client.query(
        "select i.state, i.failure, count(r.*)::int as rows from import i left join import_row r on r.import_id = i.id where i.system = 'cut' group by 1, 2",
      ),
    )
    assert.deepEqual(rows.rows, [{ state: 'failed', failure: 'not-received-whole', rows: 0 }])
  })

  it('gives up an upload whose process died, once its lease is over', async () => {
    const { id } = await receive(company, { kind: 'employees' }, people('dead', 3))
    await asAdmin(company.database.admin, (client) =>
      client.query("update import set state = 'receiving', lease_until = now() + interval '1 minute' where id = $1", [id]),
    )
    assert.equal(await applyImportsOnce(company.ground, log), 0)
    await asAdmin(company.database.admin, (client) =>
      client.query("update import set lease_until = now() - interval '1 second' where id = $1", [id]),
    )
    await applyAll(company)
    assert.equal((await look(company, id)).failure, 'not-received-whole')
  })

  it('stops when it is cancelled, and forgets the rows', async () => {
    const before = await trace(company)
    const { id } = await receive(company, { kind: 'employees' }, people('stop', 3))
    await company.change((change) => cancelImport(change, id))
    await applyAll(company)
    assert.equal((await look(company, id)).state, 'cancelled')
    assert.deepEqual(await trace(company), before)
    await assert.rejects(
      company.change((change) => cancelImport(change, id)),
      { code: 'import-settled' },
    )
  })

  it('refuses a header that lacks a column, names one twice or maps one that is not there', async () => {
    const refused = (csv: string, mapping = {}) => receive(company, { kind: 'employees', mapping }, csv)
    await assert.rejects(refused('external_id,given_name\n1,Ada\n'), { code: 'import-columns-not-valid' })
    await assert.rejects(refused(`${PEOPLE.trim()},given_name\n`), { code: 'import-columns-not-valid' })
    await assert.rejects(refused(PEOPLE, { columns: { emp_no: 'external_id' } }), { code: 'import-columns-not-valid' })
    await assert.rejects(refused(''), { code: 'import-file-not-readable' })
    await assert.rejects(refused('\u0000\u0001,x\n'), { code: 'import-file-not-readable' })
  })
})

describe('an import that is interrupted', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  after(() => company.close())

  it('goes on after a batch that was cut off, and applies every row once', async () => {
    const { id } = await receive(company, { kind: 'employees' }, people('r', 10))
    const { ground, tenantId } = company
    const job = await ground.database.withTenant(tenantId, (tx) => leaseImport(tx, id))
    const cut = ground.database.withTenant(tenantId, async (tx) => {
      const batch = await applyBatch(tx, ground, job!, undefined, 5)
      assert.equal(batch.counts.applied > 0, true)
      await tx.scope.flush()
      throw new Error('killed')
    })
    await assert.rejects(cut, /killed/)
    assert.equal(await applyImportsOnce(ground, log), 0, 'the lease of the dead process still holds')
    await asAdmin(company.database.admin, (client) => client.query("update import set lease_until = now() - interval '1 second'"))
    await applyAll(company, { batchRows: 4 })
    await assert.rejects(
      ground.database.withTenant(tenantId, (tx) => renewImport(tx, job!)),
      { name: 'ImportLost' },
    )
    assert.deepEqual((await look(company, id)).rows, { total: 10, applied: 10, unchanged: 0, bad: 0 })
    const events = await company.events()
    assert.equal(events.length, 24)
    const dates = events.map(({ effective_date }) => effective_date)
    assert.deepEqual(dates, [...dates].sort())
    for (const [, its] of Map.groupBy(events, ({ employee_id }) => employee_id))
      assert.deepEqual(
        its.map(({ sequence }) => sequence),
        its.map((_, at) => at + 1),
      )
  })

  it('stops between two batches when it is told to, and another process goes on at once', async () => {
    const { id } = await receive(company, { kind: 'employees' }, people('s', 10))
    const stopping = new AbortController()
    const stopAfterFirst = { ...company.ground, database: { ...company.database, withTenant: stopAfter(3) } }
    function stopAfter(transactions: number): Company['database']['withTenant'] {
      return async (tenantId, work) => {
        const result = await company.database.withTenant(tenantId, work)
        if (--transactions === 0) stopping.abort()
        return result
      }
    }
    await applyImportsOnce(stopAfterFirst, log, { signal: stopping.signal, batchRows: 2 })
    const { state, rows } = await look(company, id)
    assert.equal(state, 'applying')
    assert.ok(rows.applied > 0 && rows.applied < 10)
    await applyAll(company)
    assert.equal((await look(company, id)).rows.applied, 10)
  })

  it('sets aside the one row that the database refuses, and applies the others', async () => {
    await asAdmin(company.database.admin, (client) =>
      client.query(`create function refuse_boom() returns trigger language plpgsql as $$ begin raise exception 'boom of the row'; end $$;
                    create trigger refuse_boom before insert on compensation_fact for each row when (new.pay_group = 'boom') execute function refuse_boom()`),
    )
    const rows = Array.from(
      { length: 30 },
      (_, i) => `r1,2010-01-${String(i + 1).padStart(2, '0')},${1_000 + i},EUR,month,monthly,${i === 17 ? 'boom' : 'a'}\n`,
    )
    const done = await importCsv(company, { kind: 'compensation' }, PAY + rows.join(''))
    assert.deepEqual([done.state, done.rows], ['done', { total: 30, applied: 29, unchanged: 0, bad: 1 }])
    assert.deepEqual([done.badRows[0]?.line, done.badRows[0]?.faults[0]?.code], [19, 'not-applied'])
    assert.ok(!JSON.stringify(done.badRows).includes('boom'))
  })
})

describe('a large file', () => {
  it('is never read ahead of what is stored by more than a few hundred rows', async () => {
    const company = await createCompany()
    const ROWS = 20_000
    const stored = () =>
      asAdmin(
        company.database.admin,
        async (client) => (await client.query('select max(rows_total) as rows from import')).rows[0].rows as number,
      )
    let furthest = 0
    const lines = async function* () {
      yield Buffer.from(PEOPLE)
      for (let i = 0; i < ROWS; i += 100) {
        if (i % 2_000 === 0 && i > 0) furthest = Math.max(furthest, i - (await stored()))
        yield Buffer.from(Array.from({ length: 100 }, (_, k) => `big${i + k},Ada,Byron,2001-02-03,\n`).join(''))
      }
    }
    const { id } = await receiveImport(company.ground, company.tenantId, importer, { kind: 'employees', system: 'big' }, lines())
    assert.equal((await look(company, id)).rows.total, ROWS)
    assert.ok(furthest < 700, `${furthest} rows ahead`)
    await company.close()
  })
})

const SAMPLE = join(process.env['TENURE_SHARED_DATA'] ?? join(import.meta.dirname, '../../../../shared/data'), 'employees-sample')

describe('the sample company', { skip: !existsSync(SAMPLE) }, () => {
  const EMPLOYEES = 200
  const head = async (name: string) => {
    const [header, ...lines] = (await readFile(join(SAMPLE, name), 'utf8')).trim().split('\n')
    return [header!, ...lines.filter((line) => !(Number(line.split(',')[0]) > 10_000 + EMPLOYEES))]
  }

  it('comes in with its history, a second time without an effect', async () => {
    const company = await createCompany({ timeZone: 'UTC' })
    const import_ = async (kind: 'employees' | 'assignments' | 'compensation', lines: readonly string[], mapping: object) =>
      (await importCsv(company, { kind, mapping }, lines.join('\n'))).rows
    const files = async () => [
      (
        await importCsv(
          company,
          { kind: 'departments', mapping: { columns: { dept_no: 'code', dept_name: 'name' } } },
          (await head('departments.csv')).join('\n'),
        )
      ).rows,
      await import_('employees', await head('employees.csv'), {
        columns: {
          emp_no: ['external_id', 'employee_number'],
          first_name: 'given_name',
          last_name: 'family_name',
          hire_date: 'start_date',
        },
      }),
      await import_('assignments', merge(await head('dept_emp.csv'), await head('titles.csv')), {
        columns: { emp_no: 'external_id', from_date: 'effective_date', dept_no: 'department' },
        null_values: ['9999-01-01'],
      }),
      await import_('compensation', await head('salaries.csv'), {
        columns: { emp_no: 'external_id', salary: 'amount', from_date: 'effective_date' },
        constants: { currency: 'USD', period: 'year', pay_frequency: 'monthly' },
      }),
    ]
    const first = await files()
    for (const { total, applied, unchanged, bad } of first) assert.deepEqual([applied + unchanged, bad], [total, 0])
    const events = (await company.events()).length
    const again = await files()
    assert.deepEqual(
      again.map(({ applied, bad }) => [applied, bad]),
      again.map(() => [0, 0]),
    )
    assert.equal((await company.events()).length, events)
    await company.close()
  })

  /** Departments and titles of one job in one file, so that each row stands in the order of its date among the others. */
  function merge(departments: readonly string[], titles: readonly string[]): string[] {
    const cells = (line: string) => line.split(',') as [string, string, string, string]
    const moves = departments
      .slice(1)
      .map(cells)
      .filter(([, , from, to]) => from !== to)
    const roles = titles
      .slice(1)
      .map(cells)
      .filter(([, , from, to]) => from !== to)
    return [
      'emp_no,from_date,dept_no,title',
      ...moves.map(([id, department, from]) => `${id},${from},${department},`),
      ...roles.map(([id, title, from]) => `${id},${from},,${title}`),
    ]
  }
})
