import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Clock } from '../kit/clock.ts'
import { createLog } from '../kit/log.ts'
import { connectDatabase, type Database, type DatabaseAddress } from './database.ts'
import { migrate } from './migrate.ts'
import { prepareCluster } from './roles.ts'

/** Passwords of the throw-away server that the tests share. It listens on a socket that only the test's user can open. */
export const TEST_PASSWORDS = { ownerPassword: 'owner', serverPassword: 'server' }
const TEMPLATE = 'tenure_template'

/** Migrates the template that every test file clones. Called once, by the global setup. */
export async function prepareTestCluster(admin: DatabaseAddress): Promise<void> {
  await prepareCluster(admin, { database: TEMPLATE, ...TEST_PASSWORDS })
  await migrate({ ...admin, database: TEMPLATE, user: 'tenure_owner', password: TEST_PASSWORDS.ownerPassword }, createLog('silent'))
}

/** The superuser's address of the shared test server, set by the global setup. */
export function testAdmin(): DatabaseAddress {
  const given = process.env['TEST_DATABASE_ADMIN']
  if (!given) throw new Error('Run the tests with `npm test`: its global setup starts the database.')
  return JSON.parse(given) as DatabaseAddress
}

export type TestDatabase = Database & {
  /** A superuser's view, past every policy: for looking at what was really written. */
  readonly admin: DatabaseAddress
  drop(): Promise<void>
}

/** A migrated database of its own for one test file, cloned from the template in some 50 ms. */
export async function createTestDatabase({ connections = 6, clock }: { connections?: number; clock?: Clock } = {}): Promise<TestDatabase> {
  const admin = testAdmin()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(admin, (client) => client.query(`create database ${name} template ${TEMPLATE} owner tenure_owner`))
  const address = { ...admin, database: name, user: 'tenure_server', password: TEST_PASSWORDS.serverPassword }
  const database = connectDatabase({ address, log: createLog('silent'), connections, ...(clock ? { clock } : {}) })
  return {
    ...database,
    admin: { ...admin, database: name },
    async drop() {
      await database.close()
      // Without force PostgreSQL waits for sessions to end. A closed pool tells before its last socket is gone, and an ended
      // session would make that socket an error that nobody hears.
      await asAdmin(admin, (client) => client.query(`drop database if exists ${name}`))
    },
  }
}

/** Runs `work` on a superuser's connection and closes it. */
export async function asAdmin<Result>(admin: DatabaseAddress, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(admin)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * Waits until every transaction that ran when it was called has ended, in whatever database: the feed of events shows
 * nothing above the oldest running one, and the tests of other files share the server.
 */
export async function waitForOldTransactions(admin: DatabaseAddress): Promise<void> {
  await asAdmin(admin, async (client) => {
    const { rows } = await client.query<{ xid: string }>('select pg_current_xact_id() as xid')
    for (let looks = 0; looks < 600; looks++) {
      const past = await client.query('select 1 where pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8', [rows[0]?.xid])
      if (past.rowCount === 1) return
      await sleep(50)
    }
    throw new Error('A transaction of another test ran for longer than 30 s.')
  })
}
