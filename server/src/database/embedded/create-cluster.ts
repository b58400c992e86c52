import { execFile } from 'node:child_process'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { randomBase62 } from '../../kit/ids.ts'
import type { Binaries } from './postgres-binaries.ts'
import { type Account, handOver, runAs } from './server-account.ts'

export const SUPERUSER = 'postgres'

const UNFINISHED = 'postgres.unfinished.'

/** Makes the data folder where it is missing, and answers the superuser's password. */
export async function ensureCluster(folder: string, dataFolder: string, binaries: Binaries, account: Account): Promise<string> {
  const passwordFile = join(folder, 'postgres-password')
  const data = await stat(join(dataFolder, 'PG_VERSION')).catch(() => undefined)
  if (data) {
    // Copied there by root, for example.
    if (data.uid === 0) await handOver(dataFolder, account)
    return readPassword(passwordFile, dataFolder)
  }
  await writeFile(passwordFile, randomBase62(32), { mode: 0o600 })
  await chmod(passwordFile, 0o600)
  // Who owns the data owns the password: initdb reads it itself, and it never stands on a command line.
  await handOver(passwordFile, account)
  await createCluster(folder, dataFolder, passwordFile, binaries, account)
  return readPassword(passwordFile, dataFolder)
}

/** Built under another name and renamed when it is whole: a start that is killed midway leaves nothing that looks like data. */
async function createCluster(folder: string, dataFolder: string, passwordFile: string, binaries: Binaries, account: Account) {
  await clearUnfinished(folder)
  const unfinished = join(folder, `${UNFINISHED}${randomBase62(8)}`)
  await mkdir(unfinished, { mode: 0o700 })
  await chmod(unfinished, 0o700)
  await handOver(unfinished, account)
  try {
    await promisify(execFile)(binaries.initdb, initdbArguments(unfinished, passwordFile), { ...runAs(account), env: binaries.env })
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    const { stderr } = error as { stderr?: string }
    if (stderr?.includes('could not look up effective user ID')) {
      throw new Error(`PostgreSQL needs a name for uid ${account.uid}: add a line for it to /etc/passwd, or set DATABASE_URL.`, {
        cause: error,
      })
    }
    throw new Error(`The database could not be created in ${folder}: ${stderr?.trim() || String(error)}`, { cause: error })
  }
  await rename(unfinished, dataFolder)
  const parent = await open(folder, 'r')
  await parent.sync().finally(() => parent.close())
}

/** The built-in C.UTF-8 sorts alike on every machine and after every upgrade of the system's libraries. */
function initdbArguments(dataFolder: string, passwordFile: string): string[] {
  return [
    `--pgdata=${dataFolder}`,
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--auth=scram-sha-256',
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--data-checksums',
    '--no-instructions',
  ]
}

async function clearUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(UNFINISHED))
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 })
}

async function readPassword(passwordFile: string, dataFolder: string): Promise<string> {
  try {
    return (await readFile(passwordFile, 'utf8')).trim()
  } catch (error) {
    throw new Error(
      `${passwordFile} cannot be read, and without it nobody can log in to the database in ${dataFolder}: restore it from a backup.`,
      {
        cause: error,
      },
    )
  }
}
