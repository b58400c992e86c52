// Deliveries from a backlog beside a plain loop that posts the same bodies to the same receiver in the same run, and the
// time from commit to receipt. Shared machines are noisy: read the ratio.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { createEndpoint } from '../server/src/delivery/endpoints/create-endpoint.ts'
import { updateEndpoint } from '../server/src/delivery/endpoints/update-endpoint.ts'
import { applyCompensationChange } from '../server/src/people/employees/change-compensation.ts'
import { createEmployees } from '../server/src/people/employees/create-employees.ts'
import { openRecords, saveRecords } from '../server/src/people/employees/record-store.ts'
import { type BenchPlatform, percentile, round, startPlatform } from './platform.ts'
import { type BenchReceiver, startReceiver } from './receiver.ts'

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write('npm run bench:delivery -- [--deliveries N] [--rate changes/s] [--seconds N] [--connections N] [--json]\n')
  process.exit(0)
}

const deliveries = Number(values.deliveries)
const pay = (amount: number) => ({
  components: [{ kind: 'base' as const, amount: `${amount}.00`, currency: 'EUR', period: 'month' as const }],
  pay_frequency: 'monthly' as const,
})
const person = {
  given_name: 'Ada',
  family_name: 'Byron',
  email: 'ada.byron@example.com',
  birth_date: '1990-12-10',
  preferred_name: 'x'.repeat(100),
}

const receiver = await startReceiver()
const platform = await startPlatform()
try {
  const endpointId = await addEndpoint(platform, receiver.url)
  const backlog = await drainBacklog(platform, receiver, endpointId)
  const raw = await postRaw(receiver, backlog.body, deliveries, Number(values.connections))
  const latency = await commitToReceipt(platform, receiver, Number(values.rate), Number(values.seconds))
  const line = {
    deliveries_per_s: Math.round(backlog.perSecond),
    raw_posts_per_s: Math.round(raw),
    ratio: round(backlog.perSecond / raw),
    commit_to_receipt_ms: { p50: round(percentile(latency, 0.5)), p99: round(percentile(latency, 0.99)) },
    rss_mb: Math.round(backlog.rssMb),
    deliveries: backlog.received,
    body_bytes: Buffer.byteLength(backlog.body),
    changes_per_s: Number(values.rate),
    changes: latency.length,
  }
  process.stdout.write(
    `${
      values.json
        ? JSON.stringify(line)
        : Object.entries(line)
            .map(([name, value]) => `${name.padEnd(22)} ${JSON.stringify(value)}`)
            .join('\n')
    }\n`,
  )
} finally {
  await platform.close()
  await receiver.stop()
}

async function addEndpoint({ change }: BenchPlatform, url: string): Promise<string> {
  const policy = { allowedPrivate: [], extraPorts: [], loopbackPorts: 'any' as const }
  const made = await change((opened) =>
    createEndpoint(opened, policy, { name: 'bench', url, event_types: ['*'], detail: 'full', grants: ['personal'] }),
  )
  return made.id
}

/** Lets deliveries pile up behind a paused endpoint, resumes it, and measures at the receiver. */
async function drainBacklog({ change }: BenchPlatform, from: BenchReceiver, endpointId: string) {
  const policy = { allowedPrivate: [], extraPorts: [], loopbackPorts: 'any' as const }
  const turn = (state: 'paused' | 'active') =>
    change((opened) => updateEndpoint(opened, endpointId, { state }, { policy, requireVersion: () => {} }))
  await turn('paused')
  for (let made = 0; made < deliveries; made += 1_000) {
    await change((opened) =>
      createEmployees(
        opened,
        Array.from({ length: 500 }, () => ({
          person,
          start_date: '2020-01-01',
          assignment: { title: 'Analyst' },
          compensation: pay(4_000),
        })),
      ),
    )
  }
  await from.reset()
  await turn('active')
  let rss = 0
  while ((await from.count()) < deliveries) {
    await sleep(100)
    rss = Math.max(rss, process.memoryUsage.rss())
  }
  const report = await from.report()
  const body = report.sample?.body ?? ''
  return { perSecond: (report.received / (report.last - report.first)) * 1_000, received: report.received, body, rssMb: rss / 2 ** 20 }
}

/** The baseline: as many requests with the same body over as many connections, and nothing else. */
async function postRaw(to: BenchReceiver, body: string, count: number, connections: number): Promise<number> {
  const { origin, pathname } = new URL(to.url)
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const headers = {
    'content-type': 'application/json',
    'webhook-id': 'raw',
    'webhook-timestamp': '1700000000',
    'webhook-signature': 'v1,raw',
  }
  await to.reset()
  let left = count
  const loop = async () => {
    while (left-- > 0) {
      const { body: answer } = await pool.request({ method: 'POST', path: pathname, headers, body })
      await answer.dump()
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  const { received, first, last } = await to.report()
  await pool.close()
  return (received / (last - first)) * 1_000
}

/** Pay changes at a steady rate, each for another employee; from the moment the commit was answered to the receiver's. */
async function commitToReceipt({ change }: BenchPlatform, to: BenchReceiver, rate: number, seconds: number): Promise<number[]> {
  const made = await change((opened) =>
    createEmployees(
      opened,
      Array.from({ length: 400 }, () => ({ person, start_date: '2020-01-01', compensation: pay(4_000) })),
    ),
  )
  await sleep(2_000)
  await to.reset()
  const committed: { id: string; at: number }[] = []
  const began = performance.now()
  const running: Promise<void>[] = []
  for (let n = 0; n < rate * seconds; n++) {
    const due = began + (n * 1_000) / rate
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait)
    const employeeId = made[n % made.length]!.employeeId
    running.push(
      change(async (opened) => {
        const records = await openRecords(opened, [employeeId])
        applyCompensationChange(opened, records.get(employeeId)!, { effective_date: '2024-01-01', ...pay(5_000 + n) })
        await saveRecords(opened, records.values())
        return opened.id
      }).then((id) => void committed.push({ id, at: performance.timeOrigin + performance.now() })),
    )
  }
  await Promise.all(running)
  await sleep(2_000)
  const { arrivals } = await to.report()
  const events = await eventIds(committed.map(({ id }) => id))
  return committed
    .flatMap(({ id, at }) => (arrivals[events.get(id) ?? ''] ? [arrivals[events.get(id) ?? '']! - at] : []))
    .sort((a, b) => a - b)
}

async function eventIds(changeSetIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await platform.app.ground.database.withTenant(platform.tenantId, (tx) =>
    tx.selectFrom('event').select(['id', 'correlation_id']).where('correlation_id', 'in', changeSetIds).execute(),
  )
  return new Map(rows.map(({ id, correlation_id }) => [correlation_id, id]))
}
