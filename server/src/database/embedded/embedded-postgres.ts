import { chmod, mkdir, realpath, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../kit/log.ts'
import { refuseUnreachable } from './check-reach.ts'
import { ensureCluster, SUPERUSER } from './create-cluster.ts'
import { takeOwnership } from './owner.ts'
import { findNativeFolder, openBinaries } from './postgres-binaries.ts'
import type { RunningProcess } from './running-process.ts'
import { type Admin, findRunningServer, freeStaleLocks, isGoneWithin, stopServer, tryLogin } from './running-server.ts'
import { chooseAccount } from './server-account.ts'
import { serverArguments } from './server-settings.ts'
import { openSocketFolder, PORT } from './socket-folder.ts'
import { type ServerPlan, StartFailed, startServer } from './start-server.ts'

export type EmbeddedPostgres = {
  /** The superuser's login, for bootstrap and tests; never for the server of Tenure. `host` is the folder of the socket. */
  readonly admin: Admin
  /** True where a server that a killed owner left running was taken over: it keeps the settings it was started with. */
  readonly adopted: boolean
  /** Ends all connections, stops the server and waits until it is gone. Calling it again answers the same. */
  stop(): Promise<void>
}

type EmbeddedPostgresOptions = {
  /** Where data, password and log live, `.tenure` for example. Made where it is missing. */
  readonly folder: string
  readonly log: Log
  /** PostgreSQL settings that overrule ours; socket and addresses cannot be overruled. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A killed server's processes hold its memory for a moment; a start within this time waits for them. */
const PASSING_MS = 5_000
const ADOPTION_MS = 60_000

/** Starts the PostgreSQL that comes with the package, or takes over the one that a killed owner left running on this folder. */
export async function startEmbeddedPostgres({ folder, log, settings = {} }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const native = findNativeFolder()
  const home = await openFolder(folder)
  const ownership = await takeOwnership(home)
  try {
    const plan = await prepare(home, native, settings)
    const { server, admin, adopted } = await adoptOrStart(plan, log)
    log.info({ pid: server.pid, adopted, folder: home }, 'postgres.started')
    const stop = async () => {
      await stopServer(server, log)
      // Left where it is not empty: then something else is in it.
      await rmdir(admin.host).catch(() => {})
      await ownership.release()
      log.info({ pid: server.pid }, 'postgres.stopped')
    }
    let stopped: Promise<void> | undefined
    return {
      admin,
      adopted,
      stop() {
        stopped ??= stop()
        return stopped
      },
    }
  } catch (error) {
    await ownership.release()
    throw error
  }
}

async function openFolder(folder: string): Promise<string> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  // PostgreSQL's user passes through to its data and cannot list what else is there.
  if (made && process.getuid?.() === 0) await chmod(folder, 0o711)
  return realpath(folder)
}

async function prepare(home: string, native: string, settings: Readonly<Record<string, string>>): Promise<ServerPlan> {
  const dataFolder = join(home, 'postgres')
  const account = await chooseAccount(dataFolder)
  const binaries = await openBinaries(native, join(home, 'postgres-lib'))
  await refuseUnreachable([...binaries.reach, dirname(dataFolder)], account)
  const password = await ensureCluster(home, dataFolder, binaries, account)
  const host = await openSocketFolder(dataFolder, account)
  return {
    binaries,
    account,
    dataFolder,
    logFile: join(home, 'postgres.log'),
    arguments: serverArguments(dataFolder, host, PORT, settings),
    admin: { host, port: PORT, user: SUPERUSER, password, database: 'postgres' },
  }
}

type Started = { readonly server: RunningProcess; readonly admin: Admin; readonly adopted: boolean }

async function adoptOrStart(plan: ServerPlan, log: Log): Promise<Started> {
  const deadline = AbortSignal.timeout(PASSING_MS)
  for (;;) {
    const adopted = await adopt(plan, log)
    if (adopted) return adopted
    await freeStaleLocks(plan.dataFolder, plan.admin.host, plan.account, log)
    try {
      return { server: await startServer(plan, log), admin: plan.admin, adopted: false }
    } catch (error) {
      if (!(error instanceof StartFailed) || !error.passing || deadline.aborted) throw error
      log.info({ pid: process.pid }, 'postgres.start_repeated')
      await sleep(100)
    }
  }
}

/** Takes over a server that runs on our data; undefined where there is none, or where it ended while we looked. */
async function adopt(plan: ServerPlan, log: Log): Promise<Started | undefined> {
  const deadline = AbortSignal.timeout(ADOPTION_MS)
  for (let lost = 0; !deadline.aborted; ) {
    const server = await findRunningServer(plan.dataFolder)
    if (!server) return undefined
    const admin = { ...plan.admin, host: server.socketFolder }
    const login = await tryLogin(admin, plan.dataFolder)
    if (login === 'open') return { server, admin, adopted: true }
    // A starting server has no socket for a moment; one whose temporary folder was swept away never gets it back.
    if (login === 'no socket' && ++lost > 100) await stopServer(server, log)
    await isGoneWithin(server, 20)
  }
  throw new Error(`A PostgreSQL already runs on ${plan.dataFolder} and takes no logins: look at ${plan.logFile}.`)
}
