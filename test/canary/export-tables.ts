import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asAdmin, type TestDatabase } from '../../server/src/database/test-database.ts'
import { copyOut } from '../row-security/connection.ts'

const TABLES = `
  select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'm', 'S') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%' order by 1`

/** What stands beside the tables: values that the planner keeps, and statements that PostgreSQL shows. */
const BESIDE = {
  pg_stats: "select * from pg_stats where schemaname in ('public', 'keys')",
  pg_stat_activity: 'select * from pg_stat_activity',
}

/** Every row of every table, as a dump has them: text of COPY, by the name of the table. */
export async function exportTables(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  return asAdmin(database.admin, async (client) => {
    await client.query('analyze')
    const { rows } = await client.query<{ name: string }>(TABLES)
    const exported = new Map<string, string>()
    for (const { name } of rows) exported.set(name, await copyOut(client, `copy (select * from ${name}) to stdout`))
    for (const [name, text] of Object.entries(BESIDE)) exported.set(name, await copyOut(client, `copy (${text}) to stdout`))
    return exported
  })
}

/** PostgreSQL's own log, where the embedded server of the tests keeps one that we can read; else undefined. */
export async function readDatabaseLog(database: TestDatabase): Promise<string | undefined> {
  const { rows } = await asAdmin(database.admin, (client) => client.query<{ data_directory: string }>('show data_directory'))
  const folder = dirname(rows[0]?.data_directory ?? '')
  return readFile(join(folder, 'postgres.log'), 'utf8').catch(() => undefined)
}

/** Makes PostgreSQL write a line into its log. */
export async function writeDatabaseLog(database: TestDatabase, text: string): Promise<void> {
  await asAdmin(database.admin, async (client) => {
    await client.query(`select set_config('canary.text', $1, false)`, [text])
    await client.query(`do $$ begin raise log '%', current_setting('canary.text'); end $$`)
  })
}
