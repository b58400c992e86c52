import { randomBytes } from 'node:crypto'
import { systemActor } from '../../access/actor.ts'
import { createTestDatabase, type TestDatabase } from '../../database/test-database.ts'
import type { Change, Ground } from '../../events/change.ts'
import { inChange } from '../../events/change.ts'
import { definitionOf } from '../../events/definitions.ts'
import { eventPlace } from '../../events/flush-events.ts'
import type { StoredEvent } from '../../events/stored-event.ts'
import { newId } from '../../kit/ids.ts'
import { open } from '../../privacy/sealed-value.ts'
import { createVault } from '../../privacy/vault.ts'
import { createTenant } from '../organisation/create-tenant.ts'

/** A tenant in a database of its own, with a clock that the test moves. For tests only. */
export type Company = {
  readonly ground: Ground
  readonly database: TestDatabase
  readonly tenantId: string
  at(moment: string): void
  /** The ground as a process has it that has just started, and remembers no keys. */
  anotherProcess(): Ground
  change<Result>(work: (change: Change) => Promise<Result>): Promise<Result>
  /** All events in the order of the log, opened; those of one employee where one is named. */
  events(of?: { readonly employeeId: string }): Promise<StoredEvent[]>
  close(): Promise<void>
}

export async function createCompany({ timeZone = 'Europe/Berlin', now = '2026-06-15T10:00:00Z' } = {}): Promise<Company> {
  let moment = new Date(now)
  const database = await createTestDatabase({ clock: () => moment })
  const root = { id: 'root-1', secret: randomBytes(32) }
  const vault = createVault([root])
  const ground: Ground = { database, vault }
  const tenantId = newId('ten')
  const actor = systemActor('test', 'test')
  await createTenant(ground, { tenantId, name: 'Example', timeZone, country: 'DE' })
  return {
    ground,
    database,
    tenantId,
    at(text) {
      moment = new Date(text)
    },
    anotherProcess: () => ({ database, vault: createVault([root]) }),
    change: (work) => inChange(ground, tenantId, actor, work),
    events: (of) =>
      database.withTenant(tenantId, async (tx) => {
        const all = tx.selectFrom('event').select(['id', 'person_id', 'body', 'type']).orderBy('position')
        const rows = await (of ? all.where('employee_id', '=', of.employeeId) : all).execute()
        const keys = await vault.personKeys(
          tx,
          rows.flatMap(({ person_id }) => person_id ?? []),
        )
        const tenantKey = await vault.tenantKey(tx)
        return rows.map(({ id, person_id, body, type }) => {
          definitionOf(type)
          return JSON.parse(open(person_id ? keys.get(person_id)! : tenantKey, eventPlace(tenantId, id), body).toString()) as StoredEvent
        })
      }),
    close: () => database.drop(),
  }
}
