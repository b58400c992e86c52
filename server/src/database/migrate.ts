import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Log } from '../kit/log.ts'
import type { DatabaseAddress } from './database.ts'

export const MIGRATIONS = join(import.meta.dirname, '../../migrations')

/** Any number that nobody else uses: two starters meet here, and the second waits for the first. */
const LOCK = 7_368_211

export type Migration = { readonly number: number; readonly name: string; readonly sql: string; readonly digest: string }

/** Applies what is missing, in order, each in a transaction of its own, and answers how many that were. Forward only. */
export async function migrate(owner: DatabaseAddress, log: Log, folder = MIGRATIONS): Promise<number> {
  const migrations = await readMigrations(folder)
  const client = new Client(owner)
  await client.connect()
  try {
    await client.query("set lock_timeout = '60s'")
    await client.query('select pg_advisory_lock($1)', [LOCK])
    const applied = await readApplied(client)
    refuseChanged(migrations, applied)
    const missing = migrations.filter(({ number }) => !applied.has(number))
    for (const migration of missing) {
      await apply(client, migration)
      log.info({ migration: migration.name }, 'migration.applied')
    }
    return missing.length
  } finally {
    await client.end()
  }
}

async function apply(client: Client, { number, name, sql, digest }: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into migration (number, name, digest) values ($1, $2, $3)', [number, name, digest])
    await client.query('commit')
  } catch (error) {
    throw new Error(`Migration ${name} failed and changed nothing: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

async function readApplied(client: Client): Promise<Map<number, string>> {
  const { rows: found } = await client.query("select 1 from pg_class where oid = to_regclass('migration')")
  if (found.length === 0) await client.query(MIGRATION_TABLE)
  const { rows } = await client.query<{ number: number; digest: string }>('select number, digest from migration')
  return new Map(rows.map(({ number, digest }) => [number, digest]))
}

const MIGRATION_TABLE = `
    create table migration (number int primary key, name text not null, digest text not null, applied_at timestamptz not null default now());
    alter table migration enable row level security;
    alter table migration force row level security;
    create policy owner_writes on migration for all to tenure_owner using (true) with check (true);
    create policy everyone_reads on migration for select to tenure_app using (true);
    grant select on migration to tenure_app;
    revoke create on schema public from public`

/** A migration that ran is history: changed text, or one that this version does not know, stops the start. */
function refuseChanged(migrations: readonly Migration[], applied: ReadonlyMap<number, string>): void {
  const known = new Map(migrations.map((migration) => [migration.number, migration]))
  for (const [number, digest] of applied) {
    const migration = known.get(number)
    if (!migration)
      throw new Error(`The database is newer than this version of Tenure (it has migration ${number}). Start the newer version.`)
    if (migration.digest !== digest)
      throw new Error(`Migration ${migration.name} was changed after it had been applied. Restore its text; add a new migration instead.`)
  }
}

export async function readMigrations(folder = MIGRATIONS): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8')
      return { number: Number(name.slice(0, 4)), name, sql, digest: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}
