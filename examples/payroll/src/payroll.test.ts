import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { buildEvent, signDelivery, testSecret } from '@tenure/receiver/testing'
import { type Payroll, startPayroll } from './start-payroll.ts'
import { createDatabase, deliver, post, readJson, secret, send, storyOf, type TestDatabase } from './test-payroll.ts'

const given = process.env.TEST_DATABASE_ADMIN
const skip = given ? false : 'TEST_DATABASE_ADMIN names no PostgreSQL; npm test starts one'

describe('payroll', { skip }, () => {
  let database: TestDatabase
  let payroll: Payroll
  const logged: unknown[] = []

  before(async () => {
    database = await createDatabase(JSON.parse(given ?? '{}'))
    payroll = await startPayroll({ database: database.config, port: 0, secrets: [secret], log: (line) => logged.push(line) })
  })
  after(async () => {
    await payroll?.stop()
    await database?.drop()
  })

  const outcomesOf = async (employeeId: string) => {
    const { rows } = await database.pool.query('select outcome from effect where employee_id = $1 order by position', [employeeId])
    return rows.map(({ outcome }) => outcome)
  }
  const recordOf = (employmentId: string, query = '') => readJson(`${payroll.url}/records/${employmentId}${query}`)
  const deliverAll = async (events: readonly { readonly id: string }[]) => {
    for (const event of events) assert.deepEqual((await deliver(payroll.url, event)).body, '{"handled":true}')
  }

  it('opens the record with pay and tax profile, applies changes from their dates and closes it', async () => {
    const story = storyOf(1)

    await deliverAll([
      story.started(),
      story.paid('4100.00', '2021-01-01'),
      story.moved('Analyst', '2021-03-01'),
      story.renamed('King'),
      story.terminated('2022-01-01'),
    ])

    const record = await recordOf(story.employmentId)
    assert.equal(record.name, 'Ada King')
    assert.deepEqual(record.tax_profile, { country: 'DE', form: 'elstam' })
    assert.deepEqual([record.status, record.start_date, record.end_date], ['closed', '2020-02-01', '2022-01-01'])
    assert.deepEqual(
      record.compensation.map((row: Row) => [row.effective_date, row.components[0]?.amount]),
      [
        ['2020-02-01', '4000.00'],
        ['2021-01-01', '4100.00'],
      ],
    )
    assert.deepEqual(
      record.assignments.map((row: Row) => [row.effective_date, row.title]),
      [
        ['2020-02-01', 'Clerk'],
        ['2021-03-01', 'Analyst'],
      ],
    )
    assert.deepEqual(await outcomesOf(story.employeeId), ['opened', 'applied', 'applied', 'applied', 'closed'])
  })

  it('pays what holds on the day that is asked for', async () => {
    const story = storyOf(2)
    await deliverAll([story.started(), story.paid('4100.00', '2021-01-01'), story.paid('5000.00', '2999-01-01')])

    const amounts = []
    for (const day of ['2020-12-31', '2021-01-01', '2999-01-01']) {
      const { data } = await readJson(`${payroll.url}/records?as_of=${day}&limit=1000`)
      const record = data.find((one: Row) => one.employment_id === story.employmentId)
      amounts.push(record.compensation[0].components[0].amount)
    }

    assert.deepEqual(amounts, ['4000.00', '4100.00', '5000.00'])
  })

  it('lets a later event for the same date replace pay, and an older one that comes late not', async () => {
    const story = storyOf(3)
    const started = story.started()
    const older = story.paid('4100.00', '2021-01-01')
    const newer = story.paid('4200.00', '2021-01-01')
    const newest = story.paid('4300.00', '2021-01-01')

    await deliverAll([started, newer, older, newest])

    const { compensation } = await recordOf(story.employmentId)
    assert.deepEqual(
      compensation.map((row: Row) => row.components[0]?.amount),
      ['4000.00', '4300.00'],
    )
    assert.deepEqual(await outcomesOf(story.employeeId), ['opened', 'applied', 'superseded', 'applied'])
  })

  it('keeps what comes before its record, and the record has it once it is opened', async () => {
    const story = storyOf(4)
    const started = story.started()
    const paid = story.paid('4100.00', '2021-01-01')
    const terminated = story.terminated('2022-01-01')

    await deliverAll([paid, terminated])
    const early = await recordOf(story.employmentId)
    await deliverAll([started])

    const record = await recordOf(story.employmentId)
    assert.deepEqual([early.status, early.opened_at], ['closed', null])
    assert.deepEqual([record.status, record.name, record.end_date], ['closed', 'Ada Byron 4', '2022-01-01'])
    assert.notEqual(record.opened_at, null)
    assert.equal(record.compensation.length, 2)
    assert.deepEqual(await outcomesOf(story.employeeId), ['no_record', 'no_record', 'opened'])
  })

  it('knows a planned end, and forgets it when it is withdrawn', async () => {
    const story = storyOf(5)

    await deliverAll([story.started(), story.ending('2999-01-01')])
    const planned = await recordOf(story.employmentId)
    await deliverAll([story.staying()])

    assert.deepEqual([planned.status, planned.end_date], ['open', '2999-01-01'])
    assert.equal((await recordOf(story.employmentId)).end_date, null)
  })

  it('has one effect for the same event twenty times at once', async () => {
    const story = storyOf(6)
    const delivery = await signDelivery(story.started(), { secret })

    const answers = await Promise.all(Array.from({ length: 20 }, () => post(payroll.url, delivery)))

    assert.equal(answers.filter(({ body }) => body === '{"handled":true}').length, 1)
    assert.deepEqual(new Set(answers.map(({ status }) => status)).difference(new Set([200, 409])), new Set())
    assert.deepEqual(await outcomesOf(story.employeeId), ['opened'])
    assert.equal((await post(payroll.url, delivery)).body, '{"duplicate":true}')
  })

  it('counts a duplicate on the wire as a request and not as an effect', async () => {
    const story = storyOf(7)
    const event = story.started()
    const before = await readJson(`${payroll.url}/reconciliation`)

    await deliver(payroll.url, event)
    await deliver(payroll.url, event)
    await deliver(payroll.url, event, testSecret())

    const now = await readJson(`${payroll.url}/reconciliation?employees`)
    const grown = (answer: string) => now.requests[answer] - (before.requests[answer] ?? 0)
    assert.deepEqual(['received', 'handled', 'duplicate', 'refused'].map(grown), [3, 1, 1, 1])
    assert.deepEqual([now.effects - before.effects, now.duplicates], [1, 0])
    assert.equal(now.last_sequences[story.employeeId], 1)
  })

  it('changes nothing for a forged request', async () => {
    const story = storyOf(8)
    const rows = async () =>
      (await database.pool.query('select (select count(*) from effect) as effects, (select count(*) from tenure_inbox) as inbox')).rows[0]
    const before = await rows()
    const { headers, body } = await signDelivery(story.started(), { secret })

    const forged = await deliver(payroll.url, story.started(), testSecret())
    const altered = await post(payroll.url, {
      headers,
      body: new TextEncoder().encode(new TextDecoder().decode(body).replace('4000', '9000')),
    })

    assert.deepEqual([forged.status, altered.status], [400, 400])
    assert.deepEqual(await rows(), before)
    assert.equal((await send(`${payroll.url}/records/${story.employmentId}`, {})).status, 404)
  })

  it('notes events that it has nothing to do for, and types that it does not know', async () => {
    const test = buildEvent('webhook.test', { endpoint_id: 'end_1', message: 'hello' })
    const unknown = { ...test, id: 'evt_unknown', type: 'leave_request.approved' }

    await deliverAll([test, unknown])

    const { rows } = await database.pool.query('select type, outcome from effect where event_id = any($1) order by position', [
      [test.id, unknown.id],
    ])
    assert.deepEqual(rows, [
      { type: 'webhook.test', outcome: 'noted' },
      { type: 'leave_request.approved', outcome: 'noted' },
    ])
  })

  it('stores no pay that the endpoint may not see, and says so', async () => {
    const story = storyOf(9)
    const started = story.started()
    const { data, ...envelope } = story.paid('4100.00', '2021-01-01')
    const components = [{ kind: 'base', currency: 'EUR', period: 'month' }]

    const restricted = { ...envelope, data: { ...data, compensation: { ...data.compensation, components } } }
    await deliverAll([started, restricted])

    assert.equal((await recordOf(story.employmentId)).compensation.length, 1)
    assert.deepEqual(await outcomesOf(story.employeeId), ['opened', 'restricted'])
  })

  it('lets a bad event fail by itself in the middle of a burst, and takes all others', async () => {
    const stories = Array.from({ length: 60 }, (_, number) => storyOf(100 + number))
    const events = stories.map((story) => story.started())
    const bad = { ...storyOf(99).started(), effective_date: 'not a date' }

    const answers = await Promise.all([...events.slice(0, 30), bad, ...events.slice(30)].map((event) => deliver(payroll.url, event)))

    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(30).fill(200), 500, ...Array(30).fill(200)],
    )
    for (const { employeeId } of stories) assert.deepEqual(await outcomesOf(employeeId), ['opened'])
    const [line] = logged.splice(0) as { event_id: string; code: string }[]
    assert.deepEqual([line?.event_id, line?.code], [bad.id, '22007'])
  })

  it('remembers what a burst has done: all of it again has no effect', async () => {
    const deliveries = await Promise.all(
      Array.from({ length: 60 }, (_, number) => signDelivery(storyOf(200 + number).started(), { secret })),
    )
    const burst = () => Promise.all(deliveries.map((delivery) => post(payroll.url, delivery)))

    const [first, second] = [await burst(), await burst()]

    assert.deepEqual(new Set(first.map(({ body }) => body)), new Set(['{"handled":true}']))
    assert.deepEqual(new Set(second.map(({ body }) => body)), new Set(['{"duplicate":true}']))
  })

  it('shows names as text, whatever they are', async () => {
    const story = storyOf(10, { given_name: '<script>alert(1)</script>', family_name: '"&\'' })
    await deliverAll([story.started()])

    const { body, headers } = await send(`${payroll.url}/?limit=1000`, {})

    assert.match(body, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &quot;&amp;&#39;/)
    assert.doesNotMatch(body, /<script/)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
  })

  it('pages through all records, each once, with totals', async () => {
    const seen = []
    let next: string | null = ''
    for (let pages = 0; next !== null && pages < 100; pages++) {
      const page: { data: Row[]; next: string | null; totals: { records: number } } = await readJson(
        `${payroll.url}/records?limit=2${next ? `&after=${next}` : ''}`,
      )
      seen.push(...page.data.map(({ employment_id }) => employment_id))
      next = page.next
      if (next === null) assert.equal(seen.length, page.totals.records)
    }
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(seen.length > 3)
  })

  it('answers a wrong question with a sentence and no error', async () => {
    const wrong = ['/records?as_of=2026-02-30', '/records?limit=0', '/records?status=x', '/records?after=%00', '/?as_of=x', '/?limit=NaN']
    for (const path of wrong) assert.equal((await send(payroll.url + path, {})).status, 400, path)
    assert.equal((await send(`${payroll.url}/records/%00`, {})).status, 404)
    assert.equal((await send(payroll.url, { headers: { host: 'rebound.example' } })).status, 421)
    assert.equal((await send(payroll.url, { path: '//[' })).status, 400)
    assert.equal((await send(`${payroll.url}/records`, { method: 'DELETE' })).status, 405)
    assert.equal((await send(`${payroll.url}/health`, {})).status, 200)
    assert.deepEqual(logged, [])
  })

  it('starts again on the tables that are there, and stops with idle connections open', { timeout: 20_000 }, async () => {
    const second = await startPayroll({ database: database.config, port: 0, secrets: [secret] })
    await fetch(`${second.url}/health`).then((response) => response.text())

    await second.stop()

    await assert.rejects(send(`${second.url}/health`, {}), { code: 'ECONNREFUSED' })
  })
})

type Row = {
  readonly employment_id: string
  readonly effective_date: string
  readonly title: string
  readonly components: readonly { readonly amount: string }[]
}
