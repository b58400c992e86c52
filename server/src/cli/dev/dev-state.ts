import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../../kit/ids.ts'

/** What `dev` must find again at its next start. It is written down before it is made, so that a start that was cut off goes on. */
export type DevState = {
  readonly tenant_id: string
  readonly payroll: {
    readonly database_password: string
    readonly signing_secret: string
    readonly endpoint_id?: string
    /** The payroll process that a killed `dev` may have left running. */
    readonly process?: { readonly pid: number; readonly startedAt: string }
  }
}

export function readDevState(folder: string): DevState | undefined {
  const path = pathIn(folder)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DevState) : undefined
}

export function newDevState(): DevState {
  return {
    tenant_id: newId('ten'),
    payroll: {
      database_password: randomBytes(24).toString('base64url'),
      signing_secret: `whsec_${randomBytes(32).toString('base64')}`,
    },
  }
}

export async function writeDevState(folder: string, state: DevState): Promise<void> {
  const fresh = `${pathIn(folder)}.new`
  await writeFile(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  await rename(fresh, pathIn(folder))
}

function pathIn(folder: string): string {
  return join(folder, 'dev.json')
}
