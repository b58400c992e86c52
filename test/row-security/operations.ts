import { type Connection, copyOut } from './connection.ts'
import type { Relation } from './relations.ts'

/** One attempt to reach rows of `target`, in a transaction that `enter` has put into a scope. */
export type Attempt = {
  readonly client: Connection
  readonly relation: Relation
  readonly target: string
  /** Sets the tenant of the running transaction, as the code of the server does. */
  readonly setTenant: (tenant: string) => Promise<void>
  /** Ends the running transaction and begins another one in the scope under test. */
  readonly again: () => Promise<void>
  readonly notices: string[]
}

/** Answers how many rows of the target it reached. A refusal by PostgreSQL is thrown. */
export type Operation = { readonly name: string; readonly views: boolean; readonly reach: (attempt: Attempt) => Promise<number> }

const seen = (rows: readonly { tenant_id?: unknown }[], target: string) => rows.filter(({ tenant_id }) => tenant_id === target).length

const READ = (relation: Relation) => `select tenant_id from ${relation.name}`

async function select({ client, relation, target }: Attempt): Promise<number> {
  const all = await client.query(`select * from ${relation.name}`)
  const named = await client.query(`select * from ${relation.name} where tenant_id = $1`, [target])
  const counted = await client.query(`select count(*)::int as n from ${relation.name} where tenant_id = $1`, [target])
  return Math.max(seen(all.rows, target), named.rows.length, counted.rows[0].n)
}

async function cursor({ client, relation, target }: Attempt): Promise<number> {
  await client.query(`declare reader scroll cursor for select * from ${relation.name}`)
  const forward = await client.query('fetch all from reader')
  const backward = await client.query('fetch backward all from reader')
  return seen([...forward.rows, ...backward.rows], target)
}

async function update({ client, relation, target }: Attempt): Promise<number> {
  const column = relation.updatable
  const named = await client.query(`update ${relation.name} set ${column} = ${column} where tenant_id = $1`, [target])
  return named.rowCount ?? 0
}

async function updateReturning({ client, relation, target }: Attempt): Promise<number> {
  const column = relation.updatable
  const { rows } = await client.query(`update ${relation.name} set ${column} = ${column} returning tenant_id`)
  return seen(rows, target)
}

/** Gives rows of the scope's tenant to the target. */
async function giveAway({ client, relation, target }: Attempt): Promise<number> {
  const { rowCount } = await client.query(`update ${relation.name} set tenant_id = $1`, [target])
  return rowCount ?? 0
}

async function remove({ client, relation, target }: Attempt): Promise<number> {
  const { rows } = await client.query(`delete from ${relation.name} where tenant_id = $1 returning tenant_id`, [target])
  return rows.length
}

function insertion({ relation, target }: Attempt, rest = ''): [string, unknown[]] {
  const columns = relation.columns.join(', ')
  const text = `insert into ${relation.name} (${columns}) overriding system value
                select ${columns} from jsonb_populate_record(null::${relation.name}, $1::jsonb) ${rest}`
  return [text, [JSON.stringify(relation.rows.get(target))]]
}

/** A copy of a row of the target: let through, it would be a duplicate, which counts as reached. */
async function insert(attempt: Attempt): Promise<number> {
  await attempt.client.query(...insertion(attempt))
  return 1
}

async function insertReturning(attempt: Attempt): Promise<number> {
  const { rows } = await attempt.client.query(...insertion(attempt, 'returning tenant_id'))
  return rows.length
}

/** Even the answer "there is one already" would tell something. */
async function upsert(attempt: Attempt): Promise<number> {
  await attempt.client.query(...insertion(attempt, 'on conflict do nothing'))
  return 1
}

async function merge({ client, relation, target }: Attempt): Promise<number> {
  const column = relation.updatable
  const { rowCount } = await client.query(
    `merge into ${relation.name} t using (select $1::text as tenant_id) s on t.tenant_id = s.tenant_id when matched then update set ${column} = t.${column}`,
    [target],
  )
  return rowCount ?? 0
}

async function mergeInsert({ client, relation, target }: Attempt): Promise<number> {
  const columns = relation.columns
  await client.query(
    `merge into ${relation.name} t using (select * from jsonb_populate_record(null::${relation.name}, $1::jsonb)) s on false
     when not matched then insert (${columns.join(', ')}) overriding system value values (${columns.map((column) => `s.${column}`).join(', ')})`,
    [JSON.stringify(relation.rows.get(target))],
  )
  return 1
}

async function copy({ client, relation, target }: Attempt): Promise<number> {
  const query = await copyOut(client, `copy (select * from ${relation.name}) to stdout`)
  const table = relation.kind === 'table' ? await copyOut(client, `copy ${relation.name} (tenant_id) to stdout`) : ''
  return `${query}\n${table}`.split('\n').filter((line) => line.includes(target)).length
}

async function copyIn({ client, relation }: Attempt): Promise<number> {
  await client.query(`copy ${relation.name} (tenant_id) from stdin`)
  return 1
}

async function truncate({ client, relation }: Attempt): Promise<number> {
  await client.query(`truncate ${relation.name}`)
  return 1
}

/** A plan that was made while the target's rows could be seen, run again where they may not be. */
async function prepared({ client, relation, target, setTenant, again }: Attempt): Promise<number> {
  const statement = { name: `read ${relation.name}`, text: READ(relation) }
  await setTenant(target)
  for (let run = 0; run < 6; run++) await client.query(statement)
  await again()
  return seen((await client.query(statement)).rows, target)
}

async function savepoint({ client, relation, target, setTenant }: Attempt): Promise<number> {
  await client.query('savepoint before_it')
  await setTenant(target)
  await client.query('rollback to savepoint before_it')
  return seen((await client.query(READ(relation))).rows, target)
}

async function pooled({ client, relation, target, setTenant, again }: Attempt): Promise<number> {
  await setTenant(target)
  await client.query(READ(relation))
  await again()
  return seen((await client.query(READ(relation))).rows, target)
}

/** A cheap function that tells each row it is asked about must not be asked before the policy. */
async function leakyPredicate({ client, relation, target, notices }: Attempt): Promise<number> {
  await client.query(
    `create or replace function pg_temp.tell(text) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice '%', $1; return true; end $$`,
  )
  notices.length = 0
  await client.query(`select 1 from ${relation.name} r where pg_temp.tell(r.tenant_id)`)
  return notices.filter((notice) => notice.includes(target)).length
}

async function statistics({ client, relation }: Attempt): Promise<number> {
  const { rows } = await client.query(`select 1 from pg_stats where format('%I.%I', schemaname, tablename) = $1`, [relation.name])
  return rows.length
}

const on = (name: string, reach: Operation['reach'], views = false): Operation => ({ name, reach, views })

export const OPERATIONS: readonly Operation[] = [
  on('select', select, true),
  on('cursor', cursor, true),
  on('copy out', copy, true),
  on('prepared reuse', prepared, true),
  on('savepoint rollback', savepoint, true),
  on('pooled reuse', pooled, true),
  on('leaky predicate', leakyPredicate, true),
  on('update', update),
  on('update returning', updateReturning),
  on('give away', giveAway),
  on('delete returning', remove),
  on('insert', insert),
  on('insert returning', insertReturning),
  on('upsert', upsert),
  on('merge', merge),
  on('merge insert', mergeInsert),
  on('copy in', copyIn),
  on('truncate', truncate),
  on('statistics', statistics),
]
