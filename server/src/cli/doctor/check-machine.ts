import { existsSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { type RootKeys, readKeyFile } from '../../privacy/key-file.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const GIB = 2 ** 30
const LOW_BYTES = 5 * GIB
const TOO_LOW_BYTES = GIB / 2

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 22)) return ok('node', `Node ${version}`)
  return fail('node', `Node ${version} is too old.`, 'Use 22.22 or newer: `npm ci` brings Node 24 for the scripts of this repository.')
}

export async function checkFolder({
  TENURE_FOLDER: folder,
  DATABASE_URL,
}: Pick<Config, 'TENURE_FOLDER' | 'DATABASE_URL'>): Promise<Finding> {
  const found = await stat(folder).catch(() => undefined)
  if (!found) {
    if (DATABASE_URL) return ok('folder', `${folder} is not there, and not needed with DATABASE_URL`)
    return warn('folder', `${folder} is not there yet.`, '`npm start` or `tenure init` makes it.')
  }
  if (!found.isDirectory()) return fail('folder', `${folder} is no folder.`, 'Set TENURE_FOLDER to another place.')
  // As root the folder lets PostgreSQL's own user pass through (0711): names cannot be listed, and each file guards itself.
  if ((found.mode & 0o022) !== 0) return fail('folder', `Others can write in ${folder}.`, `Run: chmod go-rw ${folder}`)
  if ((found.mode & 0o044) !== 0) return warn('folder', `Others can see what is in ${folder}.`, `Run: chmod go-r ${folder}`)
  return ok('folder', `${folder} (mode 0${(found.mode & 0o777).toString(8)})`)
}

export async function checkKeyFile(path: string, isNew: boolean): Promise<Finding> {
  if (!existsSync(path)) {
    if (isNew) return warn('keys', `There is no key file at ${path} yet.`, '`npm start` or `tenure init` makes it.')
    return fail('keys', `There is no key file at ${path}.`, 'Restore it from your backup: without it, sealed data cannot be read.')
  }
  try {
    const keys: RootKeys = await readKeyFile(path)
    return ok('keys', `${path} (${keys.length} ${keys.length === 1 ? 'key' : 'keys'})`)
  } catch (error) {
    return fail('keys', error instanceof Error ? error.message : String(error), 'Mend the file, or restore it from your backup.')
  }
}

export async function checkDisk(folder: string): Promise<Finding> {
  const place = nearest(resolve(folder))
  const { bavail, bsize } = await statfs(place)
  const free = bavail * bsize
  const message = `${(free / GIB).toFixed(1)} GiB are free at ${place}`
  if (free < TOO_LOW_BYTES) return fail('disk', `${message}.`, 'Make room: a full disk stops the database.')
  return free < LOW_BYTES ? warn('disk', `${message}.`, 'Make room soon: events and attempts are kept.') : ok('disk', message)
}

/** The folder, or what of its path exists. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}
