import { compensationChanged } from '@tenure/contract'
import { createReceiver } from '@tenure/receiver'
import { createInboxTable, onceInPostgres } from '@tenure/receiver/postgres'
import { Pool } from 'pg'
import type { Database } from '../../server/src/database/database.ts'
import { createEgress, type Egress } from '../../server/src/delivery/egress/send.ts'
import { type DeliverySite, LOOPBACK, openDeliverySite, tester } from '../../server/src/delivery/testing/delivery-site.ts'
import { type Received, type Reply, startReceiver } from '../../server/src/delivery/testing/receiver.ts'
import { type Change, inChange } from '../../server/src/events/change.ts'
import { emit } from '../../server/src/events/emit.ts'
import type { HandOver } from '../../server/src/events/hand-over.ts'
import { newId } from '../../server/src/kit/ids.ts'
import { seeded } from './nemesis.ts'
import { type Effect, type LoggedEvent, type Reconciliation, reconcile } from './reconcile.ts'

/** What is put in the place of a part that works. Left out, everything works. */
export type Bug = {
  readonly database?: (real: Database) => Database
  readonly send?: (real: Egress['send']) => Egress['send']
  /** Handed-over deliveries never arrive at the dispatcher. */
  readonly losesHandOver?: boolean
  /** Nobody looks for what is due: what was not handed over is not sent. */
  readonly neverLooks?: boolean
  /** The receiver does not remember what it has processed. */
  readonly forgets?: boolean
  /** A change is rolled back after its events were handed over. */
  readonly handsOverBeforeCommit?: boolean
}

const EMPLOYEES = 6
const EVENTS_EACH = 5
const LOOKS = 40

/**
 * Two dispatchers, a receiver of the SDK that fails before or after its work one time in three, and a platform in which one
 * thing is broken; then the events of the log are held against the effects, as the proofs do it.
 */
export async function runBroken(bug: Bug, seed = 1): Promise<Reconciliation> {
  const site = await openDeliverySite()
  const http = await startReceiver()
  const pool = new Pool({ ...site.database.admin, max: 8 })
  const egress = createEgress({ policy: LOOPBACK })
  try {
    const { secret } = await site.addEndpoint(http, { event_types: ['compensation.changed'] })
    http.answer(await paying(pool, secret, bug, seeded(seed)))
    const options = {
      database: bug.database?.(site.database) ?? site.database,
      egress: { send: bug.send?.(egress.send) ?? egress.send },
      perEndpoint: 8,
    }
    const dispatchers = [site.dispatcher(options), site.dispatcher(options)] as const
    await tellAll(site, dispatchers[0].handOver, bug)
    for (let looks = 0; looks < LOOKS; looks++) {
      if (!bug.neverLooks) await Promise.all(dispatchers.map((dispatcher) => dispatcher.dispatchOnce()))
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.idle()))
      if ((await site.deliveries("state = 'pending'")).length === 0) break
      await site.makeDue()
    }
    const log = await site.sql<LoggedEvent>('select id, type, employee_id, sequence::int as sequence from event order by position')
    const effects = await site.sql<Effect>('select event_id, employee_id, sequence from effect order by position')
    return reconcile(log, (type) => type === 'compensation.changed', effects)
  } finally {
    await http.close()
    await site.stopDispatchers()
    await egress.close()
    await pool.end()
    await site.close()
  }
}

async function paying(pool: Pool, secret: string, { forgets }: Bug, chance: () => number): Promise<(received: Received) => Promise<Reply>> {
  await createInboxTable(pool)
  await pool.query('create table effect (position bigserial, event_id text, employee_id text, sequence int)')
  const insert = 'insert into effect (event_id, employee_id, sequence) values ($1, $2, $3)'
  const receiver = forgets
    ? createReceiver({ secret }).onAny(({ id, employee_id, sequence }) => pool.query(insert, [id, employee_id, sequence]))
    : createReceiver({ secret, once: onceInPostgres(pool) }).onAny(({ id, employee_id, sequence }, { tx }) =>
        tx.query(insert, [id, employee_id, sequence]),
      )
  return async ({ headers, body }) => {
    const luck = chance()
    if (luck < 0.2) return 503
    const { status } = await receiver.handle({ headers, body: Buffer.from(body) })
    return luck < 0.35 ? 503 : status
  }
}

