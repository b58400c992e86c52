import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { systemActor } from '../access/actor.ts'
import type { StoredEvent } from '../events/stored-event.ts'
import { changeAssignment } from './employees/change-assignment.ts'
import { changeCompensation } from './employees/change-compensation.ts'
import { createEmployee } from './employees/create-employees.ts'
import { openDueEvents } from './employees/open-due-events.ts'
import { getEmployee, getEmployeeHistory } from './employees/queries.ts'
import { type Company, createCompany } from './testing/company.ts'

/**
 * The naive model: every command is kept as it was entered, and a question replays those that were entered by then. A
 * command holds from its date to the next date that was known when it was entered. Nothing is split, closed or superseded.
 */
type Entry = { readonly enteredAt: number; readonly from: string; readonly value: string }
type Model = { readonly startDate: string; readonly pay: Entry[]; readonly title: Entry[] }

/** The value of each day on which it changes, as known at a moment. */
function knownThen(entries: readonly Entry[], knownAt: number): Map<string, string> {
  const starts = new Map<string, string>()
  for (const { enteredAt, from, value } of entries) if (enteredAt <= knownAt) starts.set(from, value)
  return starts
}

function valueOn(entries: readonly Entry[], date: string, knownAt: number): string | undefined {
  const starts = knownThen(entries, knownAt)
  const from = [...starts.keys()]
    .filter((start) => start <= date)
    .sort()
    .at(-1)
  return from === undefined ? undefined : starts.get(from)
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Changes are a millisecond apart, so that each can be asked for. */
const MOMENT = 1
const LAST_WAIT = { does: 'wait', hours: 700, awake: true } as const
const START = Date.parse('2026-06-15T10:00:00Z')
const BIRTH_OF_JOB = '2026-05-20'
const dateOf = (moment: number) => new Date(moment).toISOString().slice(0, 10)
const dayAt = (offset: number) => dateOf(START + offset * DAY)

/** What can happen, with dates some days before and after the first day of the test. */
const step = fc.oneof(
  fc.record({ does: fc.constant('pay' as const), day: fc.integer({ min: -20, max: 25 }), value: fc.constantFrom('4000', '4100', '4200') }),
  fc.record({ does: fc.constant('title' as const), day: fc.integer({ min: -20, max: 25 }), value: fc.constantFrom('Analyst', 'Lead') }),
  fc.record({ does: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 150 }), awake: fc.boolean() }),
)
type Step = { does: 'pay' | 'title'; day: number; value: string } | { does: 'wait'; hours: number; awake: boolean }

const pay = (amount: string) => ({
  components: [{ kind: 'base' as const, amount, currency: 'EUR', period: 'month' as const }],
  pay_frequency: 'monthly' as const,
})

