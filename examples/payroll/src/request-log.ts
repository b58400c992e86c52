import type { Receiver, WebhookAnswer } from '@tenure/receiver'
import type { Pool, PoolClient } from 'pg'

/** What a request came to on the wire, told apart from what an event did. A duplicate is refused by the inbox: no second effect. */
type Answer = 'handled' | 'duplicate' | 'refused' | 'in_progress' | 'failed'

const ADD_COUNTS = `
  insert into request_count (answer, requests) select * from unnest($1::text[], $2::bigint[])
  on conflict (answer) do update set requests = request_count.requests + excluded.requests`

export type RequestLog = {
  /** Adds one, in memory: a row per request would cost as much as the effect. */
  count(answer: Answer | 'received'): void
  /** Adds what was counted to the table. A process that is killed loses what came since the last time, a second at most. */
  flush(): Promise<void>
}

export function createRequestLog(pool: Pool): RequestLog {
  let counts = new Map<string, number>()
  const add = (answer: string, requests = 1) => counts.set(answer, (counts.get(answer) ?? 0) + requests)
  return {
    count: (answer) => void add(answer),
    async flush() {
      if (counts.size === 0) return
      const flushed = counts
      counts = new Map()
      try {
        await pool.query({ name: 'add-counts', text: ADD_COUNTS, values: [[...flushed.keys()], [...flushed.values()]] })
      } catch (error) {
        for (const [answer, requests] of flushed) add(answer, requests)
        throw error
      }
    },
  }
}

/** The receiver, with its answers counted. */
export function countAnswers(receiver: Receiver<PoolClient>, requestLog: RequestLog): Receiver<PoolClient> {
  return {
    ...receiver,
    async handle(request) {
      const answer = await receiver.handle(request)
      requestLog.count(kindOf(answer))
      return answer
    },
  }
}

function kindOf({ status, body }: WebhookAnswer): Answer {
  if (status === 200) return 'duplicate' in JSON.parse(body) ? 'duplicate' : 'handled'
  if (status === 409) return 'in_progress'
  return status < 500 ? 'refused' : 'failed'
}
