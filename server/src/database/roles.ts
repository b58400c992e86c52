import { Client } from 'pg'
import type { DatabaseAddress } from './database.ts'

/** What an administrator runs once for each PostgreSQL cluster. `tenure init --print-sql` prints it; the embedded server gets it by itself. */
export function rolesSql({ ownerPassword, serverPassword }: { ownerPassword: string; serverPassword: string }): string {
  return ['tenure_app', 'tenure_worker', 'tenure_auditor']
    .map((role) => createRole(role, 'nologin'))
    .concat(
      createRole('tenure_owner', `login noinherit password '${quote(ownerPassword)}'`),
      // The login of the server owns nothing and inherits nothing: each connection takes one of the two roles.
      createRole('tenure_server', `login noinherit password '${quote(serverPassword)}'`),
      'grant tenure_app, tenure_worker to tenure_server;',
    )
    .join('\n')
}

/** What an administrator runs once for each database. */
export function databaseSql(database: string): string {
  return `create database "${database}" owner tenure_owner encoding 'UTF8' template template0;`
}

function createRole(name: string, attributes: string): string {
  return `do $$ begin create role ${name} nosuperuser nobypassrls ${attributes}; exception when duplicate_object or unique_violation then alter role ${name} ${attributes}; end $$;`
}

function quote(text: string): string {
  return text.replaceAll("'", "''")
}

/** Makes roles and database where they are missing, over an administrator's connection. */
export async function prepareCluster(
  admin: DatabaseAddress,
  { database, ownerPassword, serverPassword }: { database: string; ownerPassword: string; serverPassword: string },
): Promise<void> {
  const client = new Client(admin)
  await client.connect()
  try {
    await client.query(rolesSql({ ownerPassword, serverPassword }))
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database])
    if (rowCount === 0) await client.query(databaseSql(database))
  } finally {
    await client.end()
  }
}
