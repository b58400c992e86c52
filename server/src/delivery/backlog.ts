import type { Database } from '../database/database.ts'
import type { Statement } from '../database/tenant-transaction.ts'
import { BUSY_ENDPOINTS } from './claim-deliveries.ts'

const COUNTED_PER_ENDPOINT = 10_000

const BACKLOG: Statement = {
  name: 'delivery-backlog',
  text: `
    with recursive ${BUSY_ENDPOINTS}, due as (
      select c.due, c.oldest from busy b
        join endpoint e on e.tenant_id = b.tenant_id and e.id = b.endpoint_id and e.state = 'active'
       cross join lateral (
         select count(*) as due, min(n.due_at) as oldest from (
           select d.due_at from delivery d
            where d.tenant_id = b.tenant_id and d.endpoint_id = b.endpoint_id and d.state = 'pending' and d.event_position > 0 and d.due_at <= now()
            order by d.due_at limit ${COUNTED_PER_ENDPOINT}) n) c
    )
    select coalesce(sum(due), 0)::float8 as due, coalesce(extract(epoch from now() - min(oldest)), 0)::float8 as "oldestDueSeconds" from due`,
}

/** How many deliveries are due (at most 10,000 of each endpoint are counted), and for how long the oldest has been. */
export async function readBacklog(database: Database): Promise<{ due: number; oldestDueSeconds: number }> {
  const [row] = await database.asWorker<{ due: number; oldestDueSeconds: number }>(BACKLOG)
  return row ?? { due: 0, oldestDueSeconds: 0 }
}
