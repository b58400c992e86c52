import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pool } from 'pg'
import { PAGE_POLICY, renderPage } from './page.ts'
import { listLastEffects, readLastSequences, readReconciliation } from './read-reconciliation.ts'
import { listRecords, type RecordFilter, readRecord, totalRecords } from './read-records.ts'
import type { RequestLog } from './request-log.ts'

export type Reading = { readonly pool: Pool; readonly requestLog: RequestLog }

/** Everything but the webhooks: what payroll holds, for people and for programs. Read only. */
export async function answerRequest(reading: Reading, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://payroll')
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendProblem(response, 405, 'This is read with GET.')
  if (!isSameHost(request)) return sendProblem(response, 421, 'This host name is not one of this server.')
  if (!url) return sendProblem(response, 400, 'This address cannot be read.')
  const { pathname, searchParams } = url
  if (pathname === '/') return sendPage(reading, searchParams, response)
  if (pathname === '/health') return sendHealth(reading, response)
  if (pathname === '/records') return sendRecords(reading, searchParams, response)
  if (pathname.startsWith('/records/')) return sendRecord(reading, pathname.slice('/records/'.length), response)
  if (pathname === '/reconciliation') return sendReconciliation(reading, searchParams, response)
  sendProblem(response, 404, 'There is nothing here.')
}

/** A web page whose name is pointed at this machine would read salaries through its visitor's browser; it comes with that name. */
function isSameHost({ socket, headers: { host = '' } }: IncomingMessage): boolean {
  const isLoopback = /^(::ffff:)?127\.|^::1$/.test(socket.localAddress ?? '')
  return !isLoopback || /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)
}

async function sendHealth({ pool }: Reading, response: ServerResponse): Promise<void> {
  const healthy = await pool.query('select 1').then(
    () => true,
    () => false,
  )
  sendJson(response, healthy ? 200 : 503, { status: healthy ? 'ok' : 'the database does not answer' })
}

async function sendRecords({ pool }: Reading, search: URLSearchParams, response: ServerResponse): Promise<void> {
  const filter = readFilter(search)
  if (typeof filter === 'string') return sendProblem(response, 400, filter)
  const [page, totals] = await Promise.all([listRecords(pool, filter), totalRecords(pool, filter.asOf)])
  sendJson(response, 200, { ...page, as_of: filter.asOf, totals })
}

async function sendRecord({ pool }: Reading, path: string, response: ServerResponse): Promise<void> {
  const record = ID.test(path) ? await readRecord(pool, path) : undefined
  if (!record) return sendProblem(response, 404, 'There is no such record.')
  sendJson(response, 200, record)
}

async function sendReconciliation({ pool, requestLog }: Reading, search: URLSearchParams, response: ServerResponse): Promise<void> {
  await requestLog.flush()
  const [reconciliation, sequences] = await Promise.all([
    readReconciliation(pool),
    search.has('employees') ? readLastSequences(pool) : undefined,
  ])
  sendJson(response, 200, { ...reconciliation, ...(sequences ? { last_sequences: sequences } : {}) })
}

async function sendPage({ pool }: Reading, search: URLSearchParams, response: ServerResponse): Promise<void> {
  const filter = readFilter(search)
  if (typeof filter === 'string') return sendProblem(response, 400, filter)
  const [page, totals, effects] = await Promise.all([listRecords(pool, filter), totalRecords(pool, filter.asOf), listLastEffects(pool, 20)])
  const html = renderPage({ asOf: filter.asOf, records: page.data, next: page.next, totals, effects })
  response.writeHead(200, { ...SAFE, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY })
  response.end(html)
}

const ID = /^\w{1,100}$/

/** The filter, or what is wrong with it. */
function readFilter(search: URLSearchParams): RecordFilter | string {
  const asOf = search.get('as_of') ?? new Date().toISOString().slice(0, 10)
  if (!isDate(asOf)) return 'as_of is a date such as 2026-09-01.'
  const status = search.get('status')
  if (status !== null && status !== 'open' && status !== 'closed') return 'status is open or closed.'
  const limit = Number(search.get('limit') ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) return 'limit is a number from 1 to 1000.'
  const after = search.get('after')
  if (after !== null && !ID.test(after)) return 'after is the `next` of the page before.'
  return { asOf, status, after, limit }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '0001') return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

const SAFE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { ...SAFE, 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function sendProblem(response: ServerResponse, status: number, title: string): void {
  response.writeHead(status, { ...SAFE, 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ title, status }))
}

/** The answer to a request that went wrong here: the cause is for the log, not for the caller. */
export function sendFailure(response: ServerResponse): void {
  if (response.headersSent) response.destroy()
  else sendProblem(response, 500, 'Payroll could not answer.')
}
