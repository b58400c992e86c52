// The main job on real input: an HR history of years is imported with payroll subscribed; then payroll is held against HR.
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { inFolder } from './folder.ts'
import { type Nemesis, seeded, torment } from './nemesis.ts'
import { createPayroll, PAYROLL_EVENTS, type PayrollProcess } from './payroll-process.ts'
import { createPlatform, type Platform, readFeed, waitUntil, waitUntilDelivered } from './platform.ts'
import { type Effect, isClean, type LoggedEvent, reconcile, wants } from './reconcile.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    employees: { type: 'string' },
    kills: { type: 'string', default: '0' },
    'receiver-kills': { type: 'string', default: '0' },
    'mean-seconds': { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})

const HELP = `npm run demo:history -- --data FOLDER [--employees N] [--kills N] [--receiver-kills N] [--mean-seconds S] [--seed N]

Imports FOLDER (employees.csv, departments.csv, dept_emp.csv, titles.csv, salaries.csv) into a fresh tenant with the payroll
example subscribed, waits until everything is delivered, and holds payroll's database against HR's. Prints one line of JSON.
With --kills the server is killed with -9 that many times meanwhile, with --receiver-kills payroll.`

type Step = { readonly kind: string; readonly file: string; readonly map: unknown }

const END = '9999-01-01'

if (values.help || !values.data) {
  process.stdout.write(`${HELP}\n`)
  process.exit(values.help ? 0 : 2)
}
const data = resolve(values.data)
process.exitCode = await inFolder('history', (folder) => main(data, folder))

async function main(data: string, folder: string): Promise<number> {
  const began = performance.now()
  const platform = await createPlatform(join(folder, 'tenure'))
  await platform.start()
  const payroll = await createPayroll(join(folder, 'payroll'), platform)
  await payroll.start()
  const chance = seeded(Number(values.seed))
  const meanMs = Number(values['mean-seconds']) * 1_000
  const tormentors = [
    torment(platform, { times: Number(values.kills), chance, meanMs, name: 'server' }),
    torment(payroll, { times: Number(values['receiver-kills']), chance, meanMs: meanMs * 2, name: 'payroll' }),
  ]
  try {
    const steps = await prepare(data, folder, values.employees ? Number(values.employees) : Number.POSITIVE_INFINITY)
    const importing = performance.now()
    const imports = []
    for (const step of steps) imports.push({ kind: step.kind, file: step.file.split('/').at(-1), ...(await importFile(platform, step)) })
    const imported = performance.now()
    await settled(platform, tormentors)
    const delivered = performance.now()
    const report = await compare(platform, payroll)
    const seconds = (from: number, to: number) => Math.round((to - from) / 100) / 10
    const line = {
      ...report,
      imports,
      import_seconds: seconds(importing, imported),
      delivered_after_seconds: seconds(imported, delivered),
      deliveries_per_s: Math.round(report.events / ((delivered - importing) / 1_000)),
      server_kills: tormentors[0]?.kills() ?? 0,
      receiver_kills: tormentors[1]?.kills() ?? 0,
      seed: Number(values.seed),
      seconds: seconds(began, performance.now()),
    }
    process.stdout.write(`${JSON.stringify(line)}\n`)
    return isClean(report) && report.pay_differs === 0 ? 0 : 1
  } finally {
    for (const tormentor of tormentors) await tormentor.stop()
    await payroll.stop()
    await platform.stop()
  }
}

