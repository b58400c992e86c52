import { CliError, EXIT } from './exit.ts'
import { type ApiFlags, openSession } from './session.ts'
import { formatTable } from './table.ts'
import { day } from './times.ts'

type ApiKey = {
  readonly id: string
  readonly name: string
  readonly starts_with: string
  readonly scopes: readonly string[]
  readonly expires_at: string
  readonly revoked_at: string | null
  readonly last_used_at: string | null
}

export async function listKeys(flags: ApiFlags & { readonly all?: boolean }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const keys: ApiKey[] = []
  for await (const key of api.list<ApiKey>('/v1/api_keys')) if (flags.all || !key.revoked_at) keys.push(key)
  if (terminal.json) return terminal.data(...keys)
  const columns = [
    { title: 'KEY', value: ({ id }: ApiKey) => id },
    { title: 'NAME', value: ({ name }: ApiKey) => name, gives: true },
    { title: 'STARTS WITH', value: ({ starts_with }: ApiKey) => `${starts_with}…` },
    { title: 'EXPIRES', value: ({ expires_at, revoked_at }: ApiKey) => (revoked_at ? 'revoked' : day(expires_at)) },
    { title: 'USED', value: ({ last_used_at }: ApiKey) => day(last_used_at) },
  ]
  for (const line of formatTable(columns, keys, terminal.width)) terminal.out(line)
}

type CreateKeyFlags = ApiFlags & {
  readonly name: string
  readonly scope: readonly string[]
  readonly test?: boolean
  readonly days: number
}

export async function createKey({ name, scope, test, days, ...flags }: CreateKeyFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  const expiresAt = new Date(Date.now() + days * 86_400_000).toISOString()
  const body = { name, scopes: scope, expires_at: expiresAt, ...(test ? { environment: 'test' } : {}) }
  const created = await api.post<{ id: string; key: string; expires_at: string }>('/v1/api_keys', body)
  if (terminal.json) return terminal.data(created)
  terminal.out(created.key)
  terminal.note(`${created.id}, until ${day(created.expires_at)}. Keep the key now: nobody can read it again.`)
}

export async function revokeKey(id: string, { yes, ...flags }: ApiFlags & { readonly yes?: boolean }): Promise<void> {
  const { api, terminal } = openSession(flags)
  if (!yes) {
    throw new CliError(EXIT.usage, 'A revoked key stops working everywhere within a second, for good.', [
      `To go ahead: tenure keys revoke ${id} --yes`,
    ])
  }
  await api.send('DELETE', `/v1/api_keys/${encodeURIComponent(id)}`)
  if (terminal.json) return terminal.data({ id, revoked: true })
  terminal.out(`${id} is revoked.`)
}
