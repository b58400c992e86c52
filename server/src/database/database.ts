import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, type PoolConfig, types } from 'pg'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { defineProblem } from '../kit/problem.ts'
import { type Hooks, openTx, type Statement, type Tx } from './tenant-transaction.ts'

export const databaseUnavailable = defineProblem('database-unavailable', 503, 'The database cannot be reached right now.')

/** How to reach the database as the login of the server. */
export type DatabaseAddress = {
  readonly connectionString?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly database?: string
}

/** `clock` stands in for the database's clock in tests that move time. */
export type DatabaseOptions = {
  readonly address: DatabaseAddress
  readonly log: Log
  readonly connections?: number
  readonly clock?: Clock
}

/** The door to the database. The pools stay inside: a statement runs for one tenant, or as the worker on queue metadata. */
export type Database = {
  /** Runs `work` in one transaction of one tenant: all of it commits, or nothing. A deadlock is tried again. */
  withTenant<Result>(tenantId: string, work: (tx: Tx) => Promise<Result>): Promise<Result>
  /** One statement over the queues of all tenants. The worker's role sees ids, times and states there, and no body. */
  asWorker<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** One statement outside any tenant: the version of the schema, settings, the owner of an API key. */
  ask<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** Calls `heard` for each notification on `channel`, over a connection of its own that comes back by itself. */
  listen(channel: string, heard: (payload: string) => void): () => void
  readonly address: DatabaseAddress
  close(): Promise<void>
}

const TENANT_ID = /^[a-z]{1,8}_[0-9A-Za-z]{1,40}$/
const DATE = 1082
const BIGINT = 20
const TRIES = 4

export function connectDatabase({ address, log, connections = 12, clock }: DatabaseOptions): Database {
  const app = openPool(address, 'tenure_app', connections, log)
  const worker = openPool(address, 'tenure_worker', Math.max(2, Math.floor(connections / 3)), log)
  const listeners = new Set<() => void>()

  async function withTenant<Result>(tenantId: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    for (let tried = 1; ; tried++) {
      try {
        return await runOnce(app, tenantId, work, { clock, log })
      } catch (error) {
        if (tried === TRIES || !isRetryable(error)) throw asProblem(error)
        log.debug({ tried }, 'transaction.repeated')
      }
    }
  }

  const runOn =
    (pool: Pool) =>
    async <Row>({ name, text }: Statement, values: readonly unknown[] = []): Promise<Row[]> => {
      try {
        return (await pool.query({ name, text, values: values as unknown[] })).rows as Row[]
      } catch (error) {
        throw asProblem(error)
      }
    }

  return {
    withTenant,
    asWorker: runOn(worker),
    ask: runOn(app),
    listen(channel, heard) {
      const stop = listenOn(worker, channel, heard, log)
      listeners.add(stop)
      return () => {
        listeners.delete(stop)
        stop()
      }
    },
    address,
    async close() {
      for (const stop of listeners) stop()
      await Promise.all([app.end(), worker.end()])
    },
  }
}

type RunOptions = { readonly clock: Clock | undefined; readonly log: Log }

async function runOnce<Result>(
  pool: Pool,
  tenantId: string,
  work: (tx: Tx) => Promise<Result>,
  { clock, log }: RunOptions,
): Promise<Result> {
  if (!TENANT_ID.test(tenantId)) throw new Error('That is not the id of a tenant.')
  const client = await pool.connect()
  const hooks: Hooks = { before: new Map(), after: [] }
  let broken = false
  const onLost = () => {
    broken = true
  }
  // A connection that dies between two statements says so here. Unheard, that would end the process.
  client.on('error', onLost)
  let result: Result
  try {
    // allow(sql-values): one round trip; the id was checked above to be letters and digits.
    const begun = await client.query(`begin; select set_config('tenure.tenant_id', '${tenantId}', true), clock_timestamp() as now`)
    const { now } = (begun as unknown as [unknown, { rows: [{ now: Date }] }])[1].rows[0]
    const tx = openTx(client, tenantId, clock?.() ?? now, hooks)
    result = await work(tx)
    await tx.scope.flush()
    // PostgreSQL answers COMMIT with ROLLBACK, without an error, when the failure of a statement was caught and not passed on.
    const { command } = await client.query('commit')
    if (command !== 'COMMIT') throw new Error('A statement failed and the failure was not passed on: the transaction was rolled back.')
  } catch (error) {
    await client.query('rollback').catch(onLost)
    throw error
  } finally {
    client.off('error', onLost)
    client.release(broken)
  }
  runAfter(hooks.after, log)
  return result
}

