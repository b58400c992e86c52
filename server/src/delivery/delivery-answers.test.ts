import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { redriveDelivery, retryDelivery } from './deliveries/retry-delivery.ts'
import { disableEndpoint } from './endpoints/disable-endpoint.ts'
import { updateEndpoint } from './endpoints/update-endpoint.ts'
import { drain, emitCandidate, LOOPBACK } from './testing/delivery-site.ts'
import { useDeliverySite } from './testing/delivery-suite.ts'

const full = { detail: 'full' as const, grants: ['personal'] }
const options = { policy: LOOPBACK, requireVersion: () => {} }

describe('what an endpoint answers or is set to', () => {
  const use = useDeliverySite()

  it('waits as the schedule says, or as long as Retry-After asks', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver)
    const waitAfter = async (retryAfter?: string) => {
      receiver.answer({ status: 503, headers: retryAfter ? { 'retry-after': retryAfter } : {} })
      await site.emit([retryAfter ?? 'none'], { handOver: dispatcher.handOver })
      await dispatcher.idle()
      return Math.round((await site.deliveries()).at(-1)?.wait_seconds ?? 0)
    }

    assert.ok(Math.abs((await waitAfter()) - 5) <= 1)
    assert.ok(Math.abs((await waitAfter('120')) - 120) <= 1)
    assert.ok(Math.abs((await waitAfter('1')) - 5) <= 1)
    assert.ok(Math.abs((await waitAfter('999999')) - 86_400) <= 1)
    assert.ok(Math.abs((await waitAfter('1e99')) - 5) <= 1)
  })

  it('counts a redirect as a failure and never follows it', async () => {
    const { site, receiver, secondReceiver } = use
    const target = await secondReceiver()
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver)
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.answer({ status, headers: { location: target.url } })
      await site.emit([`s${status}`], { handOver: dispatcher.handOver })
      await dispatcher.idle()
    }

    assert.equal(receiver.received.length, 5)
    assert.equal(target.received.length, 0)
    assert.deepEqual(
      (await site.deliveries()).map(({ failure }) => failure),
      Array(5).fill('redirect_refused'),
    )
  })

  it('disables an endpoint that answers 410, keeps what waits for it as dead letters, and redrives after activation', async () => {
    const { site, receiver, names } = use
    const dispatcher = site.dispatcher()
    const { id } = await site.addEndpoint(receiver, full)
    receiver.answer(410)
    await site.emit(['a.1', 'b.1', 'a.2'])
    await dispatcher.dispatchOnce()
    await dispatcher.idle()
    await dispatcher.sweepOnce()

    const dead = await site.deliveries()
    assert.deepEqual(
      dead.map(({ state }) => state),
      ['dead', 'dead', 'dead'],
    )
    assert.deepEqual([...new Set(dead.map(({ failure }) => failure))].toSorted(), ['endpoint_disabled', 'status_410'])
    assert.deepEqual(await site.sql('select state, disabled_reason from endpoint'), [{ state: 'disabled', disabled_reason: 'status_410' }])
    await assert.rejects(
      site.change((change) => redriveDelivery(change, dead[2]!.id)),
      { code: 'endpoint-not-valid' },
    )

    receiver.answer(200)
    await site.change((change) => updateEndpoint(change, id, { state: 'active' }, options))
    await site.change((change) => redriveDelivery(change, dead[2]!.id))
    await drain(dispatcher)
    assert.equal(names().at(-1), 'a.2')
    assert.equal((await site.deliveries()).at(-1)?.state, 'delivered')
  })

  it('keeps what is meant for a paused endpoint, also what a process holds already, and sends it after resuming', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    const { id } = await site.addEndpoint(receiver)
    await site.emit(['b'], {
      handOver: {
        ...dispatcher.handOver,
        accept: (held, leasedAt) => {
          void site
            .change((change) => updateEndpoint(change, id, { state: 'paused' }, options))
            .then(() => dispatcher.handOver.accept(held, leasedAt))
        },
      },
    })
    for (let looks = 0; looks < 100 && (await site.deliveries('lease_until is not null')).length > 0; looks++) await dispatcher.idle()
    await site.emit(['a'], { handOver: dispatcher.handOver })
    await drain(dispatcher)
    assert.equal(receiver.received.length, 0)
    assert.deepEqual(
      (await site.deliveries()).map(({ state, attempts }) => [state, attempts]),
      [
        ['pending', 0],
        ['pending', 0],
      ],
    )

    await site.change((change) => updateEndpoint(change, id, { state: 'active' }, options))
    await drain(dispatcher)
    assert.equal(receiver.received.length, 2)
  })

  it('takes a new setting at once, also while a long change is writing deliveries to the endpoint', async () => {
    const { site, receiver } = use
    const { id } = await site.addEndpoint(receiver)
    const written = Promise.withResolvers<void>()
    const paused = Promise.withResolvers<void>()
    const long = site.change(async (change) => {
      emitCandidate(change, 'a', null)
      await change.tx.scope.flush()
      written.resolve()
      await paused.promise
    })
    await written.promise
    await site.change(async (change) => {
      await change.tx.scope.run({ name: 'no-wait', text: "select set_config('lock_timeout', '2s', true)" }, [])
      await updateEndpoint(change, id, { state: 'paused' }, options)
    })
    paused.resolve()
    await long
    assert.equal((await site.deliveries()).length, 1)
  })

  it('settles what is in the air to an endpoint that was disabled meanwhile as it went', async () => {
    const { site, receiver } = use
    const answered = Promise.withResolvers<number>()
    receiver.answer(() => answered.promise)
    const dispatcher = site.dispatcher()
    const { id } = await site.addEndpoint(receiver)
    await site.emit(['a'])
    await dispatcher.dispatchOnce()
    await receiver.arrived(1)

    await site.database.withTenant(site.tenantId, (tx) => disableEndpoint(tx, site.vault, id, 'status_410'))
    await dispatcher.sweepOnce()
    answered.resolve(200)
    await dispatcher.idle()

    assert.deepEqual(
      (await site.deliveries()).map(({ state, failure }) => [state, failure]),
      [['delivered', null]],
    )
  })

  it('sends no field whose grant was withdrawn between event and attempt, and names it', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    const { id } = await site.addEndpoint(receiver, full)
    await site.emit(['Byron'])
    await site.change((change) => updateEndpoint(change, id, { grants: [] }, options))

    await drain(dispatcher)

    const [request] = receiver.received
    assert.equal(request?.body.includes('Byron'), false)
    assert.ok((receiver.received[0]!.event['restricted'] as string[]).includes('person.family_name'))
  })

  it('tries a waiting delivery at once when asked, with what stands before it', async () => {
    const { site, receiver, names } = use
    receiver.answer(500)
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.emit(['a.1', 'a.2'], { handOver: dispatcher.handOver })
    await dispatcher.idle()
    const [first, second] = await site.deliveries()
    receiver.answer(200)

    await site.change((change) => retryDelivery(change, second!.id))
    await drain(dispatcher)

    assert.deepEqual(names(), ['a.1', 'a.1', 'a.2'])
    await assert.rejects(
      site.change((change) => retryDelivery(change, first!.id)),
      { code: 'delivery-not-pending' },
    )
    await assert.rejects(
      site.change((change) => redriveDelivery(change, first!.id)),
      { code: 'delivery-not-dead' },
    )
  })

  it('sends nothing of an erased person, ends the delivery with that reason, and goes on with the lane', async () => {
    const { site, receiver, names } = use
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.change(async (change) => {
      await change.vault.createPersonKeys(change.tx, ['per_erased'])
    })
    await site.emit(['a.1'], { personId: 'per_erased' })
    await site.emit(['a.2'])
    await site.sql('delete from keys.person_key')

    await drain(site.dispatcher({ vault: site.freshVault() }))
    await dispatcher.idle()

    assert.deepEqual(names(), ['a.2'])
    assert.deepEqual(
      (await site.deliveries()).map(({ state, failure, attempts }) => [state, failure, attempts]),
      [
        ['dead', 'erased', 0],
        ['delivered', null, 1],
      ],
    )
  })

  it('keeps an event that no endpoint wanted in the log', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver, { event_types: ['employment.*'] })
    const [{ count: before } = { count: 0 }] = await site.sql<{ count: number }>('select count(*)::int from event')
    await site.emit(['nobody'])
    const [{ count } = { count: 0 }] = await site.sql<{ count: number }>('select count(*)::int from event')
    assert.equal(count, before + 1)
    assert.deepEqual(await site.deliveries(), [])
  })

  it('retries a transport failure by the schedule and not at once', async () => {
    const { site } = use
    const dispatcher = site.dispatcher()
    await site.addEndpoint({ url: 'http://127.0.0.1:1/closed' })
    await site.emit(['a'], { handOver: dispatcher.handOver })
    await drain(dispatcher)

    const [delivery] = await site.deliveries()
    assert.deepEqual([delivery?.failure, delivery?.attempts], ['connect_refused', 1])
    assert.ok((delivery?.wait_seconds ?? 0) > 3)
  })
})
