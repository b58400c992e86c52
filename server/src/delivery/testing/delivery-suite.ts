import { after, afterEach, before, beforeEach } from 'node:test'
import { type DeliverySite, openDeliverySite } from './delivery-site.ts'
import { startReceiver, type TestReceiver } from './receiver.ts'

/** What the tests of one file stand on: one database, and for each test a fresh receiver and empty queues. */
export function useDeliverySite(): {
  site: DeliverySite
  receiver: TestReceiver
  secondReceiver: () => Promise<TestReceiver>
  names: () => (string | undefined)[]
} {
  const used = {} as { site: DeliverySite; receiver: TestReceiver }
  const more: TestReceiver[] = []
  before(async () => {
    used.site = await openDeliverySite()
  })
  after(() => used.site.close())
  beforeEach(async () => {
    used.receiver = await startReceiver()
    await used.site.sql('truncate attempt, delivery, endpoint')
  })
  afterEach(async () => {
    for (const receiver of [used.receiver, ...more.splice(0)]) await receiver.close()
    await used.site.stopDispatchers()
  })
  return Object.assign(used, {
    secondReceiver: async () => {
      const receiver = await startReceiver()
      more.push(receiver)
      return receiver
    },
    names: () => used.receiver.received.map(familyName),
  })
}

/** The name under which a test emitted its event. */
export function familyName({ event }: TestReceiver['received'][0]): string | undefined {
  return (event['data'] as { person?: { family_name?: string } }).person?.family_name
}
