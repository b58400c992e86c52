import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Log } from '../../kit/log.ts'
import { isRunning, type RunningProcess, readProcess, signalProcess } from './running-process.ts'
import { type Account, handOver } from './server-account.ts'
import { PORT } from './socket-folder.ts'

export type Admin = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Whether a login worked, may work in a moment, or met a server that is ending or that has lost its socket. */
type Login = 'open' | 'starting' | 'stopping' | 'no socket'

const FAST_STOP_MS = 60_000
const IMMEDIATE_STOP_MS = 10_000

/** The server that runs on this data, left behind by an owner that was killed, and the folder of its socket. */
export async function findRunningServer(dataFolder: string): Promise<(RunningProcess & { readonly socketFolder: string }) | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const found = await readServer(Number(lines[0]), dataFolder)
  return found && { ...found, socketFolder: lines[4] ?? '' }
}

/**
 * Frees the lock files of a dead server whose number PostgreSQL would take for alive, because another program has it now
 * or nobody has reaped it yet. The data's lock file is given our number and not removed: PostgreSQL lets its parent's lock
 * pass, and still finds in it the shared memory to which processes of the dead server may be attached.
 */
export async function freeStaleLocks(dataFolder: string, socketFolder: string, account: Account, log: Log): Promise<void> {
  const lockFile = join(dataFolder, 'postmaster.pid')
  const text = await readFile(lockFile, 'utf8').catch(() => '')
  const dead = Number.parseInt(text, 10)
  if (dead && dead !== process.pid && !(await readServer(dead, dataFolder))) {
    await writeFile(`${lockFile}.new`, text.replace(/^\d+/, String(process.pid)), { mode: 0o600 })
    await handOver(`${lockFile}.new`, account)
    await rename(`${lockFile}.new`, lockFile)
    log.info({ pid: dead }, 'postgres.stale_lock_freed')
  }
  const socketLock = join(socketFolder, `.s.PGSQL.${PORT}.lock`)
  const holder = Number.parseInt(await readFile(socketLock, 'utf8').catch(() => ''), 10)
  if (holder && !(await readServer(holder, dataFolder))) await rm(socketLock, { force: true })
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
