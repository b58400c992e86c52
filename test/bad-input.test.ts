import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { hostileBodies, LISTS, mutations, TEXTS } from './doors/hostile.ts'
import { createNamed, type Named, type Operation, readOperations, requestOf } from './doors/operations.ts'
import { type Answer, type Call, type Doors, openDoors } from './doors/platform.ts'

const CANARY = 'canary-4471'
const SEED = 20_261_123
const ROUNDS = 700

const cursorOf = (text: string) => Buffer.from(text.startsWith('[') ? text : JSON.stringify([text])).toString('base64url')

/** Every operation of the API's own document, over real sockets, with what nobody should send. */
describe('whatever is sent', () => {
  let doors: Doors
  let operations: Operation[]
  let own: { readonly tenantId: string; readonly key: string }
  let named: Named
  const tally: Record<string, number> = {}
  before(async () => {
    doors = await openDoors()
    operations = await readOperations(doors)
    own = await doors.newTenant()
    named = await createNamed(doors, own)
  })
  after(() => doors.stop())

  /** How much there is of what a change leaves behind. */
  const traces = async () => {
    const [row] = await doors.sql<{ traces: string }>(
      "select concat_ws(' ', (select count(*) from audit_entry), (select count(*) from event), (select count(*) from person), (select count(*) from delivery), (select count(*) from import)) as traces",
    )
    return row!.traces
  }

  /** Sends it, and says what is wrong with the answer: nothing, if it is one that the document declares and it quotes nothing. */
  async function faults(operation: Operation, call: Call, name: string): Promise<{ answer: Answer; faults: string[] }> {
    const answer = await doors.call({ ...call, key: own.key })
    const { status, type, text } = answer
    const at = `${operation.name} ${name}: ${status}`
    tally[status] = (tally[status] ?? 0) + 1
    if (status >= 500) return { answer, faults: [`${at} ${text}`] }
    if (status < 300) return { answer, faults: operation.statuses.includes(String(status)) ? [] : [`${at} is not declared`] }
    const isProblem = type.startsWith('application/problem+json') && JSON.parse(text).status === status
    return {
      answer,
      faults: [...(isProblem ? [] : [`${at} is no problem`]), ...(text.includes(CANARY) ? [`${at} quotes what was sent`] : [])],
    }
  }

  it('as a body is refused when no operation could take it, and leaves no trace', async () => {
    const before = await doors.fingerprint()
    const found: string[] = []
    for (const operation of operations.filter(({ method }) => method === 'POST' || method === 'PATCH')) {
      for (const [name, body] of hostileBodies(CANARY)) {
        const call = { ...requestOf(operation, named), body, type: operation.csv === undefined ? undefined : 'application/json' }
        const { answer, faults: wrong } = await faults(operation, call, name)
        found.push(...wrong)
        if (answer.status < 300) found.push(`${operation.name} took ${name}`)
      }
    }
    assert.deepEqual(found, [])
    assert.equal(await doors.fingerprint(), before)
  })

  it('as one field of a good body is taken or refused in declared words, and what is refused leaves no trace', async () => {
    const cases = operations.flatMap((operation) =>
      operation.body ? mutations(operation.body, CANARY).map(([name, body]) => ({ operation, name, body })) : [],
    )
    assert.ok(cases.length > ROUNDS)
    // A seeded choice of them: all of them take minutes.
    const [chosen = []] = fc.sample(fc.shuffledSubarray(cases, { minLength: ROUNDS, maxLength: ROUNDS }), { seed: SEED, numRuns: 1 })
    const found: string[] = []
    let before = await traces()
    let refused = 0
    for (const { operation, name, body } of chosen) {
      const { answer, faults: wrong } = await faults(operation, { ...requestOf(operation, named), body }, name)
      found.push(...wrong)
      const now = await traces()
      if (answer.status >= 400) {
        refused += 1
        if (now !== before) found.push(`${operation.name} ${name} was refused and changed something`)
      }
      before = now
    }
    assert.deepEqual(found, [])
    assert.ok(refused > ROUNDS / 3 && refused < ROUNDS, `${refused} refused`)
  })

  it('in path and query is answered in declared words, and changes nothing', async () => {
    const found: string[] = []
    const reads = operations.filter(({ method }) => method === 'GET')
    const before = await doors.fingerprint()
    for (const operation of reads) {
      const { path } = requestOf({ ...operation, query: '' }, named)
      const fields = ['limit', 'cursor', 'as_of', 'known_at', 'employee_number', 'subject_id', 'state', 'type', 'employee_id', '__proto__']
      for (const [number, text] of [...TEXTS(CANARY), ...LISTS].entries()) {
        const sent = encodeURIComponent(text)
        const field = fields[number % fields.length]!
        const query = [`${field}=${sent}`, `cursor=${cursorOf(text)}`, `${field}=1&${field}=${sent}`][number % 3]!
        found.push(...(await faults(operation, { method: 'GET', path: `${path}?${query}` }, query)).faults)
        if (!operation.path.includes('{')) continue
        const hostile = operation.path.replace(/\{\w+\}/, sent)
        // An id is named in the answer to whoever sent it; no other text is a place to look for it.
        found.push(
          ...(await faults(operation, { method: 'GET', path: hostile }, hostile)).faults.filter(
            (fault) => !fault.endsWith('quotes what was sent'),
          ),
        )
      }
    }
    assert.deepEqual(found, [])
    assert.equal(await doors.fingerprint(), before)
  })

  it('never stands in the log or in the metrics', async () => {
    assert.ok(doors.logLines.length > 1_000)
    const lines = [...doors.logLines, ...(await doors.metrics()).split('\n')].filter((line) => line.includes(CANARY))
    assert.deepEqual(lines, [])
    assert.ok(
      (tally['422'] ?? 0) > 300 && (tally['400'] ?? 0) > 100 && Object.keys(tally).every((status) => Number(status) < 500),
      JSON.stringify(tally),
    )
  })
})
