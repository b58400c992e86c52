import { InProgress } from './handler-errors.ts'
import type { Inbox, InboxEvent } from './inbox.ts'

/** The part of a `pg` client that the inbox uses, so that this package needs no `pg` of its own. */
export interface PgClient {
  // biome-ignore lint/suspicious/noExplicitAny: rows have the shape of their statement, here as in pg.
  query(text: string, values?: any[]): Promise<{ rows: any[]; rowCount: number | null; command?: string }>
  release(destroy?: Error | boolean): void
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** A `Pool` of `pg`, or anything that lends clients like it. */
export interface PgPool {
  connect(): Promise<PgClient>
}

/** What the pool lends: a handler's `tx` has the type of the caller's own client. pg declares `connect` twice. */
export type ClientOf<Pool> = Pool extends { connect(): Promise<infer Client>; connect(...given: never[]): unknown }
  ? Client
  : Pool extends { connect(): Promise<infer Client> }
    ? Client
    : PgClient

export type InboxTable = {
  /** `name` or `schema.name`, lower case. `tenure_inbox` by default. */
  readonly table?: string
}

export type PostgresInboxOptions = InboxTable & {
  /** How long ids are meant to be kept, for `prune`. 30 by default; less than 4 is refused. */
  readonly keepForDays?: number
}

/** An inbox in PostgreSQL that can forget what is old enough. */
export type PostgresInbox<Tx> = Inbox<Tx> & {
  /** Forgets ids older than `keepForDays` and says how many. Call it once a day. */
  prune(): Promise<number>
}

/** The sender's last attempt comes 75 h 35 min after the first, up to 91 h with jitter. A shorter memory lets it through again. */
const MINIMUM_DAYS = 4
const PRUNED_AT_ONCE = 10_000

/**
 * Processes each event once: its id and everything that the handler writes through `tx` commit in one transaction. A crash
 * at any moment leaves both or neither, and the sender's next attempt meets one of the two.
 *
 * The table comes from `createInboxTable` or from a migration of your own. Write through `tx` only: what goes through
 * another connection is not undone with it. Do not commit or roll back in a handler; throw instead.
 * An event replayed later than `keepForDays` after it was processed is processed again.
 *
 * @throws RangeError when `keepForDays` is below 4: ids would be forgotten while the sender still tries.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL })
 * await createInboxTable(pool)
 * createReceiver({ secret, once: onceInPostgres(pool) }).on('employment.started', async ({ data }, { tx }) => {
 *   await tx.query('insert into payroll_record (employee_id) values ($1)', [data.employee_id])
 * })
 */
export function onceInPostgres<Pool extends PgPool>(pool: Pool, options: PostgresInboxOptions = {}): PostgresInbox<ClientOf<Pool>> {
  const { keepForDays = 30 } = options
  const table = quoteTable(options)
  checkDays(keepForDays)
  return {
    process: (event, work) => processOnce(pool, table, event, (client) => work(client as ClientOf<Pool>)),
    prune: () => pruneInbox(pool, { ...options, keepForDays }),
  }
}

/** Creates the inbox's table where it is missing. Safe to call at every start and from several processes at once. */
export async function createInboxTable(pool: PgPool, options: InboxTable = {}): Promise<void> {
  const table = quoteTable(options)
  await inTransaction(pool, async (client) => {
    // Two at once: without the lock, "if not exists" can fail on the catalogue's own unique index.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`create ${table}`])
    await client.query(`create table if not exists ${table} (
      id text primary key,
      type text not null,
      employee_id text,
      sequence bigint,
      processed_at timestamptz not null default now()
    )`)
    await client.query(`create index if not exists ${indexName(options)} on ${table} (processed_at)`)
  })
}

/**
 * Forgets ids that are older than `keepForDays` by the database's clock, in portions, and says how many.
 *
 * @throws RangeError when `keepForDays` is below 4.
 */
export async function pruneInbox(pool: PgPool, options: PostgresInboxOptions = {}): Promise<number> {
  const { keepForDays = 30 } = options
  const table = quoteTable(options)
  checkDays(keepForDays)
  for (let pruned = 0; ; ) {
    const deleted = await inTransaction(pool, async (client) => {
      const { rowCount } = await client.query(
        `delete from ${table} where id in
           (select id from ${table} where processed_at < now() - $1 * interval '1 day' order by processed_at limit ${PRUNED_AT_ONCE})`,
        [keepForDays],
      )
      return rowCount ?? 0
    })
    pruned += deleted
    if (deleted < PRUNED_AT_ONCE) return pruned
  }
}

async function processOnce(
  pool: PgPool,
  table: string,
  event: InboxEvent,
  work: (client: PgClient) => Promise<void>,
): Promise<'processed' | 'duplicate'> {
  return inTransaction(pool, async (client) => {
    if (!(await remember(client, table, event))) return 'duplicate'
    await work(client)
    return 'processed'
  })
}

/**
 * Inserts the id, or says false when it is known. The lock is tried, not waited for: a waiting duplicate would hold a
 * connection, and enough of them would starve the very handler that they wait for.
 */
async function remember(client: PgClient, table: string, { id, type, employeeId, sequence }: InboxEvent): Promise<boolean> {
  const inserted = await client.query(
    `insert into ${table} (id, type, employee_id, sequence)
     select $1, $2, $3, $4::bigint where pg_try_advisory_xact_lock(hashtextextended($5 || $1, 0))
     on conflict (id) do nothing`,
    [id, type, employeeId, sequence, table],
  )
  if (inserted.rowCount) return true
  const { rows } = await client.query(`select 1 from ${table} where id = $1`, [id])
  if (rows.length === 0) throw new InProgress()
  return false
}

async function inTransaction<Result>(pool: PgPool, work: (client: PgClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  let broken: Error | undefined
  // A connection that breaks between two statements emits 'error'; without a listener that ends the process.
  const onError = (error: Error) => {
    broken = error
  }
  client.on?.('error', onError)
  try {
    await client.query('begin isolation level read committed')
    const result = await work(client)
    const { command } = await client.query('commit')
    // PostgreSQL answers COMMIT with ROLLBACK, without an error, when the handler caught the failure of one of its statements.
    if (command === 'ROLLBACK') throw new Error('A statement of the handler failed and was not passed on: the transaction was rolled back.')
    return result
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken ??= rollbackError
    })
    throw error
  } finally {
    client.off?.('error', onError)
    client.release(broken)
  }
}

function checkDays(keepForDays: number): void {
  if (keepForDays >= MINIMUM_DAYS) return
  throw new RangeError(
    `keepForDays is ${keepForDays}, and must be at least ${MINIMUM_DAYS}: the sender tries for 75 h 35 min, and an id that is forgotten sooner is processed twice.`,
  )
}

const TABLE_NAME = /^([a-z_][a-z0-9_]{0,50}\.)?[a-z_][a-z0-9_]{0,50}$/

/** Table names cannot be parameters of a statement, so only plain ones are taken. */
function quoteTable({ table = 'tenure_inbox' }: InboxTable): string {
  if (!TABLE_NAME.test(table)) throw new TypeError('table must be a plain lower-case name, or schema.name.')
  return table
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
}

function indexName({ table = 'tenure_inbox' }: InboxTable): string {
  return `"${table.split('.').at(-1)}_processed_at"`
}
