import type { Database } from '../database/database.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { type Actor, SCOPES, type Scope } from './actor.ts'
import { checkApiKeyFormat, hashApiKey } from './api-key.ts'
import { unauthenticated } from './problems.ts'

/** Who holds a credential. The tenant comes from here and from nowhere else. */
export type Principal = { readonly tenantId: string; readonly actor: Pick<Actor, 'type' | 'id' | 'source' | 'scopes'> }

/** Tells whose the bearer key is, or throws `unauthenticated`. `beforeAsking` runs before a key that is not known costs a statement. */
export type Authenticate = (authorization: string | undefined, beforeAsking?: () => void) => Promise<Principal>

export type AuthenticatorOptions = {
  /** How long an answer is believed. At most a second: that is how soon a revoked key must be refused everywhere. */
  readonly cacheMs?: number
  readonly clock?: Clock
}

const MAX_CACHE_MS = 1_000
const CACHED_KEYS = 10_000
const USED_EVERY_MS = 60_000
const KNOWN_SCOPES: ReadonlySet<string> = new Set(SCOPES)

type Cached = { readonly until: number; readonly principal: Promise<Principal> }

export function createAuthenticator(
  database: Database,
  { cacheMs = MAX_CACHE_MS, clock = systemClock }: AuthenticatorOptions = {},
): Authenticate {
  if (cacheMs > MAX_CACHE_MS)
    throw new Error(`Keys may be believed for ${MAX_CACHE_MS} ms at most: a revoked one must stop within a second.`)
  const cache = new Map<string, Cached>()
  const lastUse = createLastUse(database)

  return async (authorization, beforeAsking) => {
    const hash = hashApiKey(bearerOf(authorization))
    const name = hash.toString('base64url')
    const now = clock().getTime()
    const cached = cache.get(name)
    if (cached && cached.until > now) return cached.principal
    // A key that worked a moment ago is asked about again in any case: it does not suffer for others at its address.
    if (!cached) beforeAsking?.()
    // Concurrent requests of one key share the question, and the time counts from asking, not from the answer.
    const principal = findPrincipal(database, hash)
    remember(cache, CACHED_KEYS, name, { until: now + cacheMs, principal })
    principal.catch(() => cache.delete(name))
    await lastUse.note(await principal, now)
    return principal
  }
}

/** The key of the header. One that cannot be a key is refused without a statement. */
function bearerOf(authorization: string | undefined): string {
  const [, key] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (key === undefined) throw unauthenticated({ detail: 'Send `Authorization: Bearer tnr_…`.' })
  if (!checkApiKeyFormat(key)) throw unauthenticated({ detail: 'That is not a key of Tenure: a character is wrong or missing.' })
  return key
}

type KeyRow = { readonly tenant_id: string; readonly id: string; readonly scopes: readonly string[] }

async function findPrincipal(database: Database, hash: Buffer): Promise<Principal> {
  const [row] = await database.ask<KeyRow>(FIND_API_KEY, [hash])
  if (!row) throw unauthenticated({ detail: 'The key is unknown, expired or revoked.' })
  const scopes = new Set(row.scopes.filter((scope): scope is Scope => KNOWN_SCOPES.has(scope)))
  return { tenantId: row.tenant_id, actor: { type: 'api_key', id: row.id, source: 'api', scopes } }
}

/** Writes down at most once a minute that a key is in use. It is for people to see, so its failing fails no request. */
function createLastUse(database: Database) {
  const noted = new Map<string, number>()
  return {
    async note({ tenantId, actor: { id } }: Principal, now: number): Promise<void> {
      if ((noted.get(id) ?? Number.NEGATIVE_INFINITY) > now - USED_EVERY_MS) return
      remember(noted, CACHED_KEYS, id, now)
      await database.withTenant(tenantId, (tx) => tx.scope.run(NOTE_USE, [tenantId, id])).catch(() => {})
    },
  }
}

/** Bounded: the entry that was written longest ago goes first. */
function remember<Value>(entries: Map<string, Value>, most: number, name: string, value: Value): void {
  entries.delete(name)
  entries.set(name, value)
  const oldest = entries.keys().next()
  if (entries.size > most && !oldest.done) entries.delete(oldest.value)
}

const FIND_API_KEY = { name: 'find-api-key', text: 'select tenant_id, id, scopes from find_api_key($1)' }

const NOTE_USE = {
  name: 'note-api-key-use',
  text: `update api_key set last_used_at = now()
          where tenant_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
}
