import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { refuseUnsafeSettings } from './database/check-settings.ts'
import { connectDatabase, type DatabaseAddress } from './database/database.ts'
import { startEmbeddedPostgres } from './database/embedded/embedded-postgres.ts'
import { migrate } from './database/migrate.ts'
import { prepareCluster } from './database/roles.ts'
import type { Ground } from './events/change.ts'
import { systemClock } from './kit/clock.ts'
import type { Log } from './kit/log.ts'
import { createKeyFile, readKeyFile } from './privacy/key-file.ts'
import { createVault } from './privacy/vault.ts'

export type OpenedGround = {
  readonly ground: Ground
  readonly embedded: boolean
  /** A superuser of the embedded server, for what stands beside Tenure in development. Never of an external one. */
  readonly admin: DatabaseAddress | undefined
  close(): Promise<void>
}

export type OpenOptions = { readonly createKeys?: boolean; readonly migrate?: boolean }

type Addresses = {
  readonly server: DatabaseAddress
  readonly owner: DatabaseAddress | undefined
  readonly admin?: DatabaseAddress
  stop(): Promise<void>
}

/** What every process stands on: a database that is there, migrated and safe, and the keys to what is sealed in it. */
export async function openGround(
  config: Config,
  log: Log,
  { createKeys = false, migrate: wanted = true }: OpenOptions = {},
): Promise<OpenedGround> {
  if (createKeys) await createKeyFile(config.keyFile)
  const rootKeys = await readKeyFile(config.keyFile)
  const addresses = config.DATABASE_URL
    ? external(config.DATABASE_URL, config.DATABASE_OWNER_URL)
    : await embedded(config.TENURE_FOLDER, log)
  try {
    if (wanted && addresses.owner) await migrate(addresses.owner, log)
    const database = connectDatabase({ address: addresses.server, log, connections: config.DATABASE_CONNECTIONS })
    const close = async () => {
      await database.close()
      await addresses.stop()
    }
    try {
      await refuseUnsafeSettings(database, systemClock(), ({ sentence }) => log.warn({ sentence }, 'database.setting'))
    } catch (error) {
      await database.close()
      throw error
    }
    return { ground: { database, vault: createVault(rootKeys) }, embedded: !config.DATABASE_URL, admin: addresses.admin, close }
  } catch (error) {
    await addresses.stop()
    throw error
  }
}

function external(serverUrl: string, ownerUrl: string | undefined): Addresses {
  return { server: { connectionString: serverUrl }, owner: ownerUrl ? { connectionString: ownerUrl } : undefined, stop: async () => {} }
}

const DATABASE = 'tenure'

async function embedded(folder: string, log: Log): Promise<Addresses> {
  const postgres = await startEmbeddedPostgres({ folder, log })
  try {
    const passwords = await readPasswords(join(folder, 'database-passwords'))
    await prepareCluster(postgres.admin, { database: DATABASE, ...passwords })
    const login = (user: string, password: string) => ({ ...postgres.admin, database: DATABASE, user, password, ssl: false })
    return {
      server: login('tenure_server', passwords.serverPassword),
      owner: login('tenure_owner', passwords.ownerPassword),
      admin: postgres.admin,
      stop: () => postgres.stop(),
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

/** The passwords of the two logins of the embedded server, made at the first start and readable by its owner only. */
async function readPasswords(path: string): Promise<{ ownerPassword: string; serverPassword: string }> {
  const stored = await readFile(path, 'utf8').catch(() => undefined)
  if (stored) return JSON.parse(stored) as { ownerPassword: string; serverPassword: string }
  const fresh = { ownerPassword: randomBytes(24).toString('base64url'), serverPassword: randomBytes(24).toString('base64url') }
  await writeFile(path, JSON.stringify(fresh), { mode: 0o600 })
  return fresh
}
