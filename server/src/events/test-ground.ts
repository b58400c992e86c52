import { randomBytes } from 'node:crypto'
import { type EventMap, type EventType, webhookTest } from '@tenure/contract'
import { type Actor, systemActor } from '../access/actor.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { createBareTenant } from '../database/test-tenant.ts'
import { newId } from '../kit/ids.ts'
import { open, seal } from '../privacy/sealed-value.ts'
import { createVault } from '../privacy/vault.ts'
import { type Change, type ChangeOptions, type Ground, inChange } from './change.ts'
import { type Emission, emit } from './emit.ts'
import { eventPlace } from './flush-events.ts'
import type { HandOver, Lane, ReadyDelivery } from './hand-over.ts'
import type { StoredEvent } from './stored-event.ts'

export type EndpointSeed = { readonly types?: readonly string[]; readonly state?: 'active' | 'paused' | 'disabled' }

export type DeliveryRow = {
  readonly id: string
  readonly endpoint_id: string
  readonly order_key: string
  readonly event_id: string
  readonly previous_event_id: string | null
  readonly state: string
  readonly lease_epoch: number
  readonly attempts: number
  readonly lease_until: Date | null
  readonly due_in_ms: number
}

/** Tenants, employees and endpoints written past the commands, for tests of what events themselves promise. */
export type TestGround = {
  readonly database: TestDatabase
  readonly ground: Ground
  readonly actor: Actor
  createTenant(): Promise<string>
  createEmployee(tenantId: string): Promise<string>
  createEndpoint(tenantId: string, seed?: EndpointSeed): Promise<string>
  change<Result>(
    tenantId: string,
    work: (change: Change) => Promise<Result>,
    options?: ChangeOptions & { handOver?: HandOver },
  ): Promise<Result>
  events(tenantId: string): Promise<StoredEvent[]>
  deliveries(tenantId: string): Promise<DeliveryRow[]>
  close(): Promise<void>
}

export async function createTestGround(): Promise<TestGround> {
  const database = await createTestDatabase({ connections: 24 })
  const vault = createVault([{ id: 'root-1', secret: randomBytes(32) }])
  const actor = systemActor('test', 'test')
  const ground: Ground = { database, vault }
  const write = (text: string, values: unknown[]) => asAdmin(database.admin, (client) => client.query(text, values))
  return {
    database,
    ground,
    actor,
    async createTenant() {
      const tenantId = await createBareTenant(database)
      await database.withTenant(tenantId, (tx) => vault.createTenantKey(tx))
      return tenantId
    },
    async createEmployee(tenantId) {
      const [id, personId] = [newId('emp'), newId('per')]
      await write('insert into person (tenant_id, id) values ($1, $2)', [tenantId, personId])
      await write('insert into employee (tenant_id, id, person_id, employee_number) values ($1, $2, $3, $2)', [tenantId, id, personId])
      return id
    },
    async createEndpoint(tenantId, { types = ['*'], state = 'active' } = {}) {
      const id = newId('end')
      const key = await database.withTenant(tenantId, (tx) => vault.tenantKey(tx))
      const secret = seal(key, { tenantId, table: 'endpoint', column: 'secret', row: id }, 'whsec_x')
      await write(
        `insert into endpoint (tenant_id, id, name, url, event_types, detail, grants, state, secret, created_by) values ($1, $2, 'x', 'https://x', $3, 'full', '{}', $4, $5, 'test')`,
        [tenantId, id, types, state, secret],
      )
      return id
    },
    change: (tenantId, work, { handOver, ...options } = {}) =>
      inChange(handOver ? { ...ground, handOver } : ground, tenantId, actor, work, options),
    events: (tenantId) =>
      database.withTenant(tenantId, async (tx) => {
        const rows = await tx.selectFrom('event').select(['id', 'body']).orderBy('position').execute()
        const key = await vault.tenantKey(tx)
        return rows.map(({ id, body }) => JSON.parse(open(key, eventPlace(tenantId, id), body).toString()) as StoredEvent)
      }),
    async deliveries(tenantId) {
      const text = `select d.*, (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as due_in_ms from delivery d where tenant_id = $1 order by event_position, endpoint_id`
      return (await write(text, [tenantId])).rows as DeliveryRow[]
    },
    close: () => database.drop(),
  }
}

type Extra = Partial<Omit<Emission<'webhook.test'>, 'data' | 'personId'>>

/** Emits an event that says nothing, for an employee or for nobody. */
export function emitTest(change: Change, message: string, extra: Extra = {}): void {
  emit(change, webhookTest, { data: { endpoint_id: newId('end'), message }, personId: null, ...extra })
}

/** Emits the example of a type of the catalogue as an event of an employee. */
export function emitExample<Type extends EventType>(
  change: Change,
  definition: { type: Type; example: EventMap[Type] },
  employeeId: string,
): void {
  emit(change, definition, { data: definition.example, personId: null, employeeId })
}

type TestHandOver = HandOver & { readonly accepted: ReadyDelivery[]; readonly dues: number[]; readonly lanes: Lane[] }

/** A hand-over that takes up to `places` deliveries, and remembers them. */
export function createTestHandOver(places: number): TestHandOver {
  const accepted: ReadyDelivery[] = []
  const dues: number[] = []
  const lanes: Lane[] = []
  return {
    accepted,
    dues,
    lanes,
    leaseSeconds: 30,
    room: () => places - accepted.length,
    accept: (deliveries) => void accepted.push(...deliveries),
    due: () => void dues.push(1),
    waiting: (behind) => void lanes.push(...behind),
  }
}
