import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seeded, torment } from './nemesis.ts'
import { createPayroll, PAYROLL_EVENTS } from './payroll-process.ts'
import { createPlatform, type Platform, readFeed, waitUntil, waitUntilDelivered } from './platform.ts'
import { type Effect, isClean, type LoggedEvent, type Reconciliation, reconcile, wants } from './reconcile.ts'

export type CrashOptions = { readonly kills: number; readonly receiverKills: number; readonly writers: number; readonly seed: number }

export type CrashVerdict = Reconciliation & {
  readonly clean: boolean
  readonly acknowledged: number
  readonly lost: number
  readonly doubled: number
  readonly server_kills: number
  readonly receiver_kills: number
  readonly seed: number
}

/** An employee as its writer knows it: what was acknowledged, and nothing else. */
type Known = { readonly id: string; amount: string; ended: boolean }

const KILL_EVERY_MS = 2_500

/** Runs writers against a platform whose processes are killed, and holds what was acknowledged against what there is. */
export async function proveCrash(folder: string, { kills, receiverKills, writers, seed }: CrashOptions): Promise<CrashVerdict> {
  const platform = await createPlatform(join(folder, 'tenure'))
  await platform.start()
  const payroll = await createPayroll(join(folder, 'payroll'), platform)
  await payroll.start()
  const chance = seeded(seed)
  const known: Known[] = []
  let stopped = false
  let acknowledged = 0
  const acknowledge = () => {
    acknowledged++
  }
  const server = torment(platform, { times: kills, chance, meanMs: KILL_EVERY_MS, name: 'server' })
  const receiver = torment(payroll, { times: receiverKills, chance, meanMs: KILL_EVERY_MS * 2, name: 'payroll' })
  try {
    const running = Array.from({ length: writers }, async (_, at) => {
      const own: Known[] = []
      const random = seeded(seed * 1_000 + at)
      while (!stopped) await writeOnce(platform, own, random, at, acknowledge, () => stopped)
      known.push(...own)
    })
    await waitUntil(async () => server.kills() >= kills && receiver.kills() >= receiverKills, 600_000, 'every kill')
    await sleep(1_000)
    stopped = true
    await Promise.all([...running, server.stop(), receiver.stop()])
    await waitUntilDelivered(platform, 300_000)
    const log: LoggedEvent[] = []
    for await (const { id, type, employee_id, sequence } of readFeed(platform)) log.push({ id, type, employee_id, sequence } as LoggedEvent)
    const effects = await payroll.query<Effect>('select event_id, employee_id, sequence::int as sequence from effect order by position')
    const found = reconcile(log, wants(PAYROLL_EVENTS), effects)
    const { lost, doubled } = await compareKnown(platform, known, log)
    const clean = isClean(found) && lost === 0 && doubled === 0
    return { clean, acknowledged, lost, doubled, ...found, server_kills: server.kills(), receiver_kills: receiver.kills(), seed }
  } finally {
    stopped = true
    await Promise.allSettled([server.stop(), receiver.stop()])
    await payroll.stop()
    await platform.stop()
  }
}

/** One change, repeated with its key until it is answered: hire somebody, or change or end what this writer knows. */
async function writeOnce(
  platform: Platform,
  own: Known[],
  random: () => number,
  writer: number,
  acknowledge: () => void,
  stopped: () => boolean,
): Promise<void> {
  const someone = own[Math.floor(random() * own.length)]
  const amount = `${3_000 + Math.floor(random() * 5_000)}.00`
  const post = async (path: string, body: unknown) => {
    const idempotencyKey = randomUUID()
    for (let tries = 0; tries < 600; tries++) {
      const answer = await platform.request('POST', path, { body, idempotencyKey })
      if (answer && answer.status < 300) {
        acknowledge()
        return answer
      }
      if (answer && answer.status < 500 && answer.status !== 409 && answer.status !== 429)
        throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
      if (answer?.status === 409 && answer.body['code'] !== 'request-in-flight')
        throw new Error(`${path} answered ${JSON.stringify(answer.body)}`)
      await sleep(100)
    }
    throw new Error(`${path} was never answered.`)
  }
  const pay = { components: [{ kind: 'base', amount, currency: 'EUR', period: 'month' }], pay_frequency: 'monthly' }
  if (!someone || someone.ended || random() < 0.3) {
    const person = { given_name: `Writer ${writer}`, family_name: `Number ${own.length}` }
    const answer = await post('/v1/employees', { person, start_date: '2020-01-01', compensation: pay })
    own.push({ id: String(answer.body['employee_id']), amount, ended: false })
  } else if (random() < 0.9) {
    const answer = await post(`/v1/employees/${someone.id}/compensation`, { ...pay, effective_date: '2024-01-01' })
    if (answer.body['changed'] !== undefined) someone.amount = amount
  } else {
    await post(`/v1/employees/${someone.id}/termination`, { end_date: '2025-01-01' })
    someone.ended = true
  }
  if (!stopped()) await sleep(20 * random())
}

/** What was acknowledged and is not there, and employees that are there and nobody was told of. */
async function compareKnown(
  platform: Platform,
  known: readonly Known[],
  log: readonly LoggedEvent[],
): Promise<{ lost: number; doubled: number }> {
  let lost = 0
  for (const { id, amount, ended } of known) {
    const view = await platform.request('GET', `/v1/employees/${id}?as_of=2024-06-01`)
    const pays = view?.body['compensations'] as { components: { amount: string }[] }[] | undefined
    if (view?.status !== 200 || pays?.[0]?.components[0]?.amount !== amount) lost++
    const now = ended ? await platform.request('GET', `/v1/employees/${id}`) : undefined
    if (ended && now?.body['status'] !== 'terminated') lost++
  }
  const created = log.filter(({ type }) => type === 'employee.created')
  return { lost, doubled: Math.abs(created.length - known.length) }
}
