import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../kit/log.ts'
import type { Binaries } from './postgres-binaries.ts'
import { type RunningProcess, readProcess } from './running-process.ts'
import { type Admin, stopServer, tryLogin } from './running-server.ts'
import { type Account, runAs } from './server-account.ts'

export type ServerPlan = {
  readonly binaries: Binaries
  readonly account: Account
  readonly dataFolder: string
  readonly logFile: string
  readonly arguments: readonly string[]
  readonly admin: Admin
}

/** Recovery after a loss of power may replay a gigabyte of log. */
const START_MS = 300_000
const LOG_BYTES = 10_000_000
const LAST_LINES = 15

/** A start that failed; `passing` where what a killed server left behind will be gone in a moment. */
export class StartFailed extends Error {
  readonly passing: boolean

  constructor(reason: string, lines: string, options?: ErrorOptions) {
    super(lines ? `${reason} Its last words:\n${lines}` : reason, options)
    this.passing = /pre-existing shared memory block|lock file ".*" already exists|could not bind Unix address/.test(lines)
  }
}

/** Starts the server and answers once it takes logins. It outlives us: neither our Ctrl-C nor our death reaches it. */
export async function startServer(plan: ServerPlan, log: Log): Promise<RunningProcess> {
  const output = await openLog(plan.logFile)
  try {
    const start = (await output.stat()).size
    const child = spawn(plan.binaries.postgres, plan.arguments, {
      ...runAs(plan.account),
      env: plan.binaries.env,
      // A session of its own, so that the terminal's signals end at us.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    })
    await once(child, 'spawn').catch((error: unknown) => {
      throw new StartFailed(`PostgreSQL could not be run as uid ${plan.account.uid} (${(error as Error).message}).`, '', { cause: error })
    })
    child.unref()
    return await untilOpen(child, plan, () => readLastLines(output, start), log)
  } finally {
    await output.close()
  }
}

async function untilOpen(child: ChildProcess, plan: ServerPlan, lastLines: () => Promise<string>, log: Log): Promise<RunningProcess> {
  const server = await readProcess(child.pid ?? 0)
  const deadline = AbortSignal.timeout(START_MS)
  while (server && !hasEnded(child)) {
    const login = await tryLogin(plan.admin, plan.dataFolder).catch(async (error: unknown) => {
      await stopServer(server, log)
      throw error
    })
    // A server that was there before may answer while ours is giving up on its lock.
    if (login === 'open' && !hasEnded(child) && (await isServing(plan.dataFolder, server.pid))) return server
    if (deadline.aborted) {
      await stopServer(server, log)
      throw new StartFailed(`PostgreSQL did not take logins within ${START_MS / 1000} s.`, await lastLines())
    }
    await sleep(20)
  }
  throw new StartFailed('PostgreSQL ended while it was starting.', await lastLines())
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function isServing(dataFolder: string, pid: number): Promise<boolean> {
  const file = await open(`${dataFolder}/postmaster.pid`).catch(() => undefined)
  if (!file) return false
  const text = await file.readFile('utf8').finally(() => file.close())
  return Number(text.split('\n')[0]) === pid
}

/** One older log is kept, so that the file stays small over the years. */
async function openLog(path: string): Promise<FileHandle> {
  const found = await stat(path).catch(() => undefined)
  if (found && found.size > LOG_BYTES) await rename(path, `${path}.old`)
  return open(path, 'a+', 0o600)
}

async function readLastLines(output: FileHandle, start: number): Promise<string> {
  const { size } = await output.stat()
  const from = Math.max(start, size - 8192)
  const { buffer, bytesRead } = await output.read(Buffer.alloc(size - from), 0, size - from, from)
  return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-LAST_LINES).join('\n')
}