/** The change has committed: whatever happens here, its caller must not be told that it failed. */
function runAfter(hooks: Hooks['after'], log: Log): void {
  for (const after of hooks) {
    try {
      after()
    } catch (error) {
      log.error({ err: error }, 'transaction.after_commit_failed')
    }
  }
}

function openPool(address: DatabaseAddress, role: string, max: number, log: Log): Pool {
  const settings = `-c role=${role} -c statement_timeout=60000 -c lock_timeout=20000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC`
  const config: PoolConfig = {
    ...address,
    max,
    options: settings,
    connectionTimeoutMillis: 10_000,
    // A database that vanishes without a word would else be waited for without end. Longer than its own statement_timeout.
    query_timeout: 75_000,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    types: typeParsers,
  }
  const pool = new Pool(config)
  // Without a listener a pool ends the process when the database stops.
  pool.on('error', (error) => pool.ending || log.warn({ err: error, role }, 'database.connection_lost'))
  return pool
}

/** Dates stay strings (a hire date has no zone); bigint counters become numbers, which hold them up to 2^53. */
const typeParsers: NonNullable<PoolConfig['types']> = {
  getTypeParser: ((id: number, format: 'text' | 'binary') => {
    if (id === DATE) return (text: string) => text
    if (id === BIGINT) return Number
    return types.getTypeParser(id, format as 'text')
  }) as NonNullable<PoolConfig['types']>['getTypeParser'],
}

function listenOn(pool: Pool, channel: string, heard: (payload: string) => void, log: Log): () => void {
  const stopping = new AbortController()
  void (async () => {
    while (!stopping.signal.aborted) {
      try {
        await hearUntilLost(pool, channel, heard, stopping.signal)
      } catch (error) {
        log.warn({ err: error, channel }, 'database.listen_failed')
      }
      await sleep(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()
  return () => stopping.abort()
}

const RECONNECT_MS = 500

/** Holds a connection and passes on what it hears, until it breaks or `signal` aborts. */
async function hearUntilLost(pool: Pool, channel: string, heard: (payload: string) => void, signal: AbortSignal): Promise<void> {
  const client = await pool.connect()
  try {
    client.on('notification', (message) => heard(message.payload ?? ''))
    const lost = once(client, 'error', { signal })
    lost.catch(() => {})
    await client.query(`listen ${quoteIdentifier(channel)}`)
    await lost.catch(() => {})
  } finally {
    client.release(true)
  }
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const RETRYABLE = new Set(['40001', '40P01'])
const CONNECTION_LOST = /^(08|57P0|53)|^(ECONN|EPIPE|ENOENT|ETIMEDOUT)/

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error))
}

/** A database that is gone, full or out of connections is the caller's to know and to try again; anything else stays what it was. */
function asProblem(error: unknown): unknown {
  const lost =
    error instanceof Error &&
    /Connection terminated|connection error and is not queryable|Query read timeout|timeout exceeded when trying to connect/.test(
      error.message,
    )
  if (!lost && !CONNECTION_LOST.test(codeOf(error))) return error
  return Object.assign(databaseUnavailable({ retryAfterSeconds: 2 }), { cause: error })
}

/** Whether the error is that of the named constraint: the way to tell a taken name from a fault of ours. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === constraint
}
