import { setTimeout as sleep } from 'node:timers/promises'
import type { Query } from './api.ts'
import { CliError, EXIT } from './exit.ts'
import { createProgress } from './progress.ts'
import { type ApiFlags, openSession, type Session } from './session.ts'
import { formatFields, formatTable } from './table.ts'
import { moment, until } from './times.ts'

type Delivery = {
  readonly id: string
  readonly endpoint_id: string
  readonly event_id: string
  readonly event_type: string
  readonly employee_id: string | null
  readonly state: 'pending' | 'delivered' | 'dead'
  readonly attempts: number
  readonly failure: string | null
  readonly next_attempt_at: string | null
  readonly created_at: string
  readonly settled_at: string | null
}
type Attempt = {
  readonly number: number
  readonly started_at: string
  readonly duration_ms: number | null
  readonly outcome: string
  readonly status: number | null
  readonly exchange: unknown
}

export type DeliveryFilter = {
  readonly endpoint?: string
  readonly employee?: string
  readonly event?: string
  readonly type?: string
  readonly state?: string
}

export async function listDeliveries({ limit, ...flags }: ApiFlags & DeliveryFilter & { readonly limit: number }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const deliveries = await Array.fromAsync(api.list<Delivery>('/v1/deliveries', queryOf(flags), limit))
  if (terminal.json) return terminal.data(...deliveries)
  if (deliveries.length === 0) return terminal.note('No deliveries.')
  const now = Date.now()
  const columns = [
    { title: 'DELIVERY', value: ({ id }: Delivery) => id },
    { title: 'EVENT', value: ({ event_type }: Delivery) => event_type, gives: true },
    { title: 'STATE', value: ({ state }: Delivery) => state },
    { title: 'TRIES', value: ({ attempts }: Delivery) => String(attempts), right: true },
    { title: 'WHY', value: ({ failure }: Delivery) => failure ?? '', gives: true },
    { title: 'NEXT', value: ({ next_attempt_at }: Delivery) => until(next_attempt_at, now) },
  ]
  const shown = deliveries.some(({ state }) => state !== 'delivered') ? columns : columns.slice(0, 4)
  for (const line of formatTable(shown, deliveries, terminal.width)) terminal.out(line)
  if (deliveries.length === limit) terminal.note(`The newest ${limit}; --limit shows more.`)
}

export async function showDelivery(id: string, { exchange, ...flags }: ApiFlags & { readonly exchange?: boolean }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const { attempt_log: attempts, ...delivery } = await api.get<Delivery & { readonly attempt_log: readonly Attempt[] }>(pathOf(id))
  const shown = exchange ? attempts : attempts.map(({ exchange: _hidden, ...attempt }) => attempt)
  if (terminal.json) return terminal.data({ ...delivery, attempt_log: shown })
  const fields: [string, string][] = [
    ['delivery', delivery.id],
    ['event', `${delivery.event_type}  ${delivery.event_id}`],
    ['endpoint', delivery.endpoint_id],
    ['employee', delivery.employee_id ?? '-'],
    ['state', [delivery.state, delivery.failure].filter(Boolean).join(', ')],
    ['next try', until(delivery.next_attempt_at, Date.now())],
    ['made', `${moment(delivery.created_at)} UTC`],
  ]
  for (const line of formatFields(fields)) terminal.out(line)
  terminal.out('')
  const columns = [
    { title: 'TRY', value: ({ number }: Attempt) => String(number), right: true },
    { title: 'STARTED (UTC)', value: ({ started_at }: Attempt) => moment(started_at) },
    { title: 'MS', value: ({ duration_ms }: Attempt) => String(duration_ms ?? '-'), right: true },
    { title: 'OUTCOME', value: ({ outcome }: Attempt) => outcome },
    { title: 'STATUS', value: ({ status }: Attempt) => String(status ?? '-') },
  ]
  for (const line of formatTable(columns, attempts, terminal.width)) terminal.out(line)
  if (exchange) for (const attempt of attempts) terminal.out(`\nTry ${attempt.number}\n${JSON.stringify(attempt.exchange, null, 2)}`)
}

export async function retryDelivery(id: string, flags: ApiFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  await api.post(`${pathOf(id)}/retry`)
  if (terminal.json) return terminal.data({ id })
  terminal.out(`${id} is tried now. What became of it: tenure deliveries show ${id}`)
}

type RedriveFlags = ApiFlags & { readonly endpoint?: string; readonly all?: boolean; readonly dryRun?: boolean; readonly yes?: boolean }

/** Sends dead letters again: one by its id, or all that there are (of an endpoint). */
export async function redriveDeliveries(id: string | undefined, flags: RedriveFlags): Promise<void> {
  const session = openSession(flags)
  if (id) {
    await session.api.post(`${pathOf(id)}/redrive`)
    if (session.terminal.json) return session.terminal.data({ redriven: 1 })
    return session.terminal.out(`${id} is sent again. What became of it: tenure deliveries show ${id}`)
  }
  if (!flags.all && !flags.endpoint)
    throw new CliError(EXIT.usage, 'Name a delivery, or an endpoint with --endpoint, or take all with --all.')
  await redriveAll(session, flags)
}

async function redriveAll({ api, terminal }: Session, { endpoint, dryRun, yes }: RedriveFlags): Promise<void> {
  const dead: Delivery[] = await Array.fromAsync(api.list<Delivery>('/v1/deliveries', { state: 'dead', endpoint_id: endpoint }))
  if (dryRun || dead.length === 0) {
    if (terminal.json) return terminal.data({ dead: dead.length, redriven: 0 })
    return terminal.out(`${dead.length} dead letters would be sent again.`)
  }
  if (!yes) throw new CliError(EXIT.usage, `${dead.length} dead letters would be sent again.`, ['To go ahead, add --yes.'])
  const progress = createProgress(terminal)
  // Oldest first: the order in which the employee's events happened.
  for (const [number, { id }] of dead.reverse().entries()) {
    await redriveOne(api, id)
    progress.update('redriving', number + 1, dead.length)
  }
  progress.end()
  if (terminal.json) return terminal.data({ dead: dead.length, redriven: dead.length })
  terminal.out(`${dead.length} dead letters are sent again.`)
}

/** Waits where the API asks for fewer requests. */
async function redriveOne(api: Session['api'], id: string): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await api.post(`${pathOf(id)}/redrive`)
    } catch (error) {
      if (!(error instanceof CliError) || error.facts.status !== 429 || tried === 5) throw error
      await sleep(1_000 * tried)
    }
  }
}

function queryOf({ endpoint, employee, event, type, state }: DeliveryFilter): Query {
  return { endpoint_id: endpoint, employee_id: employee, event_id: event, type, state }
}

function pathOf(id: string): string {
  return `/v1/deliveries/${encodeURIComponent(id)}`
}
