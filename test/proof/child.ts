import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

export const REPO = new URL('../../', import.meta.url).pathname

/** A process of ours: started, killed and waited for by its pid. */
export type Child = { readonly process: ChildProcess; kill(): Promise<void>; stop(): Promise<void> }

export function startChild(args: readonly string[], env: Record<string, string>, log: string): Child {
  const output = createWriteStream(log, { flags: 'a' })
  const child = spawn(process.execPath, args, { cwd: REPO, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pipe(output, { end: false })
  child.stderr.pipe(output, { end: false })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return { process: child, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** Runs a command of ours to its end and answers what it printed. */
export async function run(args: readonly string[], env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: REPO, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts: Buffer[] = []
  const faults: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.stderr.on('data', (part: Buffer) => faults.push(part))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0)
    throw new Error(
      `${args.join(' ')} ended with ${code}: ${Buffer.concat([...faults, ...parts])
        .toString()
        .slice(0, 2_000)}`,
    )
  return Buffer.concat(parts).toString()
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
