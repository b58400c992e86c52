import { lchown, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The user as whom PostgreSQL runs. `change` is false where that is who we are. */
export type Account = { readonly uid: number; readonly gid: number; readonly change: boolean }

const NOBODY = 65_534

/** PostgreSQL refuses to run as root: then it runs as the owner of the data, and as nobody while there is none. */
export async function chooseAccount(dataFolder: string): Promise<Account> {
  const uid = process.getuid?.() ?? 0
  const data = await stat(dataFolder).catch(() => undefined)
  if (uid === 0) {
    await refuseWeakRoot()
    if (data && data.uid !== 0) return { uid: data.uid, gid: data.gid, change: true }
    return { ...(await readNobody()), change: true }
  }
  if (data && data.uid !== uid) {
    throw new Error(
      `The data in ${dataFolder} belongs to uid ${data.uid} and this process runs as uid ${uid}: start Tenure as that user or as root, or hand the folder over with 'chown -R ${uid} ${dataFolder}'.`,
    )
  }
  return { uid, gid: process.getgid?.() ?? 0, change: false }
}

/** What a spawned program needs to run as this account. The working folder is one that everybody may enter. */
export function runAs({ uid, gid, change }: Account): { cwd: string; uid?: number; gid?: number } {
  return change ? { cwd: '/', uid, gid } : { cwd: '/' }
}

/** Gives a file, or a folder with all that is in it, to the account. */
export async function handOver(path: string, account: Account): Promise<void> {
  if (!account.change) return
  try {
    await lchown(path, account.uid, account.gid)
  } catch (error) {
    throw new Error(
      `This process is root but may not give ${path} to uid ${account.uid}: start Tenure as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    )
  }
  const entries = await readdir(path).catch(() => [])
  for (const entry of entries) await handOver(join(path, entry), account)
}

/** What root needs to run a server as somebody else, to reach its socket and to stop it; by their numbers in the kernel. */
const RIGHTS = { CHOWN: 0, DAC_OVERRIDE: 1, KILL: 5, SETGID: 6, SETUID: 7 }

/** A container may take these rights from its root: said at once, or the stop would be the first to fail. */
async function refuseWeakRoot(): Promise<void> {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)/m.exec(await readFile('/proc/self/status', 'utf8').catch(() => '')) ?? []
  if (!effective) return
  const missing = Object.entries(RIGHTS).filter(([, bit]) => ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 0n)
  if (missing.length === 0) return
  throw new Error(
    `PostgreSQL refuses to run as root, and this root lacks the rights to run it as somebody else (${missing.map(([name]) => name).join(', ')}): start Tenure as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.`,
  )
}

async function readNobody(): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? []
  // A nobody that is root would defeat the purpose.
  return { uid: Number(uid) || NOBODY, gid: Number(gid) || NOBODY }
}
