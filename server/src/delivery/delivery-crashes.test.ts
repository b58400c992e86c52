import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Database } from '../database/database.ts'
import type { HandOver } from '../events/hand-over.ts'
import { createEndpoint } from './endpoints/create-endpoint.ts'
import { drain, LOOPBACK } from './testing/delivery-site.ts'
import { useDeliverySite } from './testing/delivery-suite.ts'

describe('what several processes do with the same deliveries, and what is left of one that dies', () => {
  const use = useDeliverySite()

  /** A process that dies after `settled` settlements: nothing that it does reaches the database any more. */
  const dyingAfter = (settled: number, real: Database): Database => ({
    ...real,
    asWorker: (statement, values) => {
      if (statement.name === 'settle-deliveries' && settled-- <= 0) return new Promise(() => {})
      return real.asWorker(statement, values)
    },
  })

  it('has one state besides the final ones, and that one always has a time at which it is due', async () => {
    const { site } = use
    const [check] = await site.sql<{ definition: string }>(
      "select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = 'delivery'::regclass and conname = 'delivery_state_check'",
    )
    assert.deepEqual(
      [...(check?.definition ?? '').matchAll(/'(\w+)'/g)].map(([, state]) => state),
      ['pending', 'delivered', 'dead'],
    )
    const [due] = await site.sql<{ attnotnull: boolean }>(
      "select attnotnull from pg_attribute where attrelid = 'delivery'::regclass and attname = 'due_at'",
    )
    assert.equal(due?.attnotnull, true)
  })

  it('repeats to the endpoints whose outcome died with the process, with the whole body, and to no other', async () => {
    const { site, receiver, secondReceiver } = use
    const [second, third] = [await secondReceiver(), await secondReceiver()]
    const answers: ((status: number) => void)[] = []
    for (const late of [second, third]) late.answer(() => new Promise((resolve) => answers.push(resolve)))
    const dying = site.dispatcher({ database: dyingAfter(1, site.database), stopWithinMs: 10 })
    for (const to of [receiver, second, third]) await site.addEndpoint(to, { detail: 'full', grants: ['personal'] })
    await site.emit(['Byron'], { handOver: dying.handOver })
    await Promise.all([second.arrived(1), third.arrived(1)])
    for (let looks = 0; looks < 200 && (await site.deliveries("state = 'delivered'")).length === 0; looks++) await receiver.arrived(1)
    answers[0]?.(200)
    answers[1]?.(500)
    second.answer(200)
    third.answer(200)

    await site.makeDue()
    await drain(site.dispatcher())

    assert.deepEqual([receiver.received.length, second.received.length, third.received.length], [1, 2, 2])
    assert.deepEqual(third.received[1]?.event, third.received[0]?.event)
    assert.deepEqual(
      (await site.deliveries()).map(({ state }) => state),
      ['delivered', 'delivered', 'delivered'],
    )
  })

  it('finds by looking what no notification told of', async () => {
    const { site, receiver } = use
    const deaf: Database = { ...site.database, listen: () => () => {} }
    await site.addEndpoint(receiver)
    const stop = new AbortController()
    const running = site.dispatcher({ database: deaf, idleMs: 20 }).run(stop.signal)
    await site.emit(['a'])
    await receiver.arrived(1)
    await site.emit(['b'])
    await receiver.arrived(2)
    stop.abort()
    await running
  })

  it('sends nothing from any of four processes once one of them was told that the endpoint is gone', async () => {
    const { site, receiver } = use
    const later: Parameters<HandOver['accept']>[] = []
    const processes = Array.from({ length: 4 }, () => site.dispatcher())
    await site.addEndpoint(receiver)
    receiver.answer(410)
    await site.emit(['a'], { handOver: processes[0]!.handOver })
    await processes[0]!.idle()
    // What another process had leased before it could know.
    await site.sql("update endpoint set state = 'active'")
    await site.emit(['b', 'c', 'd'], { handOver: { ...processes[1]!.handOver, accept: (held, at) => void later.push([held, at]) } })
    await site.sql("update endpoint set state = 'disabled'")
    for (const [held, at] of later) processes[1]!.handOver.accept(held, at)
    for (const process of processes) await drain(process)
    await processes[3]!.sweepOnce()

    assert.equal(receiver.received.length, 1)
    assert.deepEqual(
      (await site.deliveries()).map(({ failure }) => failure),
      ['status_410', 'endpoint_disabled', 'endpoint_disabled', 'endpoint_disabled'],
    )
  })

  it('keeps no connection in a transaction, and opens no more of them, while 200 receivers hang', async () => {
    const { site, receiver } = use
    receiver.answer('hang')
    await site.change(async (change) => {
      for (let made = 0; made < 200; made++)
        await createEndpoint(change, LOOPBACK, { name: 'hangs', url: receiver.url, event_types: ['*'], detail: 'ids', grants: [] })
    })
    await site.emit(['a'])
    const dispatcher = site.dispatcher({ total: 512 })
    for (let looks = 0; looks < 20 && receiver.received.length < 200; looks++) await dispatcher.dispatchOnce()
    await receiver.arrived(200)

    const open = await site.sql<{ state: string; count: number }>(
      "select state, count(*)::int from pg_stat_activity where datname = current_database() and usename = 'tenure_server' group by state",
    )
    assert.deepEqual(
      open.map(({ state }) => state),
      ['idle'],
    )
    assert.ok((open[0]?.count ?? 0) <= 8)
  })
})
