import type { Connection } from './connection.ts'
import { type Attempt, OPERATIONS, type Operation } from './operations.ts'
import type { Relation } from './relations.ts'

/** As whom a transaction runs: what it puts into the setting, if anything. */
export type Scope = { readonly name: string; readonly enter: readonly (readonly [string, readonly unknown[]])[] }

export type MatrixResult = {
  readonly cases: number
  readonly refused: number
  readonly leaks: readonly string[]
  /** Rows of the tenant itself that were reached: what shows that the operations work at all. */
  readonly ownReached: ReadonlySet<string>
}

const SET = `select set_config('tenure.tenant_id', $1, true)`

/** Settings that are not the id of a tenant, and other ways to claim one. */
export function spoofedScopes(victim: string): Scope[] {
  const values = ['', '%', ` ${victim}`, `${victim} `, victim.toUpperCase(), `' or true --`, `{${victim}}`]
  return [
    ...values.map((value) => ({ name: `spoofed ${JSON.stringify(value)}`, enter: [[SET, [value]]] as const })),
    {
      name: 'spoofed other setting',
      enter: [["select set_config('tenure.tenant', $1, true), set_config('app.tenant_id', $1, true)", [victim]]],
    },
    { name: 'spoofed row_security off', enter: [['set local row_security = off', []]] },
    { name: 'spoofed search_path', enter: [['set local search_path = pg_temp, public, keys', []]] },
  ]
}

export const ownScope = (tenant: string): Scope => ({ name: 'own', enter: [[SET, [tenant]]] })
export const otherScope = (tenant: string): Scope => ({ name: 'other', enter: [[SET, [tenant]]] })
export const NO_SCOPE: Scope = { name: 'none', enter: [] }

/** SQLSTATEs by which PostgreSQL refuses: no privilege or policy, and COPY FROM under row security. */
const REFUSALS = new Set(['42501', '0A000'])
/** By these it would have written: the copy of a row met the row itself, or COPY waited for lines that never came. */
const WRITES = new Set(['23505', '23P01', '57014'])

/** Tries every operation on every relation in every scope. In scope `own` the target is the tenant itself. */
export async function runMatrix(
  app: Connection,
  relations: readonly Relation[],
  { own, victim }: { own: string; victim: string },
): Promise<MatrixResult> {
  const notices = listenToNotices(app)
  const scopes = [ownScope(own), otherScope(own), NO_SCOPE, ...spoofedScopes(victim)]
  const leaks: string[] = []
  const ownReached = new Set<string>()
  let cases = 0
  let refused = 0
  for (const relation of relations) {
    for (const operation of OPERATIONS.filter(({ views }) => views || relation.kind === 'table')) {
      for (const scope of scopes) {
        const target = scope.name === 'own' ? own : victim
        const reached = await tryOne(app, relation, operation, scope, target, notices)
        cases++
        if (reached === 'refused') refused++
        else if (scope.name === 'own') reached > 0 && ownReached.add(`${relation.name} ${operation.name}`)
        else if (reached > 0) leaks.push(`${relation.name}: ${operation.name} as ${scope.name}`)
      }
    }
  }
  return { cases, refused, leaks, ownReached }
}

async function tryOne(
  client: Connection,
  relation: Relation,
  operation: Operation,
  scope: Scope,
  target: string,
  notices: string[],
): Promise<number | 'refused'> {
  const begin = async () => {
    await client.query('begin')
    for (const [text, values] of scope.enter) await client.query(text, [...values])
  }
  const attempt: Attempt = {
    client,
    relation,
    target,
    notices,
    setTenant: async (tenant) => void (await client.query(SET, [tenant])),
    again: async () => {
      await client.query('commit')
      await begin()
    },
  }
  await begin()
  try {
    return await operation.reach(attempt)
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    if (REFUSALS.has(code)) return 'refused'
    if (WRITES.has(code)) return 1
    throw new Error(`${operation.name} on ${relation.name} as ${scope.name} ended in ${code}, which proves nothing.`, { cause: error })
  } finally {
    await client.query('rollback')
  }
}

function listenToNotices(client: Connection): string[] {
  const notices: string[] = []
  client.on('notice', ({ message }) => notices.push(message ?? ''))
  return notices
}
