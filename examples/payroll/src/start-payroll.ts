import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { nodeListener } from '@tenure/receiver/node'
import pg from 'pg'
import { answerRequest, sendFailure } from './answer-requests.ts'
import { handleEvents } from './handle-events.ts'
import { onceInBatches } from './once-in-batches.ts'
import { countAnswers, createRequestLog } from './request-log.ts'
import { createTables } from './tables.ts'

export type PayrollOptions = {
  /** A database of its own: an address, or what `pg` takes. */
  readonly database: string | pg.PoolConfig
  /** 0 takes a free one. */
  readonly port: number
  /** `whsec_…`. While the endpoint's secret is being replaced: the new and the old one. */
  readonly secrets: readonly string[]
  /** 127.0.0.1 by default: there is no login. */
  readonly host?: string
  readonly log?: (line: LogLine) => void
}

export type LogLine = { readonly level: 'error'; readonly message: string; readonly [field: string]: unknown }

export type Payroll = {
  readonly url: string
  readonly port: number
  /** Answers what has arrived, then lets go of the port and the database. */
  stop(): Promise<void>
}

const FLUSH_EVERY_MS = 1_000
const PRUNE_EVERY_MS = 86_400_000

/** Starts the payroll system: its tables, its server, its clean-up. */
export async function startPayroll({ database, port, secrets, host = '127.0.0.1', log = () => {} }: PayrollOptions): Promise<Payroll> {
  const pool = openPool(database)
  const report = (message: string) => (error: unknown, event?: { readonly id: string; readonly type: string }) =>
    log({ level: 'error', message, ...describeError(error), ...(event ? { event_id: event.id, event_type: event.type } : {}) })
  // A pool without this listener ends the process when the database restarts.
  pool.on('error', (error) => report('an idle database connection was lost')(error))
  try {
    await createTables(pool)
    const inbox = onceInBatches(pool)
    const requestLog = createRequestLog(pool)
    const receiver = handleEvents({ secrets, once: inbox, onError: report('an event could not be processed') })
    const receiveWebhook = nodeListener(countAnswers(receiver, requestLog))
    const server = createServer((request, response) => {
      if (request.url === '/webhooks') {
        requestLog.count('received')
        return receiveWebhook(request, response)
      }
      answerRequest({ pool, requestLog }, request, response).catch((error: unknown) => {
        report('a request could not be answered')(error)
        sendFailure(response)
      })
    })
    await listen(server, port, host)
    const timers = [
      setInterval(() => requestLog.flush().catch(report('requests could not be counted')), FLUSH_EVERY_MS),
      setInterval(() => inbox.prune().catch(report('the inbox could not be pruned')), PRUNE_EVERY_MS),
    ]
    const address = server.address() as { port: number }
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
      port: address.port,
      async stop() {
        for (const timer of timers) clearInterval(timer)
        await close(server)
        await requestLog.flush().catch(report('requests could not be counted'))
        await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

function openPool(database: string | pg.PoolConfig): pg.Pool {
  const given = typeof database === 'string' ? { connectionString: database } : database
  return new pg.Pool({ max: 16, application_name: 'payroll', connectionTimeoutMillis: 10_000, keepAlive: true, ...given })
}

/** Longer than a sender keeps an idle connection: who closes second never writes into a closed one. */
const IDLE_MS = 120_000

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.keepAliveTimeout = IDLE_MS
  server.listen(port, host)
  await once(server, 'listening')
}

/** Connections that a sender keeps open would hold `close` up; each is let go as soon as nothing is under way on it. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  const sweep = setInterval(() => server.closeIdleConnections(), 20)
  const end = setTimeout(() => server.closeAllConnections(), 10_000)
  await closed
  clearInterval(sweep)
  clearTimeout(end)
}

/** Without `detail`: PostgreSQL puts the values of the row there, and salaries do not belong into a log. */
function describeError(error: unknown): { readonly error: string; readonly code?: unknown } {
  if (!(error instanceof Error)) return { error: String(error) }
  return { error: error.message, ...('code' in error ? { code: error.code } : {}) }
}
