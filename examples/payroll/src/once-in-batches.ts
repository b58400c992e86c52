import { type Inbox, type InboxEvent, InProgress } from '@tenure/receiver'
import { onceInPostgres, type PostgresInbox } from '@tenure/receiver/postgres'
import type { Pool, PoolClient } from 'pg'

type Work = Parameters<Inbox<PoolClient>['process']>[1]
type Waiting = { readonly event: InboxEvent; readonly work: Work; readonly settle: PromiseWithResolvers<'processed' | 'duplicate'> }

/** Transactions at a time. More of them make smaller batches: three did most on two cores. */
const LANES = 3
const BATCH_SIZE = 64

/**
 * The SDK's inbox for a backlog: what arrives while the lanes are busy is done together, in one transaction, for a third of
 * the statements and of the waits for the disk. The promises are kept by the SDK: an event that is alone goes there, and so
 * does each event of a batch that failed, so that a bad event fails by itself. `work` may therefore run twice, the first time undone.
 */
export function onceInBatches(pool: Pool): PostgresInbox<PoolClient> {
  const alone = onceInPostgres(pool)
  const waiting: Waiting[] = []
  let running = 0

  const processAlone = ({ event, work, settle }: Waiting) => alone.process(event, work).then(settle.resolve, settle.reject)
  const processBatch = async (batch: readonly Waiting[]) => {
    const [first] = batch
    if (first && batch.length === 1) return processAlone(first)
    const fresh = await processTogether(pool, batch).catch(() => undefined)
    if (!fresh) return void (await Promise.all(batch.map(processAlone)))
    for (const { event, settle } of batch) settle.resolve(fresh.has(event.id) ? 'processed' : 'duplicate')
  }
  const fillLanes = () => {
    while (running < LANES && waiting.length > 0) {
      running++
      processBatch(takeBatch(waiting)).finally(() => {
        running--
        fillLanes()
      })
    }
  }
  return {
    process(event, work) {
      const settle = Promise.withResolvers<'processed' | 'duplicate'>()
      waiting.push({ event, work, settle })
      fillLanes()
      return settle.promise
    },
    prune: alone.prune,
  }
}

/** The next events, each id once: a second delivery of one is sent away, and comes again when the first is done. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const ids = new Set<string>()
  return waiting.splice(0, BATCH_SIZE).filter(({ event, settle }) => {
    if (ids.has(event.id)) settle.reject(new InProgress())
    return ids.size < ids.add(event.id).size
  })
}

/** In the order of the ids, so that two processes with the same events wait for each other and never both. */
const REMEMBER = `
  insert into tenure_inbox (id, type, employee_id, sequence)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as event (id, type, employee_id, sequence) order by id
  on conflict (id) do nothing returning id`

/** Remembers all and does what is new, or nothing at all. Answers the ids that were new. */
async function processTogether(pool: Pool, batch: readonly Waiting[]): Promise<Set<string>> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query('begin isolation level read committed')
    const fresh = await remember(client, batch)
    // One after the other: a handler that makes several statements has them for itself.
    for (const { event, work } of batch) if (fresh.has(event.id)) await work(client)
    const { command } = await client.query('commit')
    if (command !== 'COMMIT') throw new Error('A statement of a handler failed and was not passed on.')
    return fresh
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken ??= rollbackError
    })
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

async function remember(client: PoolClient, batch: readonly Waiting[]): Promise<Set<string>> {
  const events = batch.map(({ event }) => event)
  const columns = [events.map(({ id }) => id), events.map(({ type }) => type), events.map(({ employeeId }) => employeeId)]
  const { rows } = await client.query<{ id: string }>({
    name: 'remember-events',
    text: REMEMBER,
    values: [...columns, events.map(({ sequence }) => sequence)],
  })
  return new Set(rows.map(({ id }) => id))
}
