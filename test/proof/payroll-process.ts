import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../server/src/database/embedded/embedded-postgres.ts'
import { createLog } from '../../server/src/kit/log.ts'
import { type Child, freePort, startChild } from './child.ts'
import { type Platform, waitUntil } from './platform.ts'

/** The payroll example with a database server of its own, connected to the platform by an endpoint. */
export type PayrollProcess = {
  readonly url: string
  readonly database: { host: string; port: number; user: string; password: string; database: string }
  start(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
  query<Row>(text: string): Promise<Row[]>
}

export const PAYROLL_EVENTS = ['employee.created', 'employee.updated', 'employment.*', 'assignment.changed', 'compensation.changed']

export async function createPayroll(folder: string, platform: Platform): Promise<PayrollProcess> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ folder, log: createLog('silent') })
  const database = { ...postgres.admin, database: 'payroll' }
  const admin = new Client({ ...postgres.admin, ssl: false })
  await admin.connect()
  await admin.query('create database payroll')
  await admin.end()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const made = await platform.request('POST', '/v1/endpoints', {
    body: { name: 'Payroll', url: `${url}/webhooks`, event_types: PAYROLL_EVENTS, detail: 'full', grants: ['personal'] },
  })
  if (made?.status !== 201) throw new Error(`The endpoint was refused: ${JSON.stringify(made)}`)
  const env = {
    PAYROLL_DATABASE: JSON.stringify({ ...database, ssl: false }),
    PAYROLL_PORT: String(port),
    PAYROLL_SECRET: String(made.body['secret']),
  }
  let child: Child | undefined
  return {
    url,
    database,
    async start() {
      child = startChild(['examples/payroll/src/main.ts'], env, join(folder, 'payroll.log'))
      await waitUntil(async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok === true, 20_000, 'payroll to be ready')
    },
    kill: async () => child?.kill(),
    async stop() {
      await child?.stop()
      await postgres.stop()
    },
    async query<Row>(text: string) {
      const client = new Client({ ...database, ssl: false })
      await client.connect()
      try {
        return (await client.query(text)).rows as Row[]
      } finally {
        await client.end()
      }
    },
  }
}
