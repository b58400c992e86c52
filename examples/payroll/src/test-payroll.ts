import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { EventMap } from '@tenure/receiver'
import { buildEvent, type SignedDelivery, signDelivery, testSecret } from '@tenure/receiver/testing'
import pg from 'pg'

export type TestDatabase = { readonly config: pg.ClientConfig; readonly pool: pg.Pool; drop(): Promise<void> }

/** A database of its own on the server that TEST_DATABASE_ADMIN names. */
export async function createDatabase(admin: pg.ClientConfig): Promise<TestDatabase> {
  const NAME = `payroll_${randomBytes(6).toString('hex')}`
  await asAdmin(admin, `create database ${NAME}`)
  const config = { ...admin, database: NAME }
  const pool = new pg.Pool({ ...config, max: 2 })
  return {
    config,
    pool,
    async drop() {
      await pool.end()
      // Without force: PostgreSQL waits for connections that are on their way out, and force would reach them as an error.
      await asAdmin(admin, `drop database if exists ${NAME}`)
    },
  }
}

async function asAdmin(admin: pg.ClientConfig, statement: string): Promise<void> {
  const client = new pg.Client(admin)
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

export const secret = testSecret()

const idOf = (prefix: string, number: number) => `${prefix}_${String(number).padStart(22, '0')}`

/** The events of one employee, each with the sequence after the one before. */
export function storyOf(number: number, person = { given_name: 'Ada', family_name: `Byron ${number}` }) {
  const employee_id = idOf('emp', number)
  const employment_id = idOf('ept', number)
  const employment = { id: employment_id, legal_entity_id: idOf('len', 1), employment_type: 'employee', start_date: '2020-02-01' } as const
  const assignment = { id: idOf('asg', number), employment_id, is_primary: true, title: 'Clerk' }
  const identity = { employee_id, employee_number: String(10_000 + number), person, tax_profile: { country: 'DE', form: 'elstam' } }
  const pay = (amount: string): EventMap['compensation.changed']['compensation'] => ({
    id: idOf('cmp', number),
    assignment_id: assignment.id,
    components: [{ kind: 'base', amount, currency: 'EUR', period: 'month' }],
    pay_frequency: 'monthly',
  })
  let sequence = 0
  let previous: string | null = null
  const next = (effective_date: string) => {
    const id = `evt_${randomBytes(11).toString('hex')}`
    const envelope = { id, employee_id, employment_id, effective_date, sequence: ++sequence, previous_event_id: previous }
    previous = id
    return envelope
  }
  return {
    employeeId: employee_id,
    employmentId: employment_id,
    started: () =>
      buildEvent('employment.started', { ...identity, employment, assignment, compensation: pay('4000.00') }, next(employment.start_date)),
    paid: (amount: string, from: string) => buildEvent('compensation.changed', { employee_id, compensation: pay(amount) }, next(from)),
    moved: (title: string, from: string) =>
      buildEvent('assignment.changed', { employee_id, assignment: { ...assignment, title } }, next(from)),
    renamed: (family_name: string) =>
      buildEvent('employee.updated', { ...identity, person: { ...person, family_name } }, next('2021-01-01')),
    ending: (end_date: string) =>
      buildEvent('employment.termination_scheduled', { employee_id, employment: { ...employment, end_date } }, next(end_date)),
    staying: () => buildEvent('employment.termination_cancelled', { employee_id, employment }, next('2021-01-01')),
    terminated: (end_date: string) =>
      buildEvent('employment.terminated', { employee_id, employment: { ...employment, end_date } }, next(end_date)),
  }
}

/** Sends a signed event as Tenure does and answers with status and body. Rejects when the connection breaks. */
export async function deliver(url: string, event: { readonly id: string }, signedWith: string = secret) {
  return post(url, await signDelivery(event, { secret: signedWith }))
}

export function post(url: string, { headers, body }: SignedDelivery): Promise<{ status: number; body: string }> {
  return send(`${url}/webhooks`, { method: 'POST', headers: { ...headers, 'content-length': String(body.length) } }, body)
}

/** A connection of its own each time, so that nothing outlives a server that is killed. */
export function send(url: string, options: { method?: string; path?: string; headers?: Record<string, string> }, body?: Uint8Array) {
  return new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const sent = request(url, { ...options, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: response.headers }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export async function readJson(url: string) {
  const { body } = await send(url, {})
  return JSON.parse(body)
}

/** Payroll as a process of its own, which may be killed. */
export async function spawnPayroll(database: pg.ClientConfig): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { ...process.env, PAYROLL_DATABASE: JSON.stringify(database), PAYROLL_SECRET: `${testSecret()} ${secret}`, PAYROLL_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await Promise.race([
    once(child.stdout!, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('payroll ended'))),
  ])
  return { child, url: `http://127.0.0.1:${JSON.parse(String(line)).listening}` }
}
