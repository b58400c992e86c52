import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemActor } from '../server/src/access/actor.ts'
import { type App, startApp } from '../server/src/app.ts'
import { readConfig } from '../server/src/config.ts'
import { type Change, inChange } from '../server/src/events/change.ts'
import { newId } from '../server/src/kit/ids.ts'
import { createLog } from '../server/src/kit/log.ts'
import { openGround } from '../server/src/open-ground.ts'
import { createTenant } from '../server/src/people/organisation/create-tenant.ts'

/** The whole server in this process, on an embedded database with fsync on, as `tenure start` runs it. */
export type BenchPlatform = {
  readonly app: App
  readonly tenantId: string
  change<Result>(work: (change: Change) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export async function startPlatform(): Promise<BenchPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-bench-'))
  await chmod(folder, 0o755)
  const config = readConfig({ TENURE_FOLDER: folder, PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'warn' })
  const log = createLog('warn')
  const opened = await openGround(config, log, { createKeys: true })
  const app = await startApp({ ...config, file: { egress: { loopback_ports: 'any' } } }, log, opened)
  const tenantId = newId('ten')
  await createTenant(app.ground, { tenantId, name: 'Bench', timeZone: 'UTC', country: 'DE' })
  const actor = systemActor('bench', 'api')
  return {
    app,
    tenantId,
    change: (work) => inChange(app.ground, tenantId, actor, work),
    async close() {
      await app.stop()
      await opened.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}
