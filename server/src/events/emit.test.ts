import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { API_VERSION, CATALOGUE, candidateCreated, webhookTest } from '@tenure/contract'
import { asAdmin } from '../database/test-database.ts'
import { newId } from '../kit/ids.ts'
import { open } from '../privacy/sealed-value.ts'
import type { Change } from './change.ts'
import { emit, touchEmployee } from './emit.ts'
import { eventPlace } from './flush-events.ts'
import { createTestGround, emitExample, emitTest, type TestGround } from './test-ground.ts'

describe('emitting an event', () => {
  let world: TestGround
  let tenantId: string
  before(async () => {
    world = await createTestGround()
    tenantId = await world.createTenant()
  })
  after(() => world.close())

  const refused = async (work: (change: Change) => void, expected: RegExp) => {
    const before = (await world.events(tenantId)).length
    await assert.rejects(
      world.change(tenantId, async (change) => work(change)),
      (error: Error) => {
        assert.match(error.message, expected)
        assert.ok(!error.message.includes('canary'), error.message)
        return true
      },
    )
    assert.equal((await world.events(tenantId)).length, before)
  }

  it('takes the example of every type of the catalogue, and stores it whole', async () => {
    const employeeId = await world.createEmployee(tenantId)
    await world.change(tenantId, async (change) => {
      for (const definition of CATALOGUE) emitExample(change, definition as never, employeeId)
    })
    const events = (await world.events(tenantId)).filter(({ employee_id }) => employee_id === employeeId)
    assert.deepEqual(
      events.map(({ type, data }) => ({ type, data })),
      CATALOGUE.map(({ type, example }) => ({ type, data: example })),
    )
    for (const { api_version, source, actor, correlation_id } of events) {
      assert.equal(api_version, API_VERSION)
      assert.equal(source, 'test')
      assert.deepEqual(actor, { type: 'system', id: 'test' })
      assert.equal(correlation_id, events[0]?.correlation_id)
    }
  })

  it('refuses a payload that does not fit its schema before anything is written, and does not quote it', async () => {
    const bad: unknown[] = [
      { ...candidateCreated.example, unknown_field: 'canary' },
      { candidate: candidateCreated.example.candidate },
      { ...candidateCreated.example, person: { given_name: 7, family_name: 'canary' } },
      {
        ...candidateCreated.example,
        person: { ...candidateCreated.example.person, national_id: { country: 'DE', type: 'canary', value: 'canary' } },
      },
      { ...candidateCreated.example, person: { ...candidateCreated.example.person, birth_date: 'canary' } },
      {},
      null,
    ]
    for (const data of bad)
      await refused(
        (change) => emit(change, candidateCreated, { data: data as never, personId: null }),
        /^The payload of candidate.created does not fit its schema at \//,
      )
  })

  it('refuses a type that the catalogue does not have', async () => {
    const emission = { data: {} as never, personId: null }
    await refused(
      (change) => emit(change, { type: 'employee.unknown' as never }, emission),
      /^The catalogue has no event type 'employee.unknown'/,
    )
  })

  it('refuses an event of an employee that does not exist, or whose person has lost the key', async () => {
    await refused((change) => emitTest(change, 'x', { employeeId: newId('emp') }), /names an employee that does not exist/)
    await refused(
      (change) => emit(change, webhookTest, { data: { endpoint_id: newId('end'), message: 'x' }, personId: 'per_gone' }),
      /The key that would seal an event is gone/,
    )
  })

  it('seals the body under the key of its person, for its own row', async () => {
    const { database, ground } = world
    const personId = newId('per')
    await database.withTenant(tenantId, (tx) => ground.vault.createPersonKeys(tx, [personId]))
    await world.change(tenantId, async (change) =>
      emit(change, candidateCreated, { data: candidateCreated.example, personId, orderKey: 'can_x' }),
    )
    const { rows } = await asAdmin(database.admin, (client) => client.query('select id, body from event where person_id = $1', [personId]))
    const [{ id, body }] = rows as [{ id: string; body: Buffer }]
    assert.ok(!body.includes(candidateCreated.example.person.family_name))
    await database.withTenant(tenantId, async (tx) => {
      const key = (await ground.vault.personKeys(tx, [personId])).get(personId)!
      assert.equal(JSON.parse(open(key, eventPlace(tenantId, id), body).toString()).id, id)
      assert.throws(() => open(key, eventPlace(tenantId, newId('evt')), body))
      const tenantKey = await ground.vault.tenantKey(tx)
      assert.throws(() => open(tenantKey, eventPlace(tenantId, id), body))
    })
    // Its reader in this test opens with the tenant's key alone.
    await asAdmin(database.admin, async (client) => {
      await client.query('delete from event where person_id = $1', [personId])
    })
  })

  it('writes nothing when the change is silent, and still raises the version of what it touched', async () => {
    const employeeId = await world.createEmployee(tenantId)
    const version = async () => {
      const { rows } = await asAdmin(world.database.admin, (client) =>
        client.query('select version, event_sequence::int from employee where id = $1', [employeeId]),
      )
      return rows[0]
    }
    const before = (await world.events(tenantId)).length
    await world.change(
      tenantId,
      async (change) => {
        emitTest(change, 'x', { employeeId })
        touchEmployee(change, employeeId)
      },
      { silent: true },
    )
    assert.deepEqual(await version(), { version: 2, event_sequence: 0 })
    assert.equal((await world.events(tenantId)).length, before)
    await world.change(tenantId, async (change) => {
      touchEmployee(change, employeeId)
      emitTest(change, 'x', { employeeId })
      emitTest(change, 'y', { employeeId })
    })
    assert.deepEqual(await version(), { version: 3, event_sequence: 2 }, 'once for each change, however many events it has')
  })

  it('carries what caused it, and the change set that it belongs to', async () => {
    await world.change(
      tenantId,
      async (change) => emitTest(change, 'caused', { correlationId: 'chg_earlier', timestamp: new Date('2026-01-02T03:04:05Z') }),
      {
        causationId: 'evt_cause',
      },
    )
    const event = (await world.events(tenantId)).at(-1)
    assert.equal(event?.causation_id, 'evt_cause')
    assert.equal(event?.correlation_id, 'chg_earlier')
    assert.equal(event?.timestamp, '2026-01-02T03:04:05.000Z')
    assert.equal(event?.sequence, null)
  })
})
