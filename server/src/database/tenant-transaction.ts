import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type { PoolClient } from 'pg'
import type { Tables } from './tables.ts'

/** A statement of the hot path, written out in SQL and prepared once for each connection. */
export type Statement = { readonly name: string; readonly text: string }

export type TxScope = {
  readonly tenantId: string
  /** The database's clock when the transaction began, in whole milliseconds. */
  readonly now: Date
  /** Runs a prepared statement. Values only ever travel as parameters. */
  run<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
  /** Runs once, just before the commit, in the order of registration. What it throws rolls everything back. */
  beforeCommit(key: string, work: () => Promise<void>): void
  /** Runs now what waits for the commit, so that a very long transaction need not keep all of it in memory. */
  flush(): Promise<void>
  /** Runs after the commit, and only then. It must not throw. */
  afterCommit(work: () => void): void
}

/**
 * A transaction of one tenant. Whatever must commit together takes one of these; a bare connection does not compile,
 * and row security shows it this tenant's rows only.
 */
export type Tx = Kysely<Tables> & { readonly scope: TxScope }

export type Hooks = { readonly before: Map<string, () => Promise<void>>; readonly after: (() => void)[] }

/** Opens the scope of a transaction that has begun on `client`. */
export function openTx(client: PoolClient, tenantId: string, now: Date, hooks: Hooks): Tx {
  const scope: TxScope = {
    tenantId,
    now,
    run: async <Row>(statement: Statement, values: readonly unknown[]) =>
      (await client.query({ name: statement.name, text: statement.text, values: values as unknown[] })).rows as Row[],
    beforeCommit: (key, work) => {
      if (!hooks.before.has(key)) hooks.before.set(key, work)
    },
    flush: async () => {
      for (const [key, work] of hooks.before) {
        hooks.before.delete(key)
        await work()
      }
    },
    afterCommit: (work) => {
      hooks.after.push(work)
    },
  }
  return Object.assign(queryBuilder<Tables>(client), { scope })
}

/** Kysely on one connection that somebody else began and will end. */
export function queryBuilder<Schema>(client: PoolClient): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new OneConnection(client),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

class OneConnection implements Driver {
  readonly #connection: DatabaseConnection

  constructor(client: PoolClient) {
    this.#connection = {
      executeQuery: async <Row>(query: CompiledQuery): Promise<QueryResult<Row>> => {
        const { rows, rowCount } = await client.query(query.sql, query.parameters as unknown[])
        return { rows: rows ?? [], ...(rowCount === null ? {} : { numAffectedRows: BigInt(rowCount ?? 0) }) }
      },
      streamQuery: () => {
        throw new Error('Streaming is not offered inside a transaction.')
      },
    }
  }

  async init() {}
  async acquireConnection() {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    throw new Error('The transaction has begun already.')
  }
  async commitTransaction(): Promise<void> {
    throw new Error('withTenant commits.')
  }
  async rollbackTransaction(): Promise<void> {
    throw new Error('withTenant rolls back.')
  }
  async savepoint(connection: DatabaseConnection, name: string) {
    await connection.executeQuery(CompiledQuery.raw(`savepoint "${name}"`))
  }
  async releaseConnection() {}
  async destroy() {}
}
