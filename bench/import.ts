// Changes per second of an import of pay changes, from the upload's end to the last row, beside plain inserts of as many rows.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SCOPES } from '../server/src/access/actor.ts'
import { createApiKey } from '../server/src/access/create-api-key.ts'
import { accessChange } from '../server/src/http/key-routes.ts'
import { type BenchPlatform, round, startPlatform } from './platform.ts'

const { values } = parseArgs({
  options: {
    employees: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write('npm run bench:import -- [--employees N] [--changes per-employee] [--json]\n')
  process.exit(0)
}

const employees = Number(values.employees)
const changes = Number(values.changes)
const platform = await startPlatform()
try {
  const key = await platform.change(
    async (change) => (await createApiKey(accessChange(change), { name: 'bench', scopes: [...SCOPES] })).key,
  )
  const people = await importFile(platform, key, 'employees', employeeFile())
  const pay = await importFile(platform, key, 'compensation', payFile())
  const baseline = await plainInserts(platform, employees * changes)
  const line = {
    changes_per_s: Math.round(pay.perSecond),
    plain_inserts_per_s: Math.round(baseline),
    ratio: round(pay.perSecond / baseline),
    employees_per_s: Math.round(people.perSecond),
    changes: pay.applied,
    rss_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
  }
  process.stdout.write(
    `${
      values.json
        ? JSON.stringify(line)
        : Object.entries(line)
            .map(([name, value]) => `${name.padEnd(22)} ${value}`)
            .join('\n')
    }\n`,
  )
} finally {
  await platform.close()
}

function employeeFile(): string {
  const rows = Array.from({ length: employees }, (_, n) => `e${n},Given${n},Family${n},2000-01-01`)
  return ['external_id,given_name,family_name,start_date', ...rows].join('\n')
}

function payFile(): string {
  const rows = Array.from({ length: employees * changes }, (_, n) => {
    const [employee, year] = [Math.floor(n / changes), n % changes]
    return `e${employee},${2001 + year}-01-01,${40_000 + n},EUR,year,monthly`
  })
  return ['external_id,effective_date,amount,currency,period,pay_frequency', ...rows].join('\n')
}

async function importFile({ app }: BenchPlatform, key: string, kind: string, csv: string): Promise<{ applied: number; perSecond: number }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'text/csv' }
  const answer = await fetch(`${app.url}/v1/imports?kind=${kind}`, { method: 'POST', headers, body: csv })
  if (answer.status !== 202) throw new Error(`The import answered ${answer.status}: ${await answer.text()}`)
  const { id } = (await answer.json()) as { id: string }
  const began = performance.now()
  for (;;) {
    const response = await fetch(`${app.url}/v1/imports/${id}`, { headers: { authorization: headers.authorization } })
    const { state, rows } = (await response.json()) as { state: string; rows: { applied: number; bad: number } }
    if (state === 'done') return { applied: rows.applied, perSecond: (rows.applied / (performance.now() - began)) * 1_000 }
    if (state === 'failed') throw new Error('The import failed.')
    await sleep(50)
  }
}

/** The floor: rows of the same kind inserted in batches of the same size, each batch a commit, and nothing else. */
async function plainInserts({ app, tenantId }: BenchPlatform, count: number): Promise<number> {
  const statement = {
    name: 'bench-plain-insert',
    text: "insert into change_set (tenant_id, id, recorded_at, actor_type, actor_id, source) select $1, 'bench_' || gen_random_uuid(), now(), 'system', 'bench', 'test' from generate_series(1, $2)",
  }
  const began = performance.now()
  for (let done = 0; done < count; done += 500)
    await app.ground.database.withTenant(tenantId, (tx) => tx.scope.run(statement, [tenantId, 500]))
  return (count / (performance.now() - began)) * 1_000
}
