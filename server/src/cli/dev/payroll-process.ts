import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DatabaseAddress } from '../../database/database.ts'
import { isRunning, type RunningProcess, readProcess, signalProcess } from '../../database/embedded/running-process.ts'

const MAIN = fileURLToPath(new URL('../../../../examples/payroll/src/main.ts', import.meta.url))
const START_MS = 20_000
const STOP_MS = 5_000
const AGAIN_MS = 3_000

export type PayrollOptions = {
  readonly port: number
  readonly database: DatabaseAddress
  readonly secret: string
  readonly logFile: string
  /** Told of each process, so that the next `dev` can end one that this one leaves behind. */
  readonly onProcess: (running: RunningProcess | undefined) => Promise<void>
  readonly onNote: (note: string) => void
}

export type PayrollProcess = { readonly url: string; stop(): Promise<void>; kill(): void }

/** Whether the example is here: a package of the server alone comes without it. */
export function hasPayroll(): boolean {
  return existsSync(MAIN)
}

/** Ends the payroll process that a killed `dev` left running. */
export async function endLeftover(running: RunningProcess | undefined): Promise<void> {
  if (!running || !(await isRunning(running))) return
  await signalProcess(running, 'SIGTERM')
  for (let waited = 0; waited < STOP_MS && (await isRunning(running)); waited += 100) await sleep(100)
  await signalProcess(running, 'SIGKILL')
}

/** Starts the payroll example as a process of its own, and again when it ends by itself, as an operator would. */
export async function startPayrollProcess(options: PayrollOptions): Promise<PayrollProcess> {
  const stopping = new AbortController()
  let { child, url } = await launch(options)
  const watch = async () => {
    while (!stopping.signal.aborted) {
      await ended(child)
      if (stopping.signal.aborted) return
      options.onNote(
        `payroll ended (${child.signalCode ?? `exit code ${child.exitCode}`}) and starts again in ${AGAIN_MS / 1000} s; what it missed waits`,
      )
      await sleep(AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      try {
        child = (await launch(options)).child
        options.onNote('payroll is back')
      } catch (error) {
        options.onNote(error instanceof Error ? error.message : String(error))
      }
    }
  }
  const watched = watch()
  return {
    url,
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      stopping.abort()
      child.kill('SIGTERM')
      const forced = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended(child)
      clearTimeout(forced)
      await watched
      await options.onProcess(undefined)
    },
  }
}

async function launch({ port, database, secret, logFile, onProcess }: PayrollOptions): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN], {
    // Its own group: Ctrl-C reaches us alone, and we end it when the last deliveries have arrived.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      PAYROLL_DATABASE: JSON.stringify(database),
      PAYROLL_PORT: String(port),
      PAYROLL_SECRET: secret,
    },
  })
  let said = ''
  const file = createWriteStream(logFile, { flags: 'a', mode: 0o600 })
  child.stderr?.on('data', (bytes: Buffer) => {
    said = `${said}${bytes}`.slice(-2_000)
    file.write(bytes)
  })
  child.once('close', () => file.end())
  try {
    const url = await firstLine(child, () => said)
    await onProcess(await readProcess(child.pid ?? 0))
    return { child, url }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

async function firstLine(child: ChildProcess, said: () => string): Promise<string> {
  const lines = createInterface({ input: child.stdout! })
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    ended(child).then(() => undefined),
    sleep(START_MS, undefined, { ref: false }),
  ])
  if (line === undefined) throw new Error(`The payroll example did not start: ${said().trim() || 'it said nothing'}`)
  // Whatever else it prints is read and dropped, so that a full pipe cannot stop it.
  lines.on('line', () => {})
  return (JSON.parse(line) as { url: string }).url
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
