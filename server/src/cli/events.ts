import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './api.ts'
import { type ApiFlags, openSession } from './session.ts'
import { formatFields, formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'
import { clockTime, moment } from './times.ts'

type Event = {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly effective_date: string | null
  readonly employee_id: string | null
  readonly sequence: number | null
  readonly source: string
  readonly data?: unknown
  readonly previous_attributes?: unknown
  readonly changed?: readonly string[]
  readonly correlation_id?: string
}
type Feed = { readonly data: readonly Event[]; readonly next_cursor: string | null; readonly has_more: boolean }

export type EventFilter = { readonly type?: string; readonly employee?: string; readonly after?: string }

type EventFlags = ApiFlags & EventFilter & { readonly limit: number; readonly follow?: boolean; readonly values?: boolean }

const PAGE = 200
const FOLLOW_EVERY_MS = 1_000

/** The feed from its beginning, or from a cursor; with `follow` what happens from now on, until the command is stopped. */
export async function listEvents({ limit, follow, values = false, ...flags }: EventFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  if (follow) return followEvents(api, terminal, flags, values)
  const events: Event[] = []
  let feed: Feed
  let cursor = flags.after
  do {
    feed = await readFeed(api, flags, cursor, Math.min(PAGE, limit - events.length))
    events.push(...feed.data)
    cursor = feed.next_cursor ?? cursor
  } while (feed.has_more && events.length < limit)
  if (terminal.json) return terminal.data(...events.map((event) => shown(event, values)))
  if (events.length === 0) return terminal.note('No events.')
  for (const line of formatTable(terminal.width < WIDE ? COLUMNS.slice(0, 3) : COLUMNS, events, terminal.width)) terminal.out(line)
  if (feed.has_more) terminal.note(`More: --after ${cursor}`)
}

async function followEvents(api: Api, terminal: Terminal, filter: EventFilter, values: boolean): Promise<void> {
  let cursor = filter.after
  if (!cursor) {
    let feed: Feed
    do {
      feed = await readFeed(api, filter, cursor, PAGE)
      cursor = feed.next_cursor ?? cursor
    } while (feed.has_more)
    terminal.note('Waiting for events. Ctrl-C ends.')
  }
  for (;;) {
    const feed = await readFeed(api, filter, cursor, PAGE)
    for (const event of feed.data) {
      if (terminal.json) terminal.data(shown(event, values))
      else terminal.out([clockTime(event.timestamp), event.type.padEnd(33), event.employee_id ?? '-'].join('  '))
    }
    cursor = feed.next_cursor ?? cursor
    if (!feed.has_more) await sleep(FOLLOW_EVERY_MS)
  }
}

export async function showEvent(id: string, { values = false, ...flags }: ApiFlags & { readonly values?: boolean }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const event = await api.get<Event>(`/v1/events/${encodeURIComponent(id)}`)
  if (terminal.json) return terminal.data(shown(event, values))
  const fields: [string, string][] = [
    ['event', event.id],
    ['type', event.type],
    ['happened', `${moment(event.timestamp)} UTC`],
    ['effective', event.effective_date ?? '-'],
    ['employee', event.employee_id ? `${event.employee_id}, event ${event.sequence}` : '-'],
    ['source', event.source],
    ['changed', event.changed?.join(', ') || '-'],
    ['change set', event.correlation_id ?? '-'],
  ]
  for (const line of formatFields(fields)) terminal.out(line)
  if (values) terminal.out(`\n${JSON.stringify({ data: event.data, previous_attributes: event.previous_attributes }, null, 2)}`)
  else terminal.note(`Values of the event: --values. Its deliveries: tenure deliveries list --event ${event.id}`)
}

/** From here on there is room for the employee beside the event. */
const WIDE = 110

const COLUMNS = [
  { title: 'TIME (UTC)', value: ({ timestamp }: Event) => moment(timestamp).slice(5, 16) },
  { title: 'TYPE', value: ({ type }: Event) => type, gives: true },
  { title: 'EVENT', value: ({ id }: Event) => id },
  { title: 'EMPLOYEE', value: ({ employee_id }: Event) => employee_id ?? '-' },
]

function readFeed(api: Api, { type, employee }: EventFilter, cursor: string | undefined, limit: number): Promise<Feed> {
  return api.get('/v1/events', { type, employee_id: employee, cursor, limit })
}

/** Without what may be personal, unless it was asked for. */
function shown({ data, previous_attributes, ...event }: Event, values: boolean): object {
  return values ? { ...event, data, previous_attributes } : event
}
