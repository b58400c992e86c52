import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type DeliverySite, drain, openDeliverySite } from './testing/delivery-site.ts'
import { startReceiver, type TestReceiver } from './testing/receiver.ts'

describe('the dispatcher', () => {
  let site: DeliverySite
  let receiver: TestReceiver
  before(async () => {
    site = await openDeliverySite()
  })
  after(() => site.close())
  beforeEach(async () => {
    receiver = await startReceiver()
    await site.sql('truncate attempt, delivery, endpoint cascade')
  })
  afterEach(() => receiver.close())

  const names = () => receiver.received.map(({ event }) => (event['data'] as { person?: { family_name?: string } }).person?.family_name)

  it('sends a committed event at once by hand-over: signed, one request, delivered', async () => {
    const dispatcher = site.dispatcher()
    const { secret } = await site.addEndpoint(receiver, { detail: 'full', grants: ['personal'] })

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
    assert.equal((await site.attempts())[0]?.outcome, 'delivered')
  })

  it('delivers by polling what no hand-over took, in order within each lane', async () => {
    const dispatcher = site.dispatcher()
    await site.addEndpoint(receiver, { detail: 'full', grants: ['personal'] })
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
    const previous = receiver.received.map(({ event }) => event['previous_event_id'])
    assert.equal(previous.filter((id) => id === null).length, 2)
  })
})
