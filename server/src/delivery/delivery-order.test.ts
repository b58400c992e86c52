import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drain, emitCandidate } from './testing/delivery-site.ts'
import { familyName, useDeliverySite } from './testing/delivery-suite.ts'

const full = { detail: 'full' as const, grants: ['personal'] }

describe('the order of deliveries', () => {
  const use = useDeliverySite()

  it('holds back one employee behind a failing event, and nobody else', async () => {
    const { site, receiver, names } = use
    receiver.answer((request) => (familyName(request) === 'a.1' ? 500 : 200))
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.emit(['a.1', 'a.2', 'b.1', 'b.2'])

    await drain(dispatcher)

    assert.deepEqual(names().toSorted(), ['a.1', 'b.1', 'b.2'])
    const waits = (await site.deliveries("state = 'pending'")).map(({ attempts, failures, wait_seconds }) => [
      attempts,
      failures,
      wait_seconds > 0,
    ])
    assert.deepEqual(waits, [
      [1, 1, true],
      [0, 0, true],
    ])
  })

  it('goes on with the next event of the employee at once when the first is delivered after all', async () => {
    const { site, receiver, names } = use
    receiver.answer(500)
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.emit(['a.1', 'a.2', 'a.3'], { handOver: dispatcher.handOver })
    await dispatcher.idle()

    receiver.answer(200)
    await site.makeDue('attempts > 0')
    assert.equal(await dispatcher.dispatchOnce(), 1)
    await dispatcher.idle()

    assert.deepEqual(names(), ['a.1', 'a.1', 'a.2', 'a.3'])
  })

  it('makes a delivery dead after the last wait, with its reason, and then goes on with the next', async () => {
    const { site, receiver, names } = use
    receiver.answer((request) => (familyName(request) === 'a.1' ? 400 : 200))
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, full)
    await site.emit(['a.1', 'a.2'])

    for (let attempt = 1; attempt <= 10; attempt++) {
      await site.makeDue('event_position = (select min(event_position) from delivery)')
      await drain(dispatcher)
    }

    assert.equal(names().filter((name) => name === 'a.1').length, 10)
    assert.equal(names().at(-1), 'a.2')
    const [first, second] = await site.deliveries()
    assert.deepEqual([first?.state, first?.failure, first?.attempts, first?.failures], ['dead', 'status_4xx', 10, 10])
    assert.equal(second?.state, 'delivered')
    assert.equal((await site.attempts()).length, 11)
  })

  it('leaves no event waiting that commits after the one before it was settled without seeing it', async () => {
    const { site, receiver } = use
    const dispatcher = site.dispatcher()
    const answered = Promise.withResolvers<number>()
    receiver.answer(() => answered.promise)
    await site.addEndpoint(receiver)
    await site.emit(['a.1'], { handOver: dispatcher.handOver })
    await receiver.arrived(1)
    const fannedOut = Promise.withResolvers<void>()
    const settled = Promise.withResolvers<void>()
    const late = site.change(
      async (change) => {
        emitCandidate(change, 'a.2', null)
        change.tx.scope.beforeCommit('a slow commit', () => {
          fannedOut.resolve()
          return settled.promise
        })
      },
      { handOver: dispatcher.handOver },
    )
    await fannedOut.promise
    answered.resolve(200)
    await dispatcher.idle()
    settled.resolve()
    await late
    await dispatcher.idle()

    await drain(dispatcher)
    assert.deepEqual(
      (await site.deliveries()).map(({ state }) => state),
      ['delivered', 'delivered'],
    )
  })

  it('looks again for an event that committed while outcomes were being written', async () => {
    const { site, receiver } = use
    let meanwhile: (() => Promise<void>) | undefined
    const database: typeof site.database = {
      ...site.database,
      async asWorker(statement, values) {
        const rows = await site.database.asWorker<never>(statement, values)
        if (statement.name === 'settle-deliveries') await meanwhile?.()
        return rows
      },
    }
    const dispatcher = site.dispatcher({ database })
    await site.addEndpoint(receiver)
    await site.emit(['a.1'], { handOver: dispatcher.handOver })
    // As a change leaves it that did not see the settlement: behind a delivery that it believed to be in flight.
    meanwhile = async () => {
      meanwhile = undefined
      await site.emit(['a.2'])
      await site.sql("update delivery set due_at = clock_timestamp() + interval '60 seconds' where state = 'pending'")
    }
    await dispatcher.idle()

    await drain(dispatcher)
    assert.deepEqual(
      (await site.deliveries()).map(({ state }) => state),
      ['delivered', 'delivered'],
    )
  })

  it('keeps every lane in order with no duplicate under random failures and two processes', async () => {
    const { site, receiver } = use
    const delivered: string[] = []
    let seed = 7
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    receiver.answer((request) => {
      if (random() < 0.3) return 503
      delivered.push(familyName(request) ?? '')
      return 200
    })
    const one = site.dispatcher()
    const two = site.dispatcher()
    await site.addEndpoint(receiver, full)
    for (let round = 0; round < 5; round++) {
      await site.emit(
        Array.from({ length: 40 }, (_, lane) => `${lane}.${round}`),
        round % 2 === 0 ? { handOver: one.handOver } : {},
      )
    }

    for (let looks = 0; looks < 60; looks++) {
      await Promise.all([one.dispatchOnce(), two.dispatchOnce()])
      await Promise.all([one.idle(), two.idle()])
      await site.makeDue('lease_until is null')
    }

    assert.deepEqual(
      (await site.deliveries("state <> 'delivered'")).map(({ failure }) => failure),
      [],
    )
    assert.equal(delivered.length, 200)
    for (let lane = 0; lane < 40; lane++) {
      assert.deepEqual(
        delivered.filter((name) => name.startsWith(`${lane}.`)),
        [0, 1, 2, 3, 4].map((round) => `${lane}.${round}`),
      )
    }
  })
})
