import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { HandOver, ReadyDelivery } from '../events/hand-over.ts'
import { systemClock } from '../kit/clock.ts'
import { createLog } from '../kit/log.ts'
import { open } from '../privacy/sealed-value.ts'
import { attemptDelivery } from './attempt-delivery.ts'
import type { EndpointView } from './endpoints/endpoint-view.ts'
import { type ExchangeRecord, exchangePlace } from './exchange-record.ts'
import { drain } from './testing/delivery-site.ts'
import { useDeliverySite } from './testing/delivery-suite.ts'

const FULL = { detail: 'full', grants: ['personal'] } as const
const full = { ...FULL, grants: [...FULL.grants] }

describe('the dispatcher', () => {
  const use = useDeliverySite()

  it('sends a committed event at once by hand-over: signed over the bytes sent, delivered, logged', async () => {
    const { site, receiver, names } = use
    const dispatcher = site.dispatcher()
    const { secret } = await site.addEndpoint(receiver, full)

    await site.emit(['Łódź 💶'], { handOver: dispatcher.handOver })
    await dispatcher.idle()

    const [request] = receiver.received
    assert.ok(request)
    const verified = new Webhook(secret).verify(request.body, request.headers as Record<string, string>) as { id: string }
    const [delivery] = await site.deliveries()
    assert.equal(verified.id, delivery?.event_id)
    assert.equal(request.headers['webhook-id'], delivery?.event_id)
    assert.equal(request.headers['user-agent'], 'Tenure-Webhooks/0.1')
    assert.deepEqual(names(), ['Łódź 💶'])
    assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.failures], ['delivered', 1, 0])
    assert.deepEqual(
      (await site.attempts()).map(({ number, outcome, status }) => [number, outcome, status]),
      [[1, 'delivered', 200]],
    )
  })

  it('keeps request and answer of an attempt sealed, without secrets, and no more than 8 KiB of the body', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    receiver.answer({
      status: 422,
      headers: { 'x-trace': 'abc', 'set-cookie': 'session=1' },
      body: `no such cost centre ${'x'.repeat(20_000)}`,
    })
    await site.addEndpoint(receiver, { custom_headers: { Authorization: 'Bearer topsecret' } })

    await site.emit(['a'], { handOver: dispatcher.handOver })
    await dispatcher.idle()

    assert.equal(receiver.received[0]?.headers.authorization, 'Bearer topsecret')
    const [attempt] = await site.attempts()
    const key = await site.database.withTenant(site.tenantId, (tx) => site.vault.tenantKey(tx))
    const text = open(key, exchangePlace(site.tenantId, attempt!.delivery_id, 1), attempt!.exchange!).toString()
    const record = JSON.parse(text) as ExchangeRecord
    assert.equal(text.includes('topsecret') || text.includes('session=1') || text.includes('v1,'), false)
    assert.equal(record.response?.headers['x-trace'], 'abc')
    assert.equal(record.response?.body.length, 8_192)
    assert.equal(record.response?.body_state, 'cut')
  })

  it('delivers by polling what no hand-over took, each lane in order, naming the event sent before', async () => {
    const { site, receiver, names } = use
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.emit(['a.1', 'b.1', 'a.2', 'a.3', 'b.2'])

    await drain(dispatcher)

    assert.deepEqual(
      names().filter((name) => name?.startsWith('a')),
      ['a.1', 'a.2', 'a.3'],
    )
    assert.deepEqual(
      names().filter((name) => name?.startsWith('b')),
      ['b.1', 'b.2'],
    )
    const ofA = receiver.received.filter((_, index) => names()[index]?.startsWith('a')).map(({ event }) => event)
    assert.deepEqual(
      ofA.map((event) => event['previous_event_id']),
      [null, ofA[0]?.id, ofA[1]?.id],
    )
  })

  it('delivers what was handed to a process that died, once its lease has run out, and logs the lost attempt as interrupted', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    const dead = { room: () => 10, leaseSeconds: 60, accept: () => {}, due: () => {}, waiting: () => {} }
    await site.emit(['a'], { handOver: dead })
    const dispatcher = site.dispatcher()
    assert.equal(await dispatcher.dispatchOnce(), 0)

    await site.makeDue()
    await drain(dispatcher)

    assert.equal(receiver.received.length, 1)
    assert.deepEqual(
      (await site.attempts()).map(({ number, outcome }) => [number, outcome]),
      [
        [1, 'interrupted'],
        [2, 'delivered'],
      ],
    )
    const [delivery] = await site.deliveries()
    assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.failures], ['delivered', 2, 1])
  })

  it('ends an event that is interrupted at every attempt instead of repeating it for ever', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    await site.emit(['a'], { handOver: { room: () => 10, leaseSeconds: 60, accept: () => {}, due: () => {}, waiting: () => {} } })
    await site.sql('update delivery set failures = 9')
    await site.makeDue()

    await drain(site.dispatcher())

    const [delivery] = await site.deliveries()
    assert.deepEqual([delivery?.state, delivery?.failure, delivery?.attempts], ['dead', 'interrupted', 1])
    assert.equal(receiver.received.length, 0)
  })

  it('refuses the completion of an attempt whose lease was lost, and leaves the successor alone', async () => {
    const { site, receiver } = use
    const slow = site.dispatcher()
    const next = site.dispatcher()
    const answers: ((status: number) => void)[] = []
    receiver.answer(() => new Promise((resolve) => answers.push(resolve)))
    await site.addEndpoint(receiver)
    await site.emit(['a'], { handOver: slow.handOver })
    await receiver.arrived(1)
    await site.makeDue()
    await next.dispatchOnce()
    await receiver.arrived(2)

    answers[0]!(500)
    await slow.idle()
    const [meanwhile] = await site.deliveries()
    answers[1]!(200)
    await next.idle()

    assert.deepEqual([meanwhile?.state, meanwhile?.lease_epoch, meanwhile?.failure], ['pending', 2, null])
    const [delivery] = await site.deliveries()
    assert.equal(delivery?.state, 'delivered')
    assert.equal(receiver.received[0]?.headers['webhook-id'], receiver.received[1]?.headers['webhook-id'])
    assert.deepEqual(
      (await site.attempts()).map(({ outcome }) => outcome),
      ['interrupted', 'delivered'],
    )
  })

  it('gives a lease back unused rather than start when half of it is gone', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    const late = site.dispatcher({ leaseSeconds: 0 })
    await site.emit(['a'], { handOver: { ...late.handOver, leaseSeconds: 60 } })
    await late.idle()

    const [delivery] = await site.deliveries()
    assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.lease_until, receiver.received.length], ['pending', 0, null, 0])
    await drain(site.dispatcher())
    assert.equal(receiver.received.length, 1)
  })

  it('gives a lease back unused when commit or endpoint took so long that the request could outlast it', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    const dispatcher = site.dispatcher({ leaseSeconds: 40 })
    const slowly = {
      ...dispatcher.handOver,
      accept: (held: ReadyDelivery[]) => dispatcher.handOver.accept(held, performance.now() - 21_000),
    }
    await site.emit(['a'], { handOver: slowly as HandOver })
    await dispatcher.idle()
    assert.deepEqual(
      (await site.deliveries()).map(({ state, attempts }) => [state, attempts]),
      [['pending', 0]],
    )

    const late = { isLate: false }
    const views = {
      async get() {
        late.isLate = true
        return { state: 'active' } as EndpointView
      },
    }
    const egress = { send: () => assert.fail('nothing may be sent') }
    const options = { views, egress, clock: systemClock, random: () => 0.5, log: createLog('silent') }
    const outcome = await attemptDelivery(options, { id: 'dlv_a' } as ReadyDelivery, () => late.isLate)
    assert.deepEqual([outcome.verdict, outcome.attempt], ['released', null])
    assert.equal(receiver.received.length, 0)
  })

  it('waits before it looks again at what it could not read', async () => {
    const { site, receiver } = use
    const database: typeof site.database = { ...site.database, withTenant: () => Promise.reject(new Error('no key')) }
    await site.addEndpoint(receiver)
    await site.emit(['a'])

    await drain(site.dispatcher({ database }))

    const [delivery] = await site.deliveries()
    assert.deepEqual([delivery?.state, delivery?.attempts], ['pending', 0])
    assert.ok((delivery?.wait_seconds ?? 0) > 20)
  })

  it('asks once for the lanes of a burst of changes', async () => {
    const { site, receiver } = use
    let looks = 0
    const database: typeof site.database = {
      ...site.database,
      asWorker: (statement, values) => {
        if (statement.name === 'free-lanes') looks++
        return site.database.asWorker(statement, values)
      },
    }
    const { id } = await site.addEndpoint(receiver)
    const dispatcher = site.dispatcher({ database })
    for (let change = 0; change < 100; change++) {
      dispatcher.handOver.waiting([{ tenantId: site.tenantId, endpointId: id, orderKey: `lane_${change % 7}` }])
    }
    await dispatcher.idle()
    assert.equal(looks, 2)
  })

  it('keeps an outcome that cannot be written, and writes it later without sending again', async () => {
    const { site, receiver } = use
    let failures = 2
    const database: typeof site.database = {
      ...site.database,
      asWorker: (statement, values) => {
        if (statement.name === 'settle-deliveries' && failures-- > 0) return Promise.reject(new Error('the database is gone'))
        return site.database.asWorker(statement, values)
      },
    }
    const dispatcher = site.dispatcher({ database })
    await site.addEndpoint(receiver)

    await site.emit(['a'], { handOver: dispatcher.handOver })
    await dispatcher.idle()

    assert.equal((await site.deliveries())[0]?.state, 'delivered')
    assert.equal(receiver.received.length, 1)
  })

  it('loses nothing when notifications are lost, and is woken by one', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    await site.emit(['before'])
    const stop = new AbortController()
    const running = site.dispatcher({ idleMs: 60_000 }).run(stop.signal)
    await receiver.arrived(1)

    await site.sql("select pg_notify('delivery_due', '') from pg_sleep(0)")
    await site.emit(['after'])
    await receiver.arrived(2)

    stop.abort()
    await running
    assert.deepEqual(
      (await site.deliveries()).map(({ state }) => state),
      ['delivered', 'delivered'],
    )
  })

  it('opens one connection for requests that follow each other', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver)
    await site.emit(['a.1', 'a.2', 'a.3', 'a.4'])

    await drain(dispatcher)

    assert.equal(receiver.received.length, 4)
    assert.equal(receiver.connections(), 1)
  })

  it('keeps no connection idle in a transaction while receivers hang', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher({ perEndpoint: 32, egressOptions: { connectionsPerOrigin: 32 } })
    receiver.answer('hang')
    for (let endpoints = 0; endpoints < 4; endpoints++) await site.addEndpoint(receiver)
    await site.emit(Array.from({ length: 8 }, (_, n) => `lane${n}`))
    await dispatcher.dispatchOnce()
    await receiver.arrived(32)

    const open = await site.sql<{ count: number }>(
      "select count(*)::int from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    )
    assert.equal(open[0]?.count, 0)
  })

  it('sends to a healthy endpoint while others hang on the same events', async () => {
    const { site, receiver, secondReceiver } = use
    const healthy = await secondReceiver()
    const dispatcher = site.dispatcher({ total: 16 })
    receiver.answer('hang')
    await site.addEndpoint(receiver)
    await site.addEndpoint(healthy)

    await site.emit(
      Array.from({ length: 20 }, (_, n) => `lane${n}`),
      { handOver: dispatcher.handOver },
    )

    await healthy.arrived(20)
    assert.ok(receiver.received.length <= 16)
  })
})
