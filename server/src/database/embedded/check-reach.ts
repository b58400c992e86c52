import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Account } from './server-account.ts'

/** The first folder on the way to `path`, or `path` itself, that the account may not enter; undefined where all are open. */
export async function firstClosed(path: string, account: Account): Promise<string | undefined> {
  for (const step of stepsTo(await realpath(path))) {
    const { mode, uid, gid } = await stat(step)
    // The kernel asks only one of the three: an owner without the right is refused even where all others have it.
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return step
  }
  return undefined
}

/** Throws a sentence that names the first folder which keeps PostgreSQL's user from what it needs. */
export async function refuseUnreachable(paths: readonly string[], account: Account): Promise<void> {
  if (!account.change) return
  for (const path of paths) {
    const closed = await firstClosed(path, account)
    if (closed) {
      throw new Error(
        `PostgreSQL refuses to run as root and so runs as uid ${account.uid}, which may not enter ${closed}: open it with 'chmod o+x ${closed}', or start Tenure as an ordinary user, or keep it in a folder that everybody may enter.`,
      )
    }
  }
}

function stepsTo(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...stepsTo(parent), path]
}
