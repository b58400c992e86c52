import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstClosed } from './check-reach.ts'
import { type Account, handOver } from './server-account.ts'

export const PORT = 5432

/** The kernel's limit (macOS has four less); a clone may lie deeper than that, so the socket does not lie in it. */
const LONGEST_PATH = 103

/**
 * A folder for the socket that only PostgreSQL's user may enter. Its name follows from the data folder; since anybody may
 * make a folder of that name beforehand, one that belongs to somebody else is refused.
 */
export async function openSocketFolder(dataFolder: string, account: Account): Promise<string> {
  const name = `tenure-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}`
  const folder = join(await chooseTemporaryFolder(name, account), name)
  const made = await mkdir(folder, { mode: 0o700 }).then(
    () => true,
    () => false,
  )
  if (made) {
    await chmod(folder, 0o700)
    await handOver(folder, account)
  }
  const found = await lstat(folder)
  if (found.isDirectory() && found.uid === account.uid && (found.mode & 0o077) === 0) return folder
  throw new Error(`${folder} must be a folder of uid ${account.uid} with mode 0700, and it is not: remove it, and find out who made it.`)
}

async function chooseTemporaryFolder(name: string, account: Account): Promise<string> {
  for (const candidate of [tmpdir(), '/tmp', '/var/tmp']) {
    const folder = await realpath(candidate).catch(() => undefined)
    if (!folder || Buffer.byteLength(join(folder, name, `.s.PGSQL.${PORT}`)) > LONGEST_PATH) continue
    if (!account.change || !(await firstClosed(folder, account))) return folder
  }
  throw new Error('No temporary folder is short enough for a socket and open to PostgreSQL: set TMPDIR to one such as /tmp.')
}