describe('a job and its pay over random changes', () => {
  let company: Company
  before(async () => {
    company = await createCompany({ timeZone: 'UTC' })
  })
  after(() => company.close())
  const actor = systemActor('test', 'test')

  it('answer every date and every moment like a model that replays what was entered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const run = await play(steps)
        await answersMatch(run)
        await believedFactsDoNotOverlap(run.employeeId)
      }),
      { numRuns: 150 },
    )
  })

  it('tell each effective change by one event, in a gapless sequence, and tell nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const { employeeId, expected } = await play(steps)
        const events = (await eventsOf(employeeId)).map(({ type, effective_date, data, previous_attributes }) => ({
          type,
          date: effective_date,
          now: valueIn(data),
          before: valueIn(previous_attributes),
        }))
        assert.deepEqual(events.slice(2), expected)
        assert.deepEqual(
          (await eventsOf(employeeId)).map(({ sequence }) => sequence),
          events.map((_, at) => at + 1),
        )
      }),
      { numRuns: 150 },
    )
  })

  type Expected = { type: string; date: string; now: string | undefined; before: string | undefined }
  type Run = { readonly employeeId: string; readonly model: Model; readonly moments: number[]; readonly expected: Expected[] }

  /** Plays the steps against the company and the model. The scheduler runs after some waits, sleeps through others, and runs at the end. */
  async function play(steps: readonly Step[]): Promise<Run> {
    let now = START
    company.at(new Date(now).toISOString())
    const { employeeId } = await company.change((change) =>
      createEmployee(change, {
        person: { given_name: 'Ada', family_name: 'Byron' },
        start_date: BIRTH_OF_JOB,
        assignment: { title: 'Analyst' },
        compensation: pay('4000'),
      }),
    )
    const first = { enteredAt: now, from: BIRTH_OF_JOB }
    const model: Model = { startDate: BIRTH_OF_JOB, pay: [{ ...first, value: '4000' }], title: [{ ...first, value: 'Analyst' }] }
    const moments = [now]
    const expected: Expected[] = []
    let toldUntil = now
    const tellUntilNow = () => {
      expected.push(...comeTrue(model, toldUntil, now))
      toldUntil = now
    }
    for (const one of [...steps, LAST_WAIT]) {
      now += one.does === 'wait' ? one.hours * HOUR : MOMENT
      company.at(new Date(now).toISOString())
      // Whoever comes first tells what came true meanwhile: the scheduler, or a command before its own change.
      if (one.does !== 'wait' || one.awake) tellUntilNow()
      if (one.does !== 'wait') expected.push(...(await enter(employeeId, model, one, now)))
      else if (one.awake) await openDueEvents(company.ground, new Date(now))
      moments.push(now)
    }
    return { employeeId, model, moments, expected }
  }

  async function enter(employeeId: string, model: Model, { does, day, value }: Exclude<Step, { does: 'wait' }>, now: number) {
    const date = dayAt(day)
    const before = valueOn(model[does], date, now)
    const changed = await company.change((change) =>
      does === 'pay'
        ? changeCompensation(change, employeeId, { effective_date: date, ...pay(value) })
        : changeAssignment(change, employeeId, { effective_date: date, title: value }),
    )
    assert.equal(changed, before !== value)
    if (!changed) return []
    model[does].push({ enteredAt: now, from: date, value })
    return date <= dateOf(now) ? [{ type: TYPES[does], date, now: value, before }] : []
  }

  /** What the model says comes true between two moments: each day on which a value differs from the day before. */
  function comeTrue(model: Model, since: number, until: number): Expected[] {
    const found: Expected[] = []
    for (let day = since - (since % DAY) + DAY; day <= until; day += DAY) {
      for (const does of ['title', 'pay'] as const) {
        const now = valueOn(model[does], dateOf(day), since)
        const before = valueOn(model[does], dateOf(day - DAY), since)
        if (now !== before) found.push({ type: TYPES[does], date: dateOf(day), now, before })
      }
    }
    return found
  }

  async function answersMatch({ employeeId, model, moments }: Run): Promise<void> {
    const dates = [...new Set([...model.pay, ...model.title].flatMap(({ from }) => [from, dateOf(Date.parse(from) - DAY)]))]
    await company.database.withTenant(company.tenantId, async (tx) => {
      for (const asOf of dates.filter((date) => date >= model.startDate)) {
        for (const moment of moments) {
          const view = await getEmployee(tx, company.ground.vault, actor, employeeId, { asOf, knownAt: new Date(moment) })
          const [job] = view['assignments'] as { title: string }[]
          const [paid] = view['compensations'] as { components: { amount: string }[] }[]
          assert.deepEqual(
            { asOf, moment, title: job?.title, pay: paid?.components[0]?.amount },
            { asOf, moment, title: valueOn(model.title, asOf, moment), pay: valueOn(model.pay, asOf, moment) },
          )
        }
      }
    })
  }

  async function believedFactsDoNotOverlap(employeeId: string): Promise<void> {
    const history = await company.database.withTenant(company.tenantId, (tx) =>
      getEmployeeHistory(tx, company.ground.vault, actor, employeeId),
    )
    type Believed = { subject_id: string; valid_from: string; valid_to: string | null; superseded_at: string | null }
    const believed = (history as Believed[]).filter(({ superseded_at }) => superseded_at === null)
    for (const facts of Map.groupBy(believed, ({ subject_id }) => subject_id).values()) {
      const inOrder = facts.toSorted((a, b) => (a.valid_from < b.valid_from ? -1 : 1))
      for (const [at, { valid_to }] of inOrder.entries()) assert.equal(valid_to, inOrder[at + 1]?.valid_from ?? null)
    }
  }

  async function eventsOf(employeeId: string): Promise<StoredEvent[]> {
    return company.events({ employeeId })
  }
})

const TYPES = { pay: 'compensation.changed', title: 'assignment.changed' }

/** The one value that a run changes, wherever it stands. */
function valueIn(data: Record<string, unknown>): string | undefined {
  const { assignment, compensation } = data as { assignment?: { title?: string }; compensation?: { components?: { amount: string }[] } }
  return assignment?.title ?? compensation?.components?.[0]?.amount
}
