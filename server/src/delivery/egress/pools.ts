import { type buildConnector, type Dispatcher, Pool } from 'undici'

export type PoolOptions = {
  readonly connect: buildConnector.connector
  readonly connectionsPerOrigin: number
  readonly maxHeaderBytes: number
  readonly maxPools: number
  /** How long an unused connection stays open when the endpoint names no shorter time. */
  readonly keepAliveMs: number
}

export type Pools = { get(owner: string, origin: string): Dispatcher; close(): Promise<void> }

/** A pool unused for this long is closed when the next one is made. Its sockets are long gone by then; this frees the rest. */
const IDLE_MS = 60_000

type Entry = { readonly pool: Pool; usedAt: number }

/**
 * Connections are kept per owner (tenant and endpoint) and origin, and never shared between owners: an answer that an
 * endpoint sends out of turn can only fall back on itself.
 */
export function createPools(options: PoolOptions): Pools {
  // Insertion order is order of use: the first entry is the one to let go.
  const entries = new Map<string, Entry>()
  const closing = new Set<Promise<void>>()

  function retire(key: string, { pool }: Entry): void {
    entries.delete(key)
    const closed = pool.close().catch(() => {})
    closing.add(closed)
    void closed.then(() => closing.delete(closed))
  }

  function makeRoom(now: number): void {
    for (const [key, entry] of entries) {
      if (entries.size < options.maxPools && now - entry.usedAt < IDLE_MS) return
      retire(key, entry)
    }
  }

  return {
    get(owner, origin) {
      const key = `${owner} ${origin}`
      const now = performance.now()
      let entry = entries.get(key)
      if (entry) entries.delete(key)
      else {
        makeRoom(now)
        entry = { pool: openPool(origin, options), usedAt: now }
      }
      entry.usedAt = now
      entries.set(key, entry)
      return entry.pool
    },
    async close() {
      for (const [key, entry] of entries) retire(key, entry)
      await Promise.all(closing)
    },
  }
}

function openPool(origin: string, { connect, connectionsPerOrigin, maxHeaderBytes, keepAliveMs }: PoolOptions): Pool {
  return new Pool(origin, {
    connect,
    connections: connectionsPerOrigin,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    // The exchange has one deadline for everything; undici's coarse timers would only run beside it.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}
