import type { Config } from '../../config.ts'
import { findFreePort } from '../dev/free-port.ts'
import { folderProfilePath, readProfile } from '../profile.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const PATIENCE_MS = 3_000

type Place = Pick<Config, 'HOST' | 'PORT' | 'TENURE_FOLDER'>

/** What the API of this installation says of itself; undefined where nothing of ours answers. */
export async function checkApi(config: Place): Promise<Finding | undefined> {
  for (const url of urlsOf(config)) {
    const answer = await ask(`${url}/health/ready`)
    if (!answer) continue
    if (answer.status === 'ok') return ok('api', `${url} is ready`)
    return fail('api', `${url} is not ready: ${answer.reasons.join(' ')}`, 'The log of the server says more.')
  }
  return undefined
}

/** The port, where no API answers. */
export async function checkPort({ HOST, PORT }: Place): Promise<Finding> {
  const free = await findFreePort(HOST, PORT).catch(() => undefined)
  if (free === PORT || PORT === 0) return ok('api', `no server runs here; port ${PORT} of ${HOST} is free for one`)
  return warn(
    'api',
    `Something else has port ${PORT} of ${HOST}.`,
    'Set PORT to another one. `npm start` takes the next free one by itself.',
  )
}

function urlsOf({ HOST, PORT, TENURE_FOLDER }: Place): string[] {
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST
  const stored = readProfile(folderProfilePath({ TENURE_FOLDER }))
  return [...new Set([...(stored ? [stored.url] : []), `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`])]
}

async function ask(url: string): Promise<{ status: string; reasons: string[] } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' })
    const body = (await response.json()) as { status?: unknown; reasons?: unknown }
    return typeof body.status === 'string' && Array.isArray(body.reasons)
      ? { status: body.status, reasons: body.reasons.map(String) }
      : undefined
  } catch {
    return undefined
  }
}
