import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CATALOGUE } from '@tenure/contract'
import { asAdmin } from '../database/test-database.ts'
import type { DeliveryRow, TestGround } from './test-ground.ts'
import { createTestGround, createTestHandOver, emitExample, emitTest } from './test-ground.ts'

describe('the fan-out of events', () => {
  let world: TestGround
  before(async () => {
    world = await createTestGround()
  })
  after(() => world.close())

  const settle = (id: string) =>
    asAdmin(world.database.admin, (client) =>
      client.query(`update delivery set state = 'delivered', settled_at = now() where id = $1`, [id]),
    )
  const idsOf = (rows: readonly DeliveryRow[], endpoint: string) =>
    rows.filter(({ endpoint_id }) => endpoint_id === endpoint).map(({ event_id }) => event_id)

  it('gives each event one delivery for each endpoint that wants its type: by name, by subject, by all', async () => {
    const tenantId = await world.createTenant()
    const employeeId = await world.createEmployee(tenantId)
    const wants: Record<string, string> = {}
    const lists = [
      ['*'],
      ['employment.*'],
      ['employment.started'],
      ['employment.*', '*', 'employment.started'],
      ['candidate.*', 'webhook.test'],
      ['employ.*'],
      ['started'],
    ]
    for (const types of lists) wants[await world.createEndpoint(tenantId, { types })] = types.join()
    await world.change(tenantId, async (change) => {
      for (const definition of CATALOGUE) emitExample(change, definition as never, employeeId)
    })
    const events = await world.events(tenantId)
    const typeOf = new Map(events.map(({ id, type }) => [id, type]))
    const all = CATALOGUE.map(({ type }) => type as string)
    const employment = all.filter((type) => type.startsWith('employment.'))
    const expected: Record<string, string[]> = {
      '*': all,
      'employment.*': employment,
      'employment.started': ['employment.started'],
      'employment.*,*,employment.started': all,
      'candidate.*,webhook.test': all.filter((type) => type.startsWith('candidate.') || type === 'webhook.test'),
      'employ.*': [],
      started: [],
    }
    const rows = await world.deliveries(tenantId)
    for (const [endpoint, types] of Object.entries(wants)) {
      const got = idsOf(rows, endpoint).map((id) => typeOf.get(id))
      assert.deepEqual(got, expected[types], types)
    }
  })

  it('keeps deliveries for a paused endpoint, unleased, and makes none for a disabled one', async () => {
    const tenantId = await world.createTenant()
    const paused = await world.createEndpoint(tenantId, { state: 'paused' })
    await world.createEndpoint(tenantId, { state: 'disabled' })
    const handOver = createTestHandOver(10)
    await world.change(tenantId, async (change) => emitTest(change, 'one'), { handOver })
    const rows = await world.deliveries(tenantId)
    assert.deepEqual(
      rows.map(({ endpoint_id, lease_epoch, lease_until, attempts }) => ({ endpoint_id, lease_epoch, lease_until, attempts })),
      [{ endpoint_id: paused, lease_epoch: 0, lease_until: null, attempts: 0 }],
    )
    assert.equal(handOver.accepted.length, 0)
  })

  it('gives nothing to the endpoints of another tenant', async () => {
    const [tenantId, other] = [await world.createTenant(), await world.createTenant()]
    await world.createEndpoint(other)
    await world.change(tenantId, async (change) => emitTest(change, 'one'))
    assert.deepEqual(await world.deliveries(tenantId), [])
    assert.deepEqual(await world.deliveries(other), [])
  })

  it('sends an event that is meant for one endpoint to that one, whatever it subscribed to, and not when it is disabled', async () => {
    const tenantId = await world.createTenant()
    const meant = await world.createEndpoint(tenantId, { types: ['candidate.created'] })
    await world.createEndpoint(tenantId)
    const disabled = await world.createEndpoint(tenantId, { state: 'disabled' })
    await world.change(tenantId, async (change) => emitTest(change, 'one', { onlyEndpointId: meant }))
    await world.change(tenantId, async (change) => emitTest(change, 'two', { onlyEndpointId: disabled }))
    assert.deepEqual(
      (await world.deliveries(tenantId)).map(({ endpoint_id }) => endpoint_id),
      [meant],
    )
    assert.equal((await world.events(tenantId)).length, 2)
  })

  it('leases what there is room for to the process that commits, after the commit, and leaves the rest due now', async () => {
    const tenantId = await world.createTenant()
    await world.createEndpoint(tenantId)
    const handOver = createTestHandOver(3)
    await world.change(
      tenantId,
      async (change) => {
        for (let at = 0; at < 5; at++) emitTest(change, String(at))
        assert.equal(handOver.accepted.length, 0)
      },
      { handOver },
    )
    const rows = await world.deliveries(tenantId)
    const leased = rows.filter(({ lease_epoch }) => lease_epoch === 1)
    assert.equal(leased.length, 3)
    assert.deepEqual(handOver.accepted.map(({ id }) => id).sort(), leased.map(({ id }) => id).sort())
    for (const { attempts, lease_until, due_in_ms } of leased) assert.ok(attempts === 1 && lease_until && due_in_ms > 20_000)
    for (const { attempts, lease_until, due_in_ms } of rows.filter(({ lease_epoch }) => lease_epoch === 0))
      assert.ok(attempts === 0 && lease_until === null && due_in_ms <= 0)
    assert.equal(handOver.dues.length, 1)
    const events = new Map((await world.events(tenantId)).map((event) => [event.id, event]))
    for (const { event, eventId, tenantId: of } of handOver.accepted) {
      assert.deepEqual(event, events.get(eventId))
      assert.equal(of, tenantId)
    }
  })

  it('leaves everything due now where nobody takes it over', async () => {
    const tenantId = await world.createTenant()
    await world.createEndpoint(tenantId)
    for (const handOver of [undefined, createTestHandOver(0)])
      await world.change(tenantId, async (change) => emitTest(change, 'x'), handOver ? { handOver } : {})
    for (const { lease_epoch, due_in_ms } of await world.deliveries(tenantId)) assert.ok(lease_epoch === 0 && due_in_ms <= 0)
  })

  it('leases only the first of a lane, in one transaction and over several, and spends its room on those that may go', async () => {
    const tenantId = await world.createTenant()
    const endpointId = await world.createEndpoint(tenantId)
    const [one, two] = [await world.createEmployee(tenantId), await world.createEmployee(tenantId)]
    const handOver = createTestHandOver(2)
    await world.change(
      tenantId,
      async (change) => {
        for (const employeeId of [one, one, one, two]) emitTest(change, 'x', { employeeId })
      },
      { handOver },
    )
    assert.deepEqual(
      handOver.accepted.map(({ orderKey }) => orderKey),
      [one, two],
    )
    const later = createTestHandOver(10)
    await world.change(tenantId, async (change) => emitTest(change, 'y', { employeeId: one }), { handOver: later })
    assert.deepEqual(later.accepted, [])
    assert.deepEqual(later.lanes, [{ tenantId, endpointId, orderKey: one }], 'the lane is looked at once more')
    const rows = (await world.deliveries(tenantId)).filter(({ order_key }) => order_key === one)
    for (const waiting of rows.slice(1)) assert.ok(waiting.lease_epoch === 0 && waiting.due_in_ms > 0, 'waits behind the first')
    for (const { id } of rows) await settle(id)
    const free = createTestHandOver(10)
    await world.change(tenantId, async (change) => emitTest(change, 'z', { employeeId: one }), { handOver: free })
    assert.equal(free.accepted.length, 1)
  })

  it('holds nobody else up: another employee, and the same one at another endpoint, go on', async () => {
    const tenantId = await world.createTenant()
    const first = await world.createEndpoint(tenantId)
    const [one, two] = [await world.createEmployee(tenantId), await world.createEmployee(tenantId)]
    await world.change(tenantId, async (change) => emitTest(change, 'x', { employeeId: one }), { handOver: createTestHandOver(9) })
    const second = await world.createEndpoint(tenantId)
    const handOver = createTestHandOver(9)
    await world.change(
      tenantId,
      async (change) => {
        emitTest(change, 'y', { employeeId: one })
        emitTest(change, 'y', { employeeId: two })
      },
      { handOver },
    )
    const lanes = handOver.accepted.map(({ endpointId, orderKey }) => `${endpointId} ${orderKey}`).sort()
    assert.deepEqual(lanes, [`${first} ${two}`, `${second} ${one}`, `${second} ${two}`].sort())
  })

  it('names the event that this endpoint was sent before of this employee, within a batch and across, behind its filter', async () => {
    const tenantId = await world.createTenant()
    const [one, two] = [await world.createEmployee(tenantId), await world.createEmployee(tenantId)]
    const all = await world.createEndpoint(tenantId)
    const some = await world.createEndpoint(tenantId, { types: ['webhook.test'] })
    const started = CATALOGUE.find(({ type }) => type === 'employment.started')!
    const batch = (work: readonly (readonly [string, boolean])[]) =>
      world.change(tenantId, async (change) => {
        for (const [employeeId, test] of work)
          test ? emitTest(change, 'x', { employeeId }) : emitExample(change, started as never, employeeId)
      })
    await batch([
      [one, true],
      [two, true],
      [one, false],
      [one, true],
    ])
    await batch([
      [two, false],
      [one, false],
      [one, true],
      [two, true],
    ])
    const rows = await world.deliveries(tenantId)
    for (const endpoint of [all, some]) {
      for (const employeeId of [one, two]) {
        const lane = rows.filter(({ endpoint_id, order_key }) => endpoint_id === endpoint && order_key === employeeId)
        assert.deepEqual(
          lane.map(({ previous_event_id }) => previous_event_id),
          [null, ...lane.slice(0, -1).map(({ event_id }) => event_id)],
        )
      }
    }
    assert.equal(rows.length, 8 + 5)
  })

  it('numbers the events of an employee without a gap, under parallel transactions of which a third is rolled back', async () => {
    const tenantId = await world.createTenant()
    const endpoint = await world.createEndpoint(tenantId)
    const employees = [await world.createEmployee(tenantId), await world.createEmployee(tenantId)]
    const runs = Array.from({ length: 60 }, (_, run) =>
      world
        .change(tenantId, async (change) => {
          // In either order: what would be a deadlock if the rows were not always locked in one.
          for (const employeeId of run % 2 ? employees : employees.toReversed())
            for (let at = 0; at <= run % 3; at++) emitTest(change, `${run}`, { employeeId })
          if (run % 3 === 0) change.tx.scope.beforeCommit('fails', async () => Promise.reject(new Error('rolled back')))
        })
        .catch((error: Error) => assert.equal(error.message, 'rolled back')),
    )
    await Promise.all(runs)
    const events = await world.events(tenantId)
    const rows = await world.deliveries(tenantId)
    for (const employeeId of employees) {
      const own = events.filter((event) => event.employee_id === employeeId)
      assert.deepEqual(
        own.map(({ sequence }) => sequence),
        own.map((_, at) => at + 1),
      )
      assert.equal(own.length, 20 * 2 + 20 * 3)
      const lane = rows.filter(({ order_key }) => order_key === employeeId)
      assert.deepEqual(
        lane.map(({ event_id }) => event_id),
        own.map(({ id }) => id),
        'the lane has the order of the sequence',
      )
      assert.deepEqual(
        lane.map(({ previous_event_id }) => previous_event_id),
        [null, ...own.slice(0, -1).map(({ id }) => id)],
      )
    }
    assert.equal(idsOf(rows, endpoint).length, events.length)
  })

  it('leaves no event, no delivery and no number behind when the change is rolled back', async () => {
    const tenantId = await world.createTenant()
    await world.createEndpoint(tenantId)
    const employeeId = await world.createEmployee(tenantId)
    const handOver = createTestHandOver(9)
    const failing = world.change(
      tenantId,
      async (change) => {
        emitTest(change, 'x', { employeeId })
        change.tx.scope.beforeCommit('fails', async () => Promise.reject(new Error('no')))
      },
      { handOver },
    )
    await assert.rejects(failing, /^Error: no$/)
    assert.deepEqual(await world.events(tenantId), [])
    assert.deepEqual(await world.deliveries(tenantId), [])
    assert.deepEqual(handOver.accepted, [])
    await world.change(tenantId, async (change) => emitTest(change, 'x', { employeeId }))
    assert.equal((await world.events(tenantId))[0]?.sequence, 1)
  })
})
