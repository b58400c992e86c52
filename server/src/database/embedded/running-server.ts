import { readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Log } from '../../kit/log.ts'
import { isRunning, type RunningProcess, readProcess, signalProcess } from './running-process.ts'
import { PORT } from './socket-folder.ts'

export type Admin = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Whether a login worked, may work in a moment, or met a server that is ending or that has lost its socket. */
export type Login = 'open' | 'starting' | 'stopping' | 'no socket'

const FAST_STOP_MS = 60_000
const IMMEDIATE_STOP_MS = 10_000

/** The server that runs on this data, left behind by an owner that was killed, and the folder of its socket. */
export async function findRunningServer(dataFolder: string): Promise<(RunningProcess & { readonly socketFolder: string }) | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const found = await readServer(Number(lines[0]), dataFolder)
  return found && { ...found, socketFolder: lines[4] ?? '' }
}

/** Removes what a dead server left where its number now belongs to another program, which PostgreSQL would take for its own. */
export async function clearStaleFiles(dataFolder: string, socketFolder: string, log: Log): Promise<void> {
  const socket = join(socketFolder, `.s.PGSQL.${PORT}`)
  for (const lockFile of [join(dataFolder, 'postmaster.pid'), `${socket}.lock`]) {
    const pid = Number((await readFile(lockFile, 'utf8').catch(() => '')).split('\n')[0])
    if (!pid || (await readServer(pid, dataFolder)) || !(await readProcess(pid))) continue
    await rm(lockFile, { force: true })
    log.warn({ lockFile, pid }, 'postgres.stale_lock_removed')
  }
}

/** Logs in once, and makes sure that the server behind the socket serves this data. Throws where waiting does not help. */
export async function tryLogin(admin: Admin, dataFolder: string): Promise<Login> {
  const client = new Client({ ...admin, ssl: false, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ served: string }>("select current_setting('data_directory') as served")
    const served = await realpath(rows[0]?.served ?? '').catch(() => rows[0]?.served)
    if (served !== dataFolder)
      throw new Error(`The server at ${admin.host} serves ${served} and not ${dataFolder}: stop that server first.`)
    return 'open'
  } catch (error) {
    return readLoginFailure(error, dataFolder)
  } finally {
    await client.end().catch(() => {})
  }
}

function readLoginFailure(error: unknown, dataFolder: string): Login {
  const { code = '', message } = error as { code?: string; message: string }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'no socket'
  // One code stands for both; lc_messages is ours, so the words can be relied on.
  if (code === '57P03') return message.includes('shutting down') ? 'stopping' : 'starting'
  if (/^57P0|^ECONNRESET|^EPIPE/.test(code) || message.includes('terminated unexpectedly')) return 'stopping'
  if (code === '28P01')
    throw new Error(`The database in ${dataFolder} does not take the password in the file beside it: restore postgres-password.`)
  throw error
}

/** Stops the server and waits until it is gone. Connections are closed, what is committed is kept. */
export async function stopServer(server: RunningProcess, log: Log): Promise<void> {
  await signalProcess(server, 'SIGINT')
  if (await isGoneWithin(server, FAST_STOP_MS)) return
  log.warn({ pid: server.pid }, 'postgres.stop_slow')
  // Without a last checkpoint: the next start recovers from the write-ahead log and loses nothing.
  await signalProcess(server, 'SIGQUIT')
  if (await isGoneWithin(server, IMMEDIATE_STOP_MS)) return
  throw new Error(`PostgreSQL (pid ${server.pid}) does not stop: look at postgres.log, then end it by hand.`)
}

export async function isGoneWithin(server: RunningProcess, ms: number): Promise<boolean> {
  const deadline = AbortSignal.timeout(ms)
  while (await isRunning(server)) {
    if (deadline.aborted) return false
    await sleep(10)
  }
  return true
}

async function readServer(pid: number, dataFolder: string): Promise<RunningProcess | undefined> {
  const found = await readProcess(pid)
  return found?.command.includes(`postgres -D ${dataFolder} `) ? { pid: found.pid, startedAt: found.startedAt } : undefined
}
