import { randomBytes } from 'node:crypto'
import { candidateCreated, type EventMap } from '@tenure/contract'
import { type Actor, systemActor } from '../../access/actor.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../../database/test-database.ts'
import { type Change, type Ground, inChange } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import type { HandOver } from '../../events/hand-over.ts'
import { systemClock } from '../../kit/clock.ts'
import { newId } from '../../kit/ids.ts'
import { createLog } from '../../kit/log.ts'
import { createVault } from '../../privacy/vault.ts'
import { createDispatcher, type Dispatcher, type DispatcherOptions } from '../dispatcher.ts'
import { createEgress, type EgressOptions } from '../egress/send.ts'
import { createEndpoint } from '../endpoints/create-endpoint.ts'
import type { CreateEndpoint } from '../endpoints/inputs.ts'
import type { TestReceiver } from './receiver.ts'

export const LOOPBACK = { allowedPrivate: [], extraPorts: [], loopbackPorts: 'any' } as const
export const tester: Actor = systemActor('test', 'test')

export type DeliveryRow = {
  id: string
  event_id: string
  event_type: string
  endpoint_id: string
  state: string
  attempts: number
  failures: number
  failure: string | null
  lease_epoch: number
  lease_until: Date | null
  wait_seconds: number
}
export type AttemptRow = {
  delivery_id: string
  number: number
  outcome: string
  status: number | null
  duration_ms: number | null
  exchange: Buffer | null
}

/** One tenant with real endpoints, a real database and a real way out, for tests of delivery. */
export type DeliverySite = Awaited<ReturnType<typeof openDeliverySite>>

export async function openDeliverySite({ connections = 6 }: { connections?: number } = {}) {
  const database: TestDatabase = await createTestDatabase({ connections })
  const rootKey = { id: 'root-1', secret: randomBytes(32) }
  const vault = createVault([rootKey])
  const closing: (() => Promise<void>)[] = []
  const tenantId = await addTenant(database, vault)
  const ground: Ground = { database, vault }

  /** Looks past every policy at what was written. */
  const sql = <Row>(text: string, values: unknown[] = []) =>
    asAdmin(database.admin, async (client) => (await client.query(text, values)).rows as Row[])

  function dispatcher(options: Partial<DispatcherOptions> & { egressOptions?: Partial<EgressOptions> } = {}): Dispatcher {
    const { egressOptions, ...rest } = options
    const egress = createEgress({ policy: LOOPBACK, ...egressOptions })
    const made = createDispatcher({
      database,
      vault,
      egress,
      log: createLog('silent'),
      clock: systemClock,
      random: () => 0.5,
      endpointFreshMs: 0,
      ...rest,
    })
    closing.push(async () => {
      await made.stop()
      await egress.close()
    })
    return made
  }

  const change = <Result>(
    work: (change: Change) => Promise<Result>,
    { handOver, inTenant = tenantId }: { handOver?: HandOver; inTenant?: string } = {},
  ) => inChange(handOver ? { ...ground, handOver } : ground, inTenant, tester, work)

  return {
    ground,
    database,
    vault,
    tenantId,
    /** The vault of another process: the same keys, nothing remembered. */
    freshVault: () => createVault([rootKey]),
    sql,
    dispatcher,
    change,
    addTenant: () => addTenant(database, vault),
    addEndpoint: (receiver: Pick<TestReceiver, 'url'>, input: Partial<CreateEndpoint> = {}, inTenant = tenantId) =>
      change((made) => createEndpoint(made, LOOPBACK, { name: 'test', url: receiver.url, event_types: ['*'], ...input }), { inTenant }),
    /** Emits one `candidate.created` for each name, in the order given, in one change: the name is the lane and the family name. */
    emit: (names: readonly string[], options: { handOver?: HandOver; inTenant?: string; personId?: string } = {}) =>
      change(async (made) => {
        for (const name of names) emitCandidate(made, name, options.personId ?? null)
      }, options),
    deliveries: (where = 'true') =>
      sql<DeliveryRow>(
        `select *, extract(epoch from due_at - clock_timestamp())::float8 as wait_seconds from delivery where ${where} order by event_position, endpoint_id`,
      ),
    attempts: () => sql<AttemptRow>('select * from attempt order by delivery_id, number'),
    /** Lets every wait and every lease run out. */
    makeDue: (where = 'true') =>
      sql(
        `update delivery set due_at = clock_timestamp(), lease_until = case when lease_until is not null then clock_timestamp() end where state = 'pending' and ${where}`,
      ),
    /** Stops every dispatcher that was made. Attempts that hang are cut off by closing their receiver first. */
    async stopDispatchers() {
      await Promise.all(closing.splice(0).map((close) => close()))
    },
    close: () => database.drop(),
  }
}

async function addTenant(database: TestDatabase, vault: Ground['vault']): Promise<string> {
  const tenantId = newId('ten')
  await database.withTenant(tenantId, async (tx) => {
    await tx.insertInto('tenant').values({ tenant_id: tenantId, name: 'Example', time_zone: 'Europe/Berlin' }).execute()
    await vault.createTenantKey(tx)
  })
  return tenantId
}

export function emitCandidate(change: Change, name: string, personId: string | null): void {
  const data: EventMap['candidate.created'] = {
    candidate: { ...candidateCreated.example.candidate },
    person: { ...candidateCreated.example.person, family_name: name },
  }
  emit(change, candidateCreated, { data, personId, orderKey: `lane_${name.split('.')[0]}` })
}

/** Dispatches until a look finds nothing and nothing is in flight. */
export async function drain(dispatcher: Dispatcher): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const found = await dispatcher.dispatchOnce()
    await dispatcher.idle()
    if (found === 0) return
  }
  throw new Error('There is always more to do.')
}
