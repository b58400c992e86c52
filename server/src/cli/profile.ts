import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CliError, EXIT } from './exit.ts'

/** Where the API is, and the key to it. */
export type Profile = { readonly url: string; readonly key: string; readonly expires_at?: string }

export type ConnectionFlags = { readonly url?: string; readonly key?: string }

type Env = Readonly<Record<string, string | undefined>>

const DEFAULT_URL = 'http://127.0.0.1:3000'

/** The profile of the demo or the server in this folder. */
export function folderProfilePath({ TENURE_FOLDER }: { readonly TENURE_FOLDER?: string | undefined }): string {
  return join(TENURE_FOLDER || '.tenure', 'cli.json')
}

/** The profile of whoever is logged in on this machine. */
export function userProfilePath(env: Env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'tenure', 'profile.json')
}

/** Readable by its owner only; replaced as a whole, so that a stop in between leaves the old one. */
export async function writeProfile(path: string, profile: Profile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.new`
  await writeFile(fresh, `${JSON.stringify(profile, null, 2)}\n`, { mode: 0o600 })
  await chmod(fresh, 0o600)
  await rename(fresh, path)
}

export function readProfile(path: string): Profile | undefined {
  if (!existsSync(path)) return undefined
  const { url, key, expires_at } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Profile>
  if (typeof url !== 'string' || typeof key !== 'string')
    throw new CliError(EXIT.usage, `${path} is not a profile. Remove it, and run \`tenure login\`.`)
  return { url, key, ...(expires_at ? { expires_at } : {}) }
}

/**
 * Flags before environment before `.tenure/cli.json` before the profile of the user. A stored key goes to its own server
 * only, and a given key to no server that only a folder names, unless it is this machine: the folder may be anybody's.
 */
export function resolveProfile(flags: ConnectionFlags, env: Env): Profile {
  const inFolder = readProfile(folderProfilePath(env))
  const stored = inFolder ?? readProfile(userProfilePath(env))
  const url = flags.url ?? env.TENURE_URL ?? stored?.url ?? DEFAULT_URL
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(EXIT.usage, `${url} is not a URL of an API.`, ['Write it like https://tenure.example.com.'])
  }
  const key = flags.key ?? env.TENURE_API_KEY
  const named = flags.url ?? env.TENURE_URL
  if (key && !named && inFolder && !isThisMachine(url)) {
    throw new CliError(EXIT.notAllowed, `Only the profile of this folder names ${url}: the key was not sent there.`, [
      'Name the server with --url or TENURE_URL.',
    ])
  }
  if (key) return { url: trimmed(url), key }
  if (stored && new URL(stored.url).origin === new URL(url).origin) return { ...stored, url: trimmed(url) }
  throw new CliError(EXIT.notAllowed, `There is no API key for ${url}.`, [
    'Start the demo with `npm start`, log in with `tenure login`, or set TENURE_URL and TENURE_API_KEY.',
  ])
}

function isThisMachine(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}
