import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { checkSettings } from '../../database/check-settings.ts'
import { connectDatabase, type Database } from '../../database/database.ts'
import { readMigrations } from '../../database/migrate.ts'
import { createLog } from '../../kit/log.ts'
import { openGround } from '../../open-ground.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** The database: reachable, new enough, with safe settings, a clock that agrees, and the schema of this version. */
export async function checkDatabase(config: Config, serverRuns: boolean): Promise<Finding[]> {
  if (config.DATABASE_URL) return checkExternal(config.DATABASE_URL)
  if (!existsSync(join(config.TENURE_FOLDER, 'postgres'))) {
    return [warn('database', 'The embedded database is not made yet.', '`npm start` or `tenure init` makes it.')]
  }
  if (serverRuns) return [ok('database', 'the embedded database is in the hands of the server that runs, which asks it for its readiness')]
  return checkEmbedded(config)
}

async function checkExternal(connectionString: string): Promise<Finding[]> {
  const database = connectDatabase({ address: { connectionString }, log: createLog('silent'), connections: 3 })
  try {
    return await inspect(database, 'DATABASE_URL')
  } catch (error) {
    return [
      fail(
        'database',
        `The database of DATABASE_URL cannot be asked: ${causeOf(error)}`,
        'Check host, port, password and pg_hba.conf; log in as tenure_server.',
      ),
    ]
  } finally {
    await database.close()
  }
}

async function checkEmbedded(config: Config): Promise<Finding[]> {
  try {
    const opened = await openGround(config, createLog('silent'), { migrate: false })
    try {
      return await inspect(opened.ground.database, `embedded in ${config.TENURE_FOLDER}`)
    } finally {
      await opened.close()
    }
  } catch (error) {
    return [fail('database', causeOf(error), `Look at ${join(config.TENURE_FOLDER, 'postgres.log')}.`)]
  }
}

async function inspect(database: Database, where: string): Promise<Finding[]> {
  const [version] = await database.ask<{ version: string }>({
    name: 'server-version',
    text: "select current_setting('server_version') as version",
  })
  const faults = await checkSettings(database, new Date())
  const settings = faults.map(
    ({ severity, setting, sentence }): Finding => (severity === 'refuse' ? fail : warn)('settings', setting, sentence),
  )
  return [
    ok('database', `PostgreSQL ${version?.version}, ${where}`),
    ...(settings.length > 0 ? settings : [ok('settings', 'safe, and the clocks agree')]),
    await checkMigrations(database),
  ]
}

async function checkMigrations(database: Database): Promise<Finding> {
  const known = await readMigrations()
  const found = await database.ask<{ number: number }>({ name: 'applied-migrations', text: 'select number from migration' }).catch(() => [])
  const applied = new Set(found.map(({ number }) => number))
  const missing = known.filter(({ number }) => !applied.has(number))
  if (missing.length === 0) return ok('schema', `all ${known.length} migrations are applied`)
  return fail('schema', `${missing.length} of ${known.length} migrations are not applied.`, 'Run: tenure migrate')
}

/** The first thing that went wrong: a database that cannot be reached is wrapped in a sentence for callers of the API. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
