import { Client } from 'pg'
import type { DatabaseAddress } from './database.ts'

/**
 * Makes a database of its own, with its own login, for a system that stands beside Tenure in development. The login owns
 * that database and has no right to anything of Tenure's.
 */
export async function createGuestDatabase(
  admin: DatabaseAddress,
  { name, password }: { name: string; password: string },
): Promise<DatabaseAddress> {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(name)) throw new Error('The name of a database is lower case letters, digits and underscores.')
  const client = new Client(admin)
  await client.connect()
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role, exists (select from pg_database where datname = $1) as database`,
      [name],
    )
    if (!rows[0]?.role) await client.query(`create role ${client.escapeIdentifier(name)}`)
    await client.query(
      `alter role ${client.escapeIdentifier(name)} login nosuperuser nobypassrls nocreatedb nocreaterole password ${client.escapeLiteral(password)}`,
    )
    if (!rows[0]?.database) {
      await client.query(`create database ${client.escapeIdentifier(name)} owner ${client.escapeIdentifier(name)}`)
      await client.query(`revoke connect on database ${client.escapeIdentifier(name)} from public`)
    }
    return { ...admin, database: name, user: name, password }
  } finally {
    await client.end()
  }
}
