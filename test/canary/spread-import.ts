import { randomUUID } from 'node:crypto'
import { CompensationComponent, PersonRecord } from '@tenure/contract'
import { COLUMNS } from '../../server/src/intake/columns.ts'
import { receiveImport } from '../../server/src/intake/receive-import.ts'
import type { Canaries } from './canaries.ts'
import type { Answer, Platform } from './platform.ts'

type Row = Record<string, string>

/** Puts canaries into every personal and secret column of imports, in rows that are good and in rows that are not. */
export async function spreadByImport(
  platform: Platform,
  canaries: Canaries,
  employees: number,
): Promise<{ refusals: Answer[]; badRows: string[] }> {
  const rows = Array.from({ length: employees }, () => employeeRow(canaries))
  const bad = badRows(canaries, employeeRow)
  const constants = { constants: { gender: canaries.text('import.constants') } }
  const withoutGender = [...rows, ...bad].map(({ gender: _gender, ...row }) => row)
  const reports = [
    await upload(platform, 'employees', csv(rows.concat(bad))),
    await upload(platform, 'employees', csv(withoutGender), Buffer.from(JSON.stringify(constants)).toString('base64url')),
    await upload(platform, 'compensation', csv([...rows, employeeRow(canaries)].map(({ external_id }) => payRow(canaries, external_id!)))),
    await upload(platform, 'compensation', csv(badRows(canaries, (all) => payRow(all, rows[0]!['external_id']!)))),
    await upload(
      platform,
      'employees',
      `external_id,given_name,family_name,start_date\n1,"${canaries.text('import.bad')},Roe,2020-01-01\n`,
    ),
  ]
  return { refusals: await sendUnreadableFiles(platform, canaries), badRows: reports }
}

/** Leaves an import behind whose rows wait to be applied: called when nothing applies imports any more. */
export async function leaveRowsWaiting({ ground, tenantId, actor }: Platform, canaries: Canaries, rows: number): Promise<void> {
  const text = csv(Array.from({ length: rows }, () => employeeRow(canaries)))
  async function* stream() {
    yield Buffer.from(text)
  }
  await receiveImport(ground, tenantId, actor, { kind: 'employees', system: 'csv' }, stream())
}

/** A value for each personal and secret column of the person; the columns of other classes get what is needed. */
function employeeRow(canaries: Canaries): Row {
  const person = canaries.valueFor(PersonRecord, 'import') as Record<string, unknown> & { national_id: Row }
  const row: Row = { external_id: `x-${randomUUID()}`, start_date: '2023-02-01', title: canaries.text('import.title', 'control') }
  for (const [name, { fieldClass }] of Object.entries(COLUMNS.employees)) {
    if (fieldClass !== 'personal' && fieldClass !== 'secret') continue
    if (name === 'termination_type') row[name] = 'voluntary'
    else if (name === 'national_id') row[name] = person.national_id['value']!
    else if (name.startsWith('national_id_')) row[name] = person.national_id[name.slice('national_id_'.length)]!
    else if (typeof person[name] === 'string') row[name] = person[name]
    else throw new Error(`No canary fits the column ${name}: teach spread-import.ts.`)
  }
  return { ...row, termination_date: '2025-01-01' }
}

function payRow(canaries: Canaries, externalId: string): Row {
  const { amount } = canaries.valueFor(CompensationComponent, 'import') as { amount: string }
  return { external_id: externalId, effective_date: '2024-01-01', amount, currency: 'EUR', period: 'month', pay_frequency: 'monthly' }
}

/** One row for each column, in which that column holds what it cannot mean: a canary with something that spoils it. */
function badRows(canaries: Canaries, good: (canaries: Canaries) => Row): Row[] {
  return Object.keys(good(canaries)).map((column) => ({ ...good(canaries), [column]: `${canaries.text('import.bad')}\u0007`.repeat(40) }))
}

/** Files that are refused as a whole: without a header, with twice the same column, with values as columns. */
async function sendUnreadableFiles({ request }: Platform, canaries: Canaries): Promise<Answer[]> {
  const bad = () => canaries.text('import.refused')
  const files = [
    `${bad()},${bad()},${bad()}\n${bad()},${bad()},${bad()}\n`,
    `external_id,given_name,given_name\n1,${bad()},${bad()}\n`,
    `{"given_name": "${bad()}"}`,
  ]
  const answers: Answer[] = []
  for (const file of files) answers.push(await request('POST', '/v1/imports?kind=employees', file, { 'content-type': 'text/csv' }))
  const map = Buffer.from(JSON.stringify({ columns: { [bad()]: bad() }, constants: { given_name: bad(), [bad()]: bad() } })).toString(
    'base64url',
  )
  answers.push(
    await request('POST', '/v1/imports?kind=employees', 'external_id\n1\n', { 'content-type': 'text/csv', 'tenure-import-map': map }),
  )
  return answers
}

/** Uploads a file, waits until it is applied, and answers what is told of its bad rows. */
async function upload({ request, until }: Platform, kind: string, text: string, map?: string): Promise<string> {
  const headers = { 'content-type': 'text/csv', 'idempotency-key': randomUUID(), ...(map ? { 'tenure-import-map': map } : {}) }
  const { status, json, text: answer } = await request('POST', `/v1/imports?kind=${kind}`, text, headers)
  if (status !== 202) throw new Error(`The import was answered ${status}: ${answer}`)
  await until(`select state in ('done', 'failed') as done from import where id = '${json['id']}'`)
  const report = await request('GET', `/v1/imports/${json['id']}`)
  const faults = await request('GET', `/v1/imports/${json['id']}/bad_rows?limit=100`)
  if (faults.status !== 200) throw new Error(`The bad rows were answered ${faults.status}: ${faults.text}`)
  return `${report.text}\n${faults.text}`
}

function csv(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]!)
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
  return [names.join(','), ...rows.map((row) => names.map((name) => quoted(row[name] ?? '')).join(','))].join('\n')
}
