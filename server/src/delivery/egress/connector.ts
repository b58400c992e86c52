import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import { type EgressPolicy, refuseTarget } from './egress-policy.ts'
import { bareHost, portOf } from './egress-url.ts'
import { EgressError, failureOfConnect } from './failure.ts'
import type { Answer, Resolver } from './resolve-host.ts'

export type ConnectorOptions = {
  readonly policy: EgressPolicy
  readonly resolver: Resolver
  /** For everything until the first byte can be sent: resolving, TCP, TLS. */
  readonly timeoutMs: number
  /** Certificate authorities in place of the built-in ones. */
  readonly ca?: string | readonly string[]
}

/** How many of a name's addresses are tried before giving up, and how long one that is silent may hold up the next. */
const MAX_ADDRESSES_TRIED = 6
const SILENT_ADDRESS_MS = 1_000

/**
 * The guard itself: the one place at which a socket is opened. It judges every address that a name resolves to, dials
 * exactly what it judged, and judges the open socket again before a byte is written. A `lookup` hook would not do: Node does
 * not call it for literals.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  return (target, callback) => {
    openSocket(options, target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    )
  }
}

async function openSocket(options: ConnectorOptions, target: buildConnector.Options): Promise<Socket | TLSSocket> {
  const deadline = performance.now() + options.timeoutMs
  const host = bareHost(target.hostname)
  const secure = target.protocol === 'https:'
  const port = portOf(target)
  const allowed = (address: string) => refuseTarget(options.policy, { address, port, secure }) === undefined

  const answers = await resolveAll(options.resolver, host, deadline)
  if (!answers.every(({ address }) => allowed(address))) throw new EgressError('blocked_address')
  const socket = await dialFirst(answers.slice(0, MAX_ADDRESSES_TRIED), port, deadline)
  // An endpoint that hangs up at once leaves a socket without an address.
  const { remoteAddress } = socket
  if (remoteAddress === undefined || !allowed(remoteAddress)) {
    socket.destroy()
    throw new EgressError(remoteAddress === undefined ? 'connection_reset' : 'blocked_address')
  }
  return secure ? startTls(socket, host, deadline, options.ca) : socket
}

/** Every answer of the resolver; a literal is its own only answer. */
async function resolveAll(resolver: Resolver, host: string, deadline: number): Promise<readonly Answer[]> {
  const family = isIP(host)
  if (family) return [{ address: host, family }]
  const answers = await answersBefore(deadline, resolver, host).catch((error: unknown) => {
    throw new EgressError('dns_failed', error)
  })
  if (answers.length === 0) throw new EgressError('dns_failed')
  return answers
}

async function answersBefore(deadline: number, resolver: Resolver, host: string): Promise<readonly Answer[]> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('The resolver did not answer in time.')), Math.max(1, deadline - performance.now()))
  try {
    return await Promise.race([resolver(host), late])
  } finally {
    clearTimeout(timer)
  }
}

async function dialFirst(answers: readonly Answer[], port: number, deadline: number): Promise<Socket> {
  let failure: unknown
  for (const [index, answer] of answers.entries()) {
    const left = deadline - performance.now()
    if (left <= 0) break
    const isLast = index === answers.length - 1
    try {
      return await dial(answer, port, isLast ? left : Math.min(left, SILENT_ADDRESS_MS))
    } catch (error) {
      failure = error
    }
  }
  throw failure ?? new EgressError('connect_timeout')
}

function dial({ address, family }: Answer, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, family, lookup: refuseLookup, autoSelectFamily: false, noDelay: true })
    const timer = setTimeout(() => socket.destroy(new EgressError('connect_timeout')), timeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.setKeepAlive(true, 60_000)
      resolve(socket)
    })
    // Stays for the socket's life: an error between two owners must not end the process.
    socket.on('error', (error) => {
      clearTimeout(timer)
      reject(new EgressError(failureOfConnect(error), error))
    })
  })
}

function startTls(socket: Socket, host: string, deadline: number, ca: string | readonly string[] | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      // The certificate is checked against the name asked for, never against the address dialled. SNI cannot hold a literal.
      host,
      servername: isIP(host) ? '' : host.replace(/\.$/, ''),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment changes nothing.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca: [ca].flat() }),
    })
    const timer = setTimeout(() => tls.destroy(new EgressError('connect_timeout')), Math.max(1, deadline - performance.now()))
    tls.once('secureConnect', () => {
      clearTimeout(timer)
      resolve(tls)
    })
    const fail = (error?: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error instanceof EgressError ? error : new EgressError('tls_failed', error))
    }
    tls.on('error', fail)
    tls.once('close', () => fail())
  })
}

/** What is dialled has been resolved and judged already; a second look-up would be a way around the guard. */
function refuseLookup(): never {
  throw new EgressError('blocked_address')
}
