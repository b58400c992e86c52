import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Actor, SCOPES, systemActor } from '../../server/src/access/actor.ts'
import { createApiKey } from '../../server/src/access/create-api-key.ts'
import { startApp } from '../../server/src/app.ts'
import { audit } from '../../server/src/audit/audit.ts'
import { readConfig } from '../../server/src/config.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../../server/src/database/test-database.ts'
import { type Ground, inChange } from '../../server/src/events/change.ts'
import { newId } from '../../server/src/kit/ids.ts'
import { createLog } from '../../server/src/kit/log.ts'
import { createTenant } from '../../server/src/people/organisation/create-tenant.ts'
import { createVault } from '../../server/src/privacy/vault.ts'

export type Answer = { readonly status: number; readonly text: string; readonly json: Record<string, unknown> }

/** The whole server on a database of its own, logging everything it can, with a receiver that echoes what it is sent. */
export type Platform = {
  readonly database: TestDatabase
  readonly ground: Ground
  readonly tenantId: string
  readonly actor: Actor
  readonly receiverUrl: string
  readonly received: string[]
  readonly logLines: string[]
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  metrics(): Promise<string>
  /** Waits, within bounds, until a superuser's question is answered with true; `nudge` is run between. */
  until(question: string, nudge?: string): Promise<void>
  stop(): Promise<void>
}

export async function startPlatform(): Promise<Platform> {
  const database = await createTestDatabase({ connections: 10 })
  const logLines: string[] = []
  const log = createLog('trace', { write: (line: string) => void logLines.push(line) })
  const vault = createVault([{ id: 'root-1', secret: randomBytes(32) }])
  const receiver = await startEcho()
  const config = {
    ...readConfig({ PORT: '0', METRICS_PORT: '0', RATE_LIMIT_PER_SECOND: '10000' }),
    file: { egress: { loopback_ports: 'any' as const } },
  }
  const opened = { ground: { database, vault }, embedded: false, admin: undefined, close: () => database.drop() }
  const app = await startApp(config, log, opened)
  const tenantId = newId('ten')
  await createTenant(app.ground, { tenantId, name: 'Canary', timeZone: 'Europe/Berlin', country: 'DE' })
  const actor = systemActor('test', 'test')
  const { key } = await inChange(app.ground, tenantId, actor, (change) =>
    createApiKey(
      { tx: change.tx, actor, record: (entry) => audit(change.tx, vault, actor, entry) },
      { name: 'canary', scopes: [...SCOPES] },
    ),
  )
  return {
    database,
    ground: { database, vault },
    tenantId,
    actor,
    receiverUrl: receiver.url,
    received: receiver.received,
    logLines,
    async request(method, path, body, headers = {}) {
      const sent = typeof body === 'string' ? body : JSON.stringify(body)
      const response = await fetch(`${app.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: sent as string }),
      })
      const text = await response.text()
      return { status: response.status, text, json: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {} }
    },
    metrics: async () => (await fetch(app.metricsUrl)).text(),
    until: (question, nudge) => until(database, question, nudge),
    async stop() {
      await app.stop()
      await receiver.close()
    },
  }
}

async function until(database: TestDatabase, question: string, nudge?: string): Promise<void> {
  await asAdmin(database.admin, async (client) => {
    for (let tried = 0; tried < 300; tried++) {
      const { rows } = await client.query<{ done: boolean }>(question)
      if (rows[0]?.done) return
      if (nudge && tried % 10 === 0) await client.query(nudge)
      await sleep(50)
    }
    throw new Error(`Still not so after 15 s: ${question}`)
  })
}

/** Answers with the body that it was sent, in head and body: with 200, or below /refuse with 500. */
async function startEcho(): Promise<{ url: string; received: string[]; close(): Promise<void> }> {
  const received: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    received.push(body)
    response.writeHead(request.url === '/refuse' ? 500 : 200, {
      'x-echo': encodeURIComponent(body).slice(0, 4_000),
      'content-type': 'text/plain',
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
