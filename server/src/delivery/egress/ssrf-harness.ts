import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIP, Socket } from 'node:net'
import type { Answer, Resolver } from './resolve-host.ts'
import { isInside, type Payload } from './ssrf-corpus.ts'

/** A way to send one request that is on trial. It may fail in any way; only what it dials counts. */
export type Guard = (url: string, resolver: Resolver, connection: string) => Promise<unknown>

export type Outcome = {
  /** Payloads for which an inside address was dialled. */
  readonly leaks: readonly string[]
  /** Payloads for which a public address was dialled. */
  readonly reached: ReadonlySet<string>
  /** Dials of an inside address that the kernel carried to the canary, by the canary's own count. */
  readonly canaryHits: number
}

type Dial = (addresses: readonly string[]) => void
type Lookup = (host: string, options: { all: true }, done: (error: Error | null, answers: Answer[]) => void) => void
type ConnectOptions = { host?: string; path?: string; lookup?: Lookup }

const CONCURRENT = 24

/**
 * Runs payloads through a guard on a machine on which nothing but loopback may be dialled. Every `connect` of the process is
 * intercepted: an inside address is a leak and goes to the canary, a public one is noted and refused.
 */
export async function runCorpus(guard: Guard, payloads: readonly Payload[]): Promise<Outcome> {
  let canaryHits = 0
  const canary = createServer((socket) => {
    canaryHits++
    socket.on('error', () => {}).destroy()
  })
  canary.listen(0, '127.0.0.1')
  await once(canary, 'listening')

  const leaks = new Set<string>()
  const reached = new Set<string>()
  // The payload travels with the call, so that what is dialled late and in parallel is still put down to it.
  const current = new AsyncLocalStorage<Payload>()
  const restore = interceptConnects((canary.address() as AddressInfo).port, (addresses) => {
    const name = current.getStore()?.name ?? 'unknown'
    for (const address of addresses) (isInside(address) ? leaks : reached).add(name)
  })
  try {
    const queue = payloads.entries()
    const workers = Array.from({ length: CONCURRENT }, async () => {
      for (const [index, payload] of queue) await current.run(payload, () => attempt(guard, payload, index))
    })
    await Promise.all(workers)
  } finally {
    restore()
    canary.close()
    await once(canary, 'close')
  }
  return { leaks: [...leaks], reached, canaryHits }
}

async function attempt(guard: Guard, { url, answers, sends }: Payload, index: number): Promise<void> {
  let lookups = 0
  const resolver: Resolver = async () => answers?.(lookups++) ?? []
  for (let send = 0; send < sends; send++) await guard(url, resolver, `${index}/${send}`).catch(() => {})
}

/** Replaces the one method through which every TCP connection of the process goes. Undone by the function returned. */
function interceptConnects(canaryPort: number, onDial: Dial): () => void {
  const real = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket

  function intercepted(this: Socket, ...args: unknown[]): Socket {
    // net.connect hands over one list of options and callback, tls.connect two arguments.
    const [options, onConnect] = (Array.isArray(args[0]) ? args[0] : args) as [ConnectOptions, (() => void)?]
    if (onConnect) this.once('connect', onConnect)
    const dial: Dial = (addresses) => {
      onDial(addresses)
      if (addresses.some(isInside)) real.call(this, { host: '127.0.0.1', port: canaryPort })
      else this.destroy(Object.assign(new Error('No public address is dialled here.'), { code: 'ECONNREFUSED' }))
    }
    const host = options.host ?? 'localhost'
    if (options.path !== undefined || isIP(host)) process.nextTick(dial, [options.path ?? host])
    else if (!options.lookup) process.nextTick(dial, ['127.0.0.1'])
    else
      options.lookup(host, { all: true }, (error, answers) => (error ? this.destroy(error) : dial(answers.map(({ address }) => address))))
    return this
  }

  Socket.prototype.connect = intercepted as typeof Socket.prototype.connect
  return () => {
    Socket.prototype.connect = real as typeof Socket.prototype.connect
  }
}