/** Several changes of several employees: one event each at a time, handed over in part. */
async function tellAll(site: DeliverySite, real: HandOver, bug: Bug): Promise<void> {
  const employees = await addEmployees(site)
  const handOver = bug.losesHandOver ? { ...real, accept: () => {} } : real
  const tell = (change: Change) => {
    for (const employeeId of employees) emit(change, compensationChanged, { data: compensationChanged.example, personId: null, employeeId })
  }
  for (let told = 0; told < EVENTS_EACH; told++) {
    await site.change(async (change) => tell(change), told % 2 === 0 ? { handOver } : {})
  }
  if (!bug.handsOverBeforeCommit) return
  const ground = { ...site.ground, database: withoutWaitingForCommit(site.database), handOver }
  await inChange(ground, site.tenantId, tester, async (change) => {
    emit(change, compensationChanged, { data: compensationChanged.example, personId: null, orderKey: 'nobody' })
    await change.tx.scope.flush()
    throw new Error('rolled back')
  }).catch(() => {})
}

async function addEmployees(site: DeliverySite): Promise<string[]> {
  const employees = Array.from({ length: EMPLOYEES }, () => newId('emp'))
  for (const id of employees) {
    await site.sql("insert into person (tenant_id, id) values ($1, 'per_' || $2)", [site.tenantId, id])
    await site.sql("insert into employee (tenant_id, id, person_id, employee_number) values ($1, $2, 'per_' || $2, $2)", [
      site.tenantId,
      id,
    ])
  }
  return employees
}

function withoutWaitingForCommit(real: Database): Database {
  return {
    ...real,
    withTenant: (tenantId, work) =>
      real.withTenant(tenantId, (tx) => {
        tx.scope.afterCommit = (hook) => hook()
        return work(tx)
      }),
  }
}

/**
 * An attempt outlives its lease, another process makes the next one, and then the first is answered 410, which would end the
 * endpoint. Answers the state in which the employee's deliveries end.
 */
export async function settleLate({ database }: Pick<Bug, 'database'>): Promise<string[]> {
  const site = await openDeliverySite()
  const http = await startReceiver()
  try {
    const answers: ((status: number) => void)[] = []
    http.answer(() => new Promise((resolve) => answers.push(resolve)))
    await site.addEndpoint(http)
    const options = database ? { database: database(site.database) } : {}
    const [slow, next] = [site.dispatcher(options), site.dispatcher(options)]
    await site.emit(['a.1', 'a.2'], { handOver: slow.handOver })
    await http.arrived(1)
    await site.makeDue()
    await next.dispatchOnce()
    await http.arrived(2)
    answers[0]?.(410)
    await slow.idle()
    http.answer(200)
    answers[1]?.(200)
    await next.idle()
    await next.sweepOnce()
    return (await site.deliveries()).map(({ state }) => state)
  } finally {
    await http.close()
    await site.stopDispatchers()
    await site.close()
  }
}

/** A database in which one statement reads otherwise. The words have to be there, so that the fault is really put in. */
export function rewritten(statementName: string, words: string, others: string): (real: Database) => Database {
  return (real) => ({
    ...real,
    asWorker(statement, values) {
      if (statement.name !== statementName) return real.asWorker(statement, values)
      if (!statement.text.includes(words)) throw new Error(`'${statementName}' does not say '${words}' any more.`)
      return real.asWorker({ name: `broken-${statementName}`, text: statement.text.replace(words, others) }, values)
    },
  })
}
