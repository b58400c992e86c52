import { migrate } from '../database/migrate.ts'
import { createLog, type Log } from '../kit/log.ts'
import { openGround } from '../open-ground.ts'
import { CliError, EXIT } from './exit.ts'
import { LEVEL, readLogLines } from './log-lines.ts'
import { loadConfig } from './server-log.ts'
import { createTerminal } from './terminal.ts'

/** Brings the database to the schema of this version, and names what it applied. */
export async function runMigrate({ json }: { readonly json?: boolean }): Promise<void> {
  const terminal = createTerminal({ json })
  const applied: string[] = []
  const lines = readLogLines(({ level, msg, migration }) => {
    if (msg === 'migration.applied') applied.push(String(migration))
    else if (level >= LEVEL.warn) terminal.note(String(msg))
  })
  await applyMissing(createLog('info', lines))
  if (json) return terminal.data({ applied })
  for (const name of applied) terminal.out(`applied ${name}`)
  if (applied.length === 0) terminal.out('The database has the schema of this version already.')
}

async function applyMissing(log: Log): Promise<void> {
  const config = loadConfig()
  if (!config.DATABASE_URL) {
    const opened = await openGround(config, log)
    return opened.close()
  }
  if (!config.DATABASE_OWNER_URL) {
    throw new CliError(EXIT.usage, 'Set DATABASE_OWNER_URL to the database as tenure_owner: migrating is its work, not that of the server.')
  }
  await migrate({ connectionString: config.DATABASE_OWNER_URL }, log)
}
