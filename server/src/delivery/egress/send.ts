import { createConnector } from './connector.ts'
import { createDeadlines } from './deadlines.ts'
import type { EgressPolicy } from './egress-policy.ts'
import { checkEgressUrl } from './egress-url.ts'
import { Exchange, type SendResult } from './exchange.ts'
import { createPools } from './pools.ts'
import { createSystemResolver, type Resolver } from './resolve-host.ts'

export type EgressOptions = {
  readonly policy: EgressPolicy
  /** For resolving, TCP and TLS together. */
  readonly connectTimeoutMs?: number
  /** For everything, from the call to the last byte that is read. Must stay below half a lease. */
  readonly timeoutMs?: number
  /** How much of a body is kept. A longer one costs the endpoint its connection. */
  readonly maxResponseBytes?: number
  readonly maxHeaderBytes?: number
  readonly connectionsPerOrigin?: number
  readonly maxPools?: number
  readonly keepAliveMs?: number
  readonly resolver?: Resolver
  /** Certificate authorities in place of the built-in ones. */
  readonly ca?: string | readonly string[]
}

export type EgressRequest = {
  readonly url: string
  readonly method: 'POST'
  /** Names of the connection and of the encoding are not the caller's to set: `request_invalid`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
  /** Whose connections may be used: tenant and endpoint. */
  readonly pool: string
}

export type Egress = {
  /** Sends once. Never rejects: whatever the network, the endpoint or the URL does is in the result. */
  send(request: EgressRequest): Promise<SendResult>
  /** Lets what is in the air finish (no longer than its deadline) and closes every connection. */
  close(): Promise<void>
}

type Destination = { readonly origin: string; readonly path: string }

const MAX_DESTINATIONS = 4_096

/** RFC 9110 §5.6.2 and §5.5, as Latin-1. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** A host header would turn the certificate check to a name of the caller's choice; the others frame the message. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'accept-encoding',
])

/**
 * Opens the only way out of Tenure. Every request passes the URL rules, every connection the address rules; redirects,
 * Alt-Svc, HTTP/2, compression and proxies from the environment have no way in, because nothing here knows of them.
 */
export function createEgress({
  policy,
  connectTimeoutMs = 5_000,
  timeoutMs = 15_000,
  maxResponseBytes = 8_192,
  maxHeaderBytes = 16_384,
  connectionsPerOrigin = 32,
  maxPools = 1_024,
  keepAliveMs = 4_000,
  resolver = createSystemResolver(),
  ca,
}: EgressOptions): Egress {
  const connect = createConnector({ policy, resolver, timeoutMs: connectTimeoutMs, ...(ca === undefined ? {} : { ca }) })
  const pools = createPools({ connect, connectionsPerOrigin, maxHeaderBytes, maxPools, keepAliveMs })
  const deadlines = createDeadlines(timeoutMs)
  const destinationOf = rememberDestinations(policy)
  let closed = false

  function send({ url, method, headers, body, pool }: EgressRequest): Promise<SendResult> {
    return new Promise((resolve) => {
      const exchange = new Exchange(performance.now(), timeoutMs, maxResponseBytes, (settled, result) => {
        deadlines.remove(settled)
        resolve(result)
      })
      if (closed) return exchange.fail('interrupted')
      const destination = destinationOf(url)
      if (!destination) return exchange.fail('url_refused')
      const lines = headerLines(headers)
      if (!lines) return exchange.fail('request_invalid')
      deadlines.add(exchange)
      pools.get(pool, destination.origin).dispatch({ path: destination.path, method, headers: lines, body }, exchange)
    })
  }

  return {
    send,
    close() {
      closed = true
      return pools.close()
    },
  }
}

/** The URL rules, asked once per URL: the policy never changes, so a verdict stays true. */
function rememberDestinations(policy: EgressPolicy): (url: string) => Destination | undefined {
  const destinations = new Map<string, Destination>()
  return (url) => {
    const known = destinations.get(url)
    if (known) return known
    const destination = readDestination(url, policy)
    if (!destination) return undefined
    // The list starts afresh before it grows large.
    if (destinations.size >= MAX_DESTINATIONS) destinations.clear()
    destinations.set(url, destination)
    return destination
  }
}

function readDestination(url: string, policy: EgressPolicy): Destination | undefined {
  try {
    const { origin, pathname, search } = checkEgressUrl(url, policy)
    return { origin, path: pathname + search }
  } catch {
    return undefined
  }
}

function headerLines(headers: Readonly<Record<string, string>>): string[] | undefined {
  const lines = ['accept-encoding', 'identity']
  for (const name of Object.keys(headers)) {
    const value = headers[name]!
    // Checked here, because undici's pool never again uses a connection at which a request failed its own check.
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value) || RESERVED_HEADERS.has(name.toLowerCase())) return undefined
    lines.push(name, value)
  }
  return lines
}
