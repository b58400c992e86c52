import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { candidateHired, employmentStarted, employmentTerminated } from '@tenure/contract'
import type { WebhookAnswer } from './answers.ts'
import { createReceiver, Gone, type Inbox, onceInMemory, type Receiver, RetryLater } from './index.ts'
import { buildEvent, signDelivery, testSecret } from './testing.ts'

const secret = testSecret()
const started = buildEvent('employment.started', employmentStarted.example, { id: 'evt_started', employee_id: 'emp_1', sequence: 1 })
const terminated = buildEvent('employment.terminated', employmentTerminated.example, { employee_id: 'emp_1', sequence: 2 })

/** Hands over an event as it would arrive, with what the test changes about the request. */
async function deliver<Tx>(
  receiver: Receiver<Tx>,
  event: { readonly id: string } = started,
  options: { secret?: string; now?: () => Date } = {},
) {
  return receiver.handle(await signDelivery(event, { secret, ...options }))
}

function codeOf({ body }: WebhookAnswer): string {
  return JSON.parse(body).code
}

describe('a receiver', () => {
  it('hands an event to the handlers for its type and for all, in the order in which they were added', async () => {
    const seen: unknown[] = []
    const receiver = createReceiver({ secret })
      .on('employment.started', (event) => seen.push(['first', event.data.employment.start_date]))
      .on('employment.terminated', () => seen.push('never'))
      .onAny((event) => seen.push(['any', event.type]))
      .on('employment.started', (event) => seen.push(['second', event.sequence]))

    const answer = await deliver(receiver)

    assert.deepEqual([answer.status, answer.body], [200, '{"handled":true}'])
    assert.deepEqual(seen, [
      ['first', '2026-09-01'],
      ['any', 'employment.started'],
      ['second', 1],
    ])
  })

  it('tells a handler when this attempt was made, under which id and with which headers', async () => {
    const attempts: unknown[] = []
    const receiver = createReceiver({ secret, now: () => new Date('2026-01-01T00:00:30Z') }).onAny((_event, { attempt, headers, tx }) => {
      attempts.push([attempt, headers['content-type'], tx])
    })

    await deliver(receiver, started, { now: () => new Date('2026-01-01T00:00:00Z') })

    const attempt = { webhookId: 'evt_started', sentAt: new Date('2026-01-01T00:00:00Z') }
    assert.deepEqual(attempts, [[attempt, 'application/json', undefined]])
  })

  it('answers 200 to an event without a handler, and does not remember it', async () => {
    const once = onceInMemory()
    const before = await deliver(createReceiver({ secret, once }))
    const after = await deliver(createReceiver({ secret, once }).onAny(() => {}))

    assert.deepEqual([before.status, before.body], [200, '{"handled":false}'])
    assert.deepEqual([after.status, after.body], [200, '{"handled":true}'])
  })

  it('answers 400 to a forgery, says why, and calls no handler', async () => {
    const receiver = createReceiver({ secret }).onAny(() => assert.fail('a forgery reached a handler'))
    const hour = 3_600_000

    const foreign = await deliver(receiver, started, { secret: testSecret() })
    const late = await deliver(receiver, started, { now: () => new Date(Date.now() - hour) })
    const early = await deliver(receiver, started, { now: () => new Date(Date.now() + hour) })
    const bare = await receiver.handle({ headers: {}, body: new Uint8Array() })

    const answers = [foreign, late, early, bare]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 400],
    )
    assert.deepEqual(answers.map(codeOf), ['no_matching_signature', 'too_old', 'too_new', 'missing_header'])
    assert.match(foreign.body, /another secret/)
    assert.match(late.body, /60 min/)
  })

  it('says that a body was parsed and printed again when only its form differs', async () => {
    const receiver = createReceiver({ secret }).onAny(() => assert.fail('a changed body reached a handler'))
    const { headers } = await signDelivery(started, { secret })
    const body = new TextEncoder().encode(JSON.stringify(started, undefined, 2))

    const answer = await receiver.handle({ headers, body })

    assert.deepEqual([answer.status, codeOf(answer)], [400, 'body_not_raw'])
  })

  it('answers 500 and reports it when it is given a parsed body', async () => {
    const reported: unknown[] = []
    const receiver = createReceiver({ secret, onError: (error) => reported.push(error) })
    const { headers } = await signDelivery(started, { secret })

    const answer = await receiver.handle({ headers, body: started as unknown as Uint8Array })

    assert.deepEqual([answer.status, codeOf(answer)], [500, 'body_not_raw'])
    assert.match(String(reported[0]), /parsed before verifying/)
  })

  it('takes the new and the old secret while one is being replaced', async () => {
    const old = testSecret()
    const receiver = createReceiver({ secret: [secret, old] }).onAny(() => {})

    assert.equal((await deliver(receiver)).status, 200)
    assert.equal((await deliver(receiver, started, { secret: old })).status, 200)
  })

  it('answers 500 when a handler throws, tells the sender nothing of the error, and works again on the next attempt', async () => {
    const reported: unknown[] = []
    const failure = new Error('salary of Ada is 4250')
    let failing = true
    const receiver = createReceiver({ secret, once: onceInMemory(), onError: (error, event) => reported.push([error, event]) }).onAny(
      () => {
        if (failing) throw failure
      },
    )

    const failed = await deliver(receiver)
    failing = false
    const repeated = await deliver(receiver)

    assert.equal(failed.status, 500)
    assert.doesNotMatch(JSON.stringify(failed), /Ada|4250/)
    assert.deepEqual(reported, [[failure, { id: 'evt_started', type: 'employment.started' }]])
    assert.deepEqual([repeated.status, repeated.body], [200, '{"handled":true}'])
  })

  it('answers also when its own logging fails', async () => {
    const receiver = createReceiver({
      secret,
      onError: () => {
        throw new Error('log is full')
      },
    }).onAny(() => Promise.reject(new Error('no')))

    assert.equal((await deliver(receiver)).status, 500)
  })

  it('lets a handler ask for a later attempt, and say that the endpoint is gone', async () => {
    const receiver = createReceiver({ secret, onError: () => assert.fail('an answer is not an error') })
      .on('employment.started', () => {
        throw new RetryLater(89.5)
      })
      .on('employment.terminated', () => {
        throw new Gone()
      })

    const later = await deliver(receiver)
    const gone = await deliver(receiver, terminated)

    assert.deepEqual([later.status, later.headers['retry-after']], [503, '90'])
    assert.equal(gone.status, 410)
    assert.throws(() => new RetryLater(Number.NaN), RangeError)
  })

  it('says 200 only after the inbox has committed', async () => {
    const steps: string[] = []
    const once: Inbox = {
      async process(_event, work) {
        await work(undefined)
        await new Promise((resolve) => setImmediate(resolve))
        steps.push('committed')
        return 'processed'
      },
    }
    const receiver = createReceiver({ secret, once }).onAny(() => steps.push('handled'))

    await deliver(receiver)
    steps.push('answered')

    assert.deepEqual(steps, ['handled', 'committed', 'answered'])
  })

  it('answers 500 when the inbox cannot commit', async () => {
    const once: Inbox = { process: () => Promise.reject(new Error('disk full')) }

    assert.equal((await deliver(createReceiver({ secret, once, onError: () => {} }).onAny(() => {}))).status, 500)
  })

  it('gives the inbox the id, type, employee and sequence, with null where an event has none', async () => {
    const asked: unknown[] = []
    const once: Inbox = {
      async process(event) {
        asked.push(event)
        return 'duplicate'
      },
    }
    const receiver = createReceiver({ secret, once }).onAny(() => assert.fail('a duplicate reached a handler'))

    await deliver(receiver)
    await deliver(receiver, buildEvent('candidate.hired', candidateHired.example, { id: 'evt_hired' }))

    assert.deepEqual(asked, [
      { id: 'evt_started', type: 'employment.started', employeeId: 'emp_1', sequence: 1 },
      { id: 'evt_hired', type: 'candidate.hired', employeeId: null, sequence: null },
    ])
  })

  it('answers 413 to a body above its limit, 405 to another method, 400 to signed bytes that are no event', async () => {
    const receiver = createReceiver({ secret, maxBodyBytes: 2_000 }).onAny(() => assert.fail('none of these is an event'))
    const { headers } = await signDelivery(started, { secret })

    const large = await receiver.handle({ headers, body: new Uint8Array(2_001) })
    const got = await receiver.handle({ method: 'GET', headers: {}, body: new Uint8Array() })
    const typeless = await deliver(receiver, { id: 'evt_1' })

    assert.deepEqual([large.status, got.status, got.headers.allow, typeless.status], [413, 405, 'POST', 400])
    assert.equal(codeOf(typeless), 'not_an_event')
  })

  it('refuses to be built without a secret or with one that was cut', () => {
    assert.throws(() => createReceiver({ secret: [] }), /needs the secret/)
    assert.throws(() => createReceiver({ secret: undefined as unknown as string }), /needs the secret/)
    assert.throws(() => createReceiver({ secret: 'whsec_short' }), TypeError)
  })
})

describe('onceInMemory', () => {
  it('lets an event through once, and again after keepForMs', async () => {
    let present = Date.parse('2026-01-01T00:00:00Z')
    const now = () => new Date(present)
    const handled: string[] = []
    const receiver = createReceiver({ secret, now, once: onceInMemory({ keepForMs: 60_000, now }) }).onAny(({ id }) => handled.push(id))

    const first = await deliver(receiver, started, { now })
    const second = await deliver(receiver, started, { now })
    present += 60_001
    const third = await deliver(receiver, started, { now })

    assert.deepEqual([first.body, second.body, third.body], ['{"handled":true}', '{"duplicate":true}', '{"handled":true}'])
    assert.equal(second.status, 200)
    assert.equal(handled.length, 2)
  })

  it('answers 409 to a second delivery of an id while the first is being processed', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>()
    const receiver = createReceiver({ secret, once: onceInMemory() }).onAny(() => {
      enter()
      return released
    })

    const first = deliver(receiver)
    await entered
    const second = await deliver(receiver)
    release()

    assert.deepEqual([second.status, second.headers['retry-after']], [409, '5'])
    assert.equal((await first).status, 200)
    assert.equal((await deliver(receiver)).body, '{"duplicate":true}')
  })
})
