import { setTimeout as sleep } from 'node:timers/promises'
import { publicField } from '@tenure/contract'
import Type from 'typebox'
import type { Database } from '../database/database.ts'
import type { RoutePlugin } from './route.ts'

/** Says in a sentence what keeps this process from working, or nothing. */
export type HealthCheck = () => Promise<string | undefined>

const PATIENCE_MS = 2_000

const Health = Type.Object({
  status: publicField(Type.Enum(['ok', 'not_ready'])),
  reasons: publicField(Type.Array(Type.String(), { description: 'What is wrong. Empty when all is well.' })),
})

/** `/health/live`: the process runs. `/health/ready`: it can do its work; a load balancer sends nothing while it cannot. */
export function healthRoutes(checks: readonly HealthCheck[]): RoutePlugin {
  return (app, { ground }) => {
    const all = [askDatabase(ground.database), ...checks]
    const schema = { tags: ['Health'], response: { 200: Health } }

    app.get('/health/live', { schema: { ...schema, operationId: 'getLiveness', summary: 'Whether the process runs' } }, async () => ({
      status: 'ok' as const,
      reasons: [],
    }))

    app.get(
      '/health/ready',
      {
        schema: {
          ...schema,
          operationId: 'getReadiness',
          summary: 'Whether the process can do its work',
          response: { 200: Health, 503: Health },
        },
      },
      async (_request, reply) => {
        const answers = await Promise.all(all.map(inTime))
        const reasons = answers.filter((reason) => reason !== undefined)
        if (reasons.length === 0) return { status: 'ok' as const, reasons }
        return reply
          .code(503)
          .header('retry-after', '2')
          .send({ status: 'not_ready' as const, reasons }) as never
      },
    )
  }
}

function askDatabase(database: Database): HealthCheck {
  return async () => {
    const answer = await database.ask({ name: 'health', text: 'select 1' }).catch(() => undefined)
    return answer ? undefined : 'The database cannot be reached.'
  }
}

/** A check that hangs is one that fails. What it throws is for the log of whoever wrote it, not for the answer. */
async function inTime(check: HealthCheck): Promise<string | undefined> {
  const ended = new AbortController()
  const late = sleep(PATIENCE_MS, 'A check did not answer in time.', { signal: ended.signal })
  try {
    return await Promise.race([check(), late])
  } catch {
    return 'A check failed.'
  } finally {
    ended.abort()
    late.catch(() => {})
  }
}
