import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, freePort, run, startChild } from './child.ts'

const MAIN = 'server/src/cli/main.ts'

export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

/** Tenure as its users run it: `tenure init`, then `tenure start` in a process that may be killed and started again. */
export type Platform = {
  readonly url: string
  readonly key: string
  readonly env: Record<string, string>
  start(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
  /** One request; undefined when there was no answer. */
  request(method: string, path: string, options?: { body?: unknown; idempotencyKey?: string }): Promise<Answer | undefined>
}

export async function createPlatform(folder: string): Promise<Platform> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  await writeFile(join(folder, 'tenure.yaml'), 'egress:\n  loopback_ports: any\n')
  const port = await freePort()
  const metricsPort = await freePort()
  const env = {
    TENURE_FOLDER: folder,
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    RATE_LIMIT_PER_SECOND: '100000',
    LOG_LEVEL: 'info',
  }
  const made = JSON.parse(await run([MAIN, 'init', '--json', '--name', 'Proof', '--time-zone', 'UTC', '--country', 'DE'], env)) as {
    key: string
  }
  const url = `http://127.0.0.1:${port}`
  let server: Child | undefined
  const platform: Platform = {
    url,
    key: made.key,
    env,
    async start() {
      server = startChild([MAIN, 'start'], env, join(folder, 'server.log'))
      await waitUntil(
        async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.ok === true,
        30_000,
        'the server to be ready',
      )
    },
    kill: async () => server?.kill(),
    stop: async () => server?.stop(),
    async request(method, path, { body, idempotencyKey } = {}) {
      const headers: Record<string, string> = { authorization: `Bearer ${made.key}` }
      if (body !== undefined) headers['content-type'] = 'application/json'
      if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
      try {
        const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
        return { status: response.status, body: (await response.json()) as Record<string, unknown> }
      } catch {
        return undefined
      }
    },
  }
  return platform
}

export async function waitUntil(holds: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const until = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`Waited ${withinMs / 1_000} s in vain for ${what}.`)
    await sleep(100)
  }
}

/** Every event of the log, page by page over the public feed. */
export async function* readFeed(platform: Platform): AsyncGenerator<Record<string, unknown>> {
  let cursor = ''
  for (;;) {
    const page = await platform.request('GET', `/v1/events?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    if (page?.status !== 200) throw new Error(`The feed answered ${page?.status}.`)
    const { data, next_cursor, has_more } = page.body as { data: Record<string, unknown>[]; next_cursor: string; has_more: boolean }
    yield* data
    if (!has_more) return
    cursor = next_cursor
  }
}

const PATIENCE_MS = 10_000

/**
 * Waits until no delivery is pending. A receiver that was killed twice at the wrong moments is tried again in five minutes
 * only: what waits that long is retried now, as an operator would after mending it.
 */
export async function waitUntilDelivered(platform: Platform, withinMs: number): Promise<void> {
  let since = performance.now()
  let left = Number.POSITIVE_INFINITY
  await waitUntil(
    async () => {
      const page = await platform.request('GET', '/v1/deliveries?state=pending&limit=200')
      if (page?.status !== 200) return false
      const pending = page.body['data'] as { id: string; failures: number }[]
      if (pending.length < left) since = performance.now()
      left = pending.length
      if (performance.now() - since < PATIENCE_MS) return left === 0
      since = performance.now()
      for (const { id } of pending) await platform.request('POST', `/v1/deliveries/${id}/retry`, { body: {} })
      return left === 0
    },
    withinMs,
    'every delivery to be settled',
  )
}
