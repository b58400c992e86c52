import { type ApiFlags, openSession, type Session } from './session.ts'
import { formatFields, formatTable } from './table.ts'
import { moment } from './times.ts'

export type Endpoint = {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly event_types: readonly string[]
  readonly detail: string
  readonly grants: readonly string[]
  readonly state: string
  readonly disabled_reason: string | null
  readonly version: number
  readonly created_at: string
}

export async function listEndpoints(flags: ApiFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  const endpoints = await Array.fromAsync(api.list<Endpoint>('/v1/endpoints'))
  if (terminal.json) return terminal.data(...endpoints)
  if (endpoints.length === 0) return terminal.note('No endpoints yet. `tenure endpoints create --help` shows how to set one up.')
  const columns = [
    { title: 'ENDPOINT', value: ({ id }: Endpoint) => id },
    { title: 'NAME', value: ({ name }: Endpoint) => name, gives: true },
    { title: 'STATE', value: ({ state }: Endpoint) => state },
    { title: 'URL', value: ({ url }: Endpoint) => url, gives: true },
  ]
  for (const line of formatTable(columns, endpoints, terminal.width)) terminal.out(line)
}

export async function showEndpoint(id: string, flags: ApiFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  const endpoint = await api.get<Endpoint>(pathOf(id))
  if (terminal.json) return terminal.data(endpoint)
  const fields: [string, string][] = [
    ['endpoint', endpoint.id],
    ['name', endpoint.name],
    ['url', endpoint.url],
    ['state', endpoint.disabled_reason ? `${endpoint.state} (${endpoint.disabled_reason})` : endpoint.state],
    ['event types', endpoint.event_types.join(', ')],
    ['detail', endpoint.detail],
    ['grants', endpoint.grants.join(', ') || 'none'],
    ['made', `${moment(endpoint.created_at)} UTC`],
  ]
  for (const line of formatFields(fields)) terminal.out(line)
}

export type EndpointSettings = {
  readonly name?: string
  readonly to?: string
  readonly event?: readonly string[]
  readonly detail?: string
  readonly grant?: readonly string[]
  readonly header?: Readonly<Record<string, string>>
}

export async function createEndpoint({
  signingSecret,
  ...flags
}: ApiFlags & EndpointSettings & { readonly signingSecret?: string }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const body = { ...bodyOf(flags), ...(signingSecret ? { secret: signingSecret } : {}) }
  const created = await api.post<{ id: string; secret: string }>('/v1/endpoints', body)
  if (terminal.json) return terminal.data(created)
  for (const line of formatFields([
    ['endpoint', created.id],
    ['secret', created.secret],
  ]))
    terminal.out(line)
  terminal.note(`Keep the secret now: nobody can read it again. Next: tenure endpoints test ${created.id}`)
}

export async function updateEndpoint(id: string, flags: ApiFlags & EndpointSettings): Promise<void> {
  await change(openSession(flags), id, bodyOf(flags))
}

export async function setEndpointState(id: string, state: 'active' | 'paused', flags: ApiFlags): Promise<void> {
  await change(openSession(flags), id, { state })
}

async function change({ api, terminal }: Session, id: string, body: object): Promise<void> {
  const { version } = await api.send<{ version: number }>('PATCH', pathOf(id), { body })
  if (terminal.json) return terminal.data({ id, version, ...body })
  terminal.out(`${id} is changed (version ${version}).`)
}

export async function testEndpoint(id: string, flags: ApiFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  const { state } = await api.post<{ state: string }>(`${pathOf(id)}/test`)
  if (terminal.json) return terminal.data({ id, state })
  const next = `See what became of it: tenure deliveries list --endpoint ${id} --limit 1`
  terminal.out(
    state === 'active'
      ? `A test event is on its way. ${next}`
      : `The endpoint is ${state}: the test event waits. Resume it: tenure endpoints resume ${id}`,
  )
}

function bodyOf({ name, to, event, detail, grant, header }: EndpointSettings): Record<string, unknown> {
  const given = { name, url: to, event_types: event, detail, grants: grant, custom_headers: header }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function pathOf(id: string): string {
  return `/v1/endpoints/${encodeURIComponent(id)}`
}
