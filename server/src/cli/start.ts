import { startApp } from '../app.ts'
import { createLog } from '../kit/log.ts'
import { openGround } from '../open-ground.ts'
import { loadConfig } from './server-log.ts'
import { waitForStop } from './stop-signals.ts'

/** The server for production. What is unsafe was refused before it listens; SIGTERM lets requests and attempts finish. */
export async function runStart({ role }: { readonly role?: string }): Promise<void> {
  const config = loadConfig(role ? { ROLE: role } : {})
  const log = createLog(config.LOG_LEVEL)
  const asked = waitForStop(() => log.warn('stop.forced'))
  const opened = await openGround(config, log)
  try {
    const app = await startApp(config, log, opened)
    log.info(
      { role: config.ROLE, url: app.url, metrics: app.metricsUrl, embedded: opened.embedded, node: process.version },
      'server.started',
    )
    const signal = await asked
    log.info({ signal }, 'server.stopping')
    await app.stop()
  } finally {
    await opened.close()
  }
  log.info('server.stopped')
}
