import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApp } from '../../app.ts'
import type { Config } from '../../config.ts'
import { createGuestDatabase } from '../../database/guest-database.ts'
import type { Ground } from '../../events/change.ts'
import { type OpenedGround, openGround } from '../../open-ground.ts'
import { dateAt } from '../../people/site-time.ts'
import { COMPANY } from '../demo/company-data.ts'
import { createDemoCompany } from '../demo/create-demo-company.ts'
import { CliError, EXIT } from '../exit.ts'
import { makeFolder } from '../make-folder.ts'
import { folderProfilePath } from '../profile.ts'
import { createProgress } from '../progress.ts'
import { loadConfig } from '../server-log.ts'
import { waitForStop } from '../stop-signals.ts'
import { createTerminal, type Terminal } from '../terminal.ts'
import { cardLines } from './card.ts'
import { countDeliveries, ensurePayrollEndpoint, ensureProfile, ensureTenant } from './demo-tenant.ts'
import { type DevState, newDevState, readDevState, writeDevState } from './dev-state.ts'
import { findFreePort } from './free-port.ts'
import { endLeftover, hasPayroll, type PayrollProcess, startPayrollProcess } from './payroll-process.ts'
import { createScreen, type Screen } from './screen.ts'

export type DevFlags = { readonly port?: number; readonly payrollPort: number; readonly log: 'live' | 'json'; readonly payroll: boolean }

const FIRST_DELIVERIES_MS = 15_000

/** Everything on one machine, for whoever meets Tenure for the first time, and for whoever works on it. */
export async function runDev(flags: DevFlags): Promise<void> {
  const startedAt = performance.now()
  const terminal = createTerminal()
  const given = loadConfig(flags.port === undefined ? {} : { PORT: String(flags.port) })
  const screen = createScreen(terminal, flags.log, given.LOG_LEVEL)
  const config = await devConfig(given, screen.say)
  if (config.DATABASE_URL)
    throw new CliError(EXIT.usage, '`tenure dev` brings its own database. Unset DATABASE_URL, or use `tenure start`.')
  const running: Running = { closers: [] }
  const asked = waitForStop(() => running.payroll?.kill())
  try {
    screen.say(terminal.colors.dim(`Starting PostgreSQL in ${config.TENURE_FOLDER} …`))
    const { profile, employees } = await bringUp(config, flags, screen, running)
    if (employees > 0 && running.payroll) await awaitFirstDeliveries(running, terminal)
    const card = {
      profile,
      profilePath: folderProfilePath(config),
      payrollUrl: running.payroll?.url,
      today: dateAt(new Date(), COMPANY.timeZone),
      seconds: ((performance.now() - startedAt) / 1000).toFixed(1),
      first: employees > 0,
    }
    for (const line of cardLines(card, terminal.colors)) screen.say(line)
    screen.showLive(true)
    await asked
    screen.showLive(false)
    screen.say(terminal.colors.dim('\nStopping …'))
  } finally {
    await closeAll(running)
  }
}

/** What is up so far, so that a start that fails half way takes down exactly that. */
type Running = { readonly closers: (() => Promise<void>)[]; payroll?: PayrollProcess; demo?: { ground: Ground; tenantId: string } }

async function bringUp(config: Config, flags: DevFlags, screen: Screen, running: Running) {
  await makeFolder(config.TENURE_FOLDER)
  const opened = await openGround(config, screen.log, { createKeys: true })
  running.closers.push(opened.close)
  const { ground } = opened
  const demo = await openDemo(opened, config.TENURE_FOLDER)
  const tenantId = demo.state.tenant_id
  running.demo = { ground, tenantId }
  if (flags.payroll && hasPayroll()) {
    running.payroll = await connectPayroll(demo, opened, flags.payrollPort, screen)
    running.closers.push(running.payroll.stop)
  }
  if (demo.first) screen.say(`Hiring the people of ${COMPANY.name} …`)
  const employees = await createDemoCompany(ground, tenantId)
  const app = await startApp(config, screen.log, opened)
  running.closers.push(app.stop)
  const profile = await ensureProfile(ground, tenantId, app.url!, folderProfilePath(config))
  return { profile, employees }
}

/** In the order opposite to that of the start. What fails to end keeps nothing else from ending. */
async function closeAll({ closers }: Running): Promise<void> {
  const faults: unknown[] = []
  for (const close of closers.reverse()) await close().catch((error: unknown) => faults.push(error))
  if (faults.length > 0) throw faults[0]
}

type Demo = { readonly folder: string; readonly state: DevState; readonly first: boolean; keep(state: DevState): Promise<void> }

async function openDemo({ ground }: OpenedGround, folder: string): Promise<Demo> {
  const state = readDevState(folder) ?? newDevState()
  await writeDevState(folder, state)
  const first = await ensureTenant(ground, state.tenant_id)
  return { folder, state, first, keep: (changed) => writeDevState(folder, changed) }
}

async function connectPayroll(
  { folder, state, keep }: Demo,
  { ground, admin }: OpenedGround,
  wanted: number,
  screen: Screen,
): Promise<PayrollProcess> {
  const { payroll } = state
  await endLeftover(payroll.process)
  const port = await choosePort('127.0.0.1', wanted, 'payroll', screen.say)
  const database = await createGuestDatabase(admin!, { name: 'payroll', password: payroll.database_password })
  const endpoint_id = await ensurePayrollEndpoint(ground, state, `http://127.0.0.1:${port}/webhooks`)
  screen.name(endpoint_id, 'payroll')
  return startPayrollProcess({
    port,
    database,
    secret: payroll.signing_secret,
    logFile: join(folder, 'payroll.log'),
    onNote: screen.note,
    onProcess: (running) => {
      const { process: _ended, ...kept } = payroll
      const process = running && { pid: running.pid, startedAt: running.startedAt }
      return keep({ ...state, payroll: { ...kept, endpoint_id, ...(process ? { process } : {}) } })
    },
  })
}

/** The configuration with ports that are free, and with this machine as a place that endpoints may name. */
async function devConfig(config: Config, say: (line: string) => void): Promise<Config> {
  const { egress } = config.file
  return {
    ...config,
    PORT: await choosePort(config.HOST, config.PORT, 'the API', say),
    METRICS_PORT: await findFreePort('127.0.0.1', config.METRICS_PORT),
    file: { ...config.file, egress: { ...egress, loopback_ports: 'any' } },
  }
}

async function choosePort(host: string, wanted: number, whose: string, say: (line: string) => void): Promise<number> {
  const port = await findFreePort(host, wanted)
  if (wanted !== 0 && port !== wanted) say(`Port ${wanted} is taken: ${whose} is on ${port}.`)
  return port
}

/** The demo company has reached payroll before the card invites anybody to look. */
async function awaitFirstDeliveries({ demo }: Running, terminal: Terminal): Promise<void> {
  if (!demo) return
  const progress = createProgress(terminal)
  const deadline = AbortSignal.timeout(FIRST_DELIVERIES_MS)
  for (;;) {
    const { total, pending } = await countDeliveries(demo.ground, demo.tenantId)
    progress.update('To payroll', total - pending, total)
    if (pending === 0 || deadline.aborted) break
    await sleep(50)
  }
  progress.end()
}
