import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { differences, previousAttributes, withoutElements } from './field-paths.ts'

const name = fc.constantFrom('email', 'name', 'city', 'a_b', 'x')
const leaf = fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean(), fc.array(fc.string({ maxLength: 2 }), { maxLength: 3 }))
const component = fc.record(
  { amount: fc.integer({ min: 1, max: 3 }).map(String), currency: fc.constantFrom('EUR', 'USD') },
  { requiredKeys: ['amount'] },
)
const components = fc
  .uniqueArray(fc.constantFrom('base', 'bonus', 'equity'), { minLength: 1, maxLength: 3 })
  .chain((kinds) => fc.tuple(...kinds.map((kind) => component.map((its) => ({ kind, ...its })))))
const record = fc.record({
  person: fc.dictionary(name, fc.oneof(leaf, fc.dictionary(name, leaf, { maxKeys: 3 })), { maxKeys: 4 }),
  pay: fc.oneof(
    fc.constant({}),
    components.map((list) => ({ components: list })),
  ),
})

/** The value at a path, read in the slow and obvious way. */
function at(value: unknown, path: string): unknown {
  let found: unknown = value
  for (const step of path.split('.')) {
    const [, field, kind] = /^([^[]+)(?:\[(.+)\])?$/.exec(step)!
    found = (found as Record<string, unknown> | undefined)?.[field!]
    if (kind) found = (found as { kind: string }[] | undefined)?.find((element) => element.kind === kind)
  }
  return found
}

describe('the differences of two values', () => {
  it('are none where the values are the same, whatever the order of fields and elements', () => {
    fc.assert(
      fc.property(record, (value) => {
        assert.deepEqual(differences(value, structuredClone(value)), [])
        assert.deepEqual(differences(value, reversed(value)), [])
      }),
    )
  })

  it('name each path once, with the values that stand there', () => {
    fc.assert(
      fc.property(record, record, (before, after) => {
        const changes = differences(before, after)
        assert.equal(new Set(changes.map(({ path }) => path)).size, changes.length)
        for (const change of changes) {
          assert.deepEqual(change.before, at(before, change.path), change.path)
          assert.deepEqual(change.after, at(after, change.path), change.path)
          assert.notDeepEqual(change.before, change.after)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('are the same paths the other way round', () => {
    fc.assert(
      fc.property(record, record, (before, after) => {
        const paths = (from: unknown, to: unknown) =>
          differences(from, to)
            .map(({ path }) => path)
            .sort()
        assert.deepEqual(paths(before, after), paths(after, before))
      }),
    )
  })

  it('name an element of a list by its kind, so that one more does not move the others', () => {
    const before = {
      pay: [
        { kind: 'base', amount: '1' },
        { kind: 'bonus', amount: '2' },
      ],
    }
    const after = {
      pay: [
        { kind: 'equity', amount: '9' },
        { kind: 'bonus', amount: '2' },
        { kind: 'base', amount: '3' },
      ],
    }
    assert.deepEqual(
      differences(before, after)
        .map(({ path }) => path)
        .sort(),
      ['pay[base].amount', 'pay[equity].amount', 'pay[equity].kind'],
    )
  })
})

describe('previous attributes', () => {
  it('hold the old value of every changed field that had one, in the shape of the data, and nothing else', () => {
    fc.assert(
      fc.property(record, record, (before, after) => {
        const changes = differences(before, after)
        const previous = previousAttributes(changes)
        for (const { path, before: old } of changes) assert.deepEqual(at(previous, path), old, path)
        const had = changes.filter(({ before: old }) => old !== undefined).map(({ path }) => path)
        const kept = differences({}, previous)
          .map(({ path }) => path)
          .filter((path) => !path.endsWith('].kind') || had.includes(path))
        assert.deepEqual(kept.sort(), had.filter((path) => leafOf(at(before, path))).sort())
      }),
      { numRuns: 500 },
    )
  })

  it('are empty where nothing was there before', () => {
    assert.deepEqual(previousAttributes(differences({}, { person: { email: 'a@b.c' } })), {})
  })

  it('cannot reach the prototype of anything', () => {
    const after = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"constructor": 2}}')
    previousAttributes(differences(after, {}))
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })
})

it('a path without the names of its elements is the one that grants name', () => {
  assert.equal(withoutElements('compensation.components[base].amount'), 'compensation.components.amount')
})

const leafOf = (value: unknown) =>
  !(typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0)

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.some((one) => typeof one === 'object') ? value.toReversed().map(reversed) : value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}