/** The files of the data set as imports, with the leavers' last day taken from their last department. */
async function prepare(data: string, folder: string, most: number): Promise<Step[]> {
  const rows = async (name: string) =>
    (await readFile(join(data, name), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split(','))
  const chosen = new Set((await rows('employees.csv')).slice(1, most + 1).map(([id]) => id ?? ''))
  const cut = async (name: string) => {
    const path = join(folder, name)
    const [head, ...body] = await rows(name)
    await writeRows(
      path,
      head ?? [],
      body.filter(([id]) => chosen.has(id ?? '')),
    )
    return path
  }
  const last = new Map<string, string>()
  for (const [id = '', , , to = ''] of (await rows('dept_emp.csv')).slice(1)) if (to > (last.get(id) ?? '')) last.set(id, to)
  const leavers = join(folder, 'leavers.csv')
  const [head = [], ...employees] = await rows('employees.csv')
  const gone = employees.filter(([id = '']) => chosen.has(id) && last.get(id) !== END)
  await writeRows(
    leavers,
    [...head, 'termination_date'],
    gone.map((row) => [...row, last.get(row[0] ?? '') ?? '']),
  )

  // Department and title of a day stand in one row, so that each fact that is entered is whole.
  const changes = new Map<string, { id: string; from: string; department?: string; title?: string }>()
  const note = (id: string, from: string, what: { department?: string; title?: string }) => {
    if (chosen.has(id)) changes.set(`${from} ${id}`, { ...changes.get(`${from} ${id}`), id, from, ...what })
  }
  for (const [id = '', department = '', from = ''] of (await rows('dept_emp.csv')).slice(1)) note(id, from, { department })
  for (const [id = '', title = '', from = ''] of (await rows('titles.csv')).slice(1)) note(id, from, { title })
  const assignments = join(folder, 'assignments.csv')
  await writeRows(
    assignments,
    ['external_id', 'effective_date', 'department', 'title'],
    [...changes.values()].map(({ id, from, department = '', title = '' }) => [id, from, department, title]),
  )

  const person = { emp_no: 'external_id', first_name: 'given_name', last_name: 'family_name', hire_date: 'start_date' }
  const dated = { emp_no: 'external_id', from_date: 'effective_date' }
  const yearly = { currency: 'USD', period: 'year', pay_frequency: 'monthly' }
  return [
    { kind: 'departments', file: join(data, 'departments.csv'), map: { columns: { dept_no: 'code', dept_name: 'name' } } },
    { kind: 'employees', file: await cut('employees.csv'), map: { columns: person } },
    { kind: 'assignments', file: assignments, map: {} },
    { kind: 'compensation', file: await cut('salaries.csv'), map: { columns: { ...dated, salary: 'amount' }, constants: yearly } },
    { kind: 'employees', file: leavers, map: { columns: person } },
  ]
}

async function writeRows(path: string, head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
  const out = createWriteStream(path)
  for (const row of [head, ...rows]) out.write(`${row.join(',')}\n`)
  await new Promise<void>((done, fail) => out.end((error?: Error | null) => (error ? fail(error) : done())))
}

type Rows = { total: number; applied: number; unchanged: number; bad: number }
type ImportState = { state: string; rows: Rows }

/** Sends a file until the server has taken it whole, and waits until it is applied: again after every crash. */
async function importFile(platform: Platform, { kind, file, map }: Step): Promise<Rows> {
  const headers = {
    authorization: `Bearer ${platform.key}`,
    'content-type': 'text/csv',
    'tenure-import-map': Buffer.from(JSON.stringify(map)).toString('base64url'),
  }
  for (let tries = 0; tries < 50; tries++) {
    const body = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>
    const answer = await fetch(`${platform.url}/v1/imports?kind=${kind}&system=sample`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit).catch(() => undefined)
    if (!answer || answer.status >= 500) {
      await sleep(500)
      continue
    }
    const { id } = (await answer.json()) as { id: string }
    if (answer.status !== 202) throw new Error(`The import of ${file} was refused with ${answer.status}.`)
    let last: ImportState | undefined
    await waitUntil(
      async () => {
        last = (await platform.request('GET', `/v1/imports/${id}`))?.body as ImportState | undefined
        return last?.state === 'done' || last?.state === 'failed'
      },
      1_800_000,
      `the import of ${file}`,
    )
    if (last?.state !== 'done') throw new Error(`The import of ${file} failed.`)
    const { applied, unchanged, bad } = last.rows
    process.stderr.write(`imported ${kind}: ${applied} applied, ${unchanged} unchanged, ${bad} bad
`)
    return last.rows
  }
  throw new Error(`The server never took ${file}.`)
}

/** Waits until nothing is pending, with every kill that was asked for behind us. */
async function settled(platform: Platform, tormentors: readonly Nemesis[]): Promise<void> {
  for (const tormentor of tormentors) await tormentor.stop()
  await waitUntilDelivered(platform, 1_800_000)
}

async function compare(platform: Platform, payroll: PayrollProcess) {
  const log: LoggedEvent[] = []
  for await (const { id, type, employee_id, sequence } of readFeed(platform)) log.push({ id, type, employee_id, sequence } as LoggedEvent)
  const effects = await payroll.query<Effect>('select event_id, employee_id, sequence::int as sequence from effect order by position')
  return { ...reconcile(log, wants(PAYROLL_EVENTS), effects), ...(await comparePay(platform, payroll)) }
}

/** For every employee that payroll pays: its dated amounts against those that HR believes. */
async function comparePay(platform: Platform, payroll: PayrollProcess): Promise<{ pay_compared: number; pay_differs: number }> {
  const rows = await payroll.query<{ employee_id: string; pays: { from: string; amount: string }[] }>(
    `select employee_id, json_agg(json_build_object('from', effective_date::text, 'amount', components->0->>'amount') order by effective_date) as pays
       from payroll_compensation group by employee_id order by employee_id limit 500`,
  )
  let differs = 0
  for (const { employee_id, pays } of rows) {
    const history = await platform.request('GET', `/v1/employees/${employee_id}/history`)
    type Fact = { subject: string; superseded_at: string | null; valid_from: string; values: { components?: { amount: string }[] } }
    const facts = (history?.body['data'] ?? []) as Fact[]
    const believed = facts
      .filter(({ subject, superseded_at }) => subject === 'compensation' && superseded_at === null)
      .map(({ valid_from, values: { components } }) => ({ from: valid_from, amount: components?.[0]?.amount ?? '' }))
      .sort((a, b) => (a.from < b.from ? -1 : 1))
    if (JSON.stringify(believed) !== JSON.stringify(pays)) differs++
  }
  return { pay_compared: rows.length, pay_differs: differs }
}
