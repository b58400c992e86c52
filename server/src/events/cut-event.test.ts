import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CATALOGUE, classOf, PersonRecord } from '@tenure/contract'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { type CutEvent, cutEvent, DETAILS, grantablePaths, type View } from './cut-event.ts'
import { withoutElements } from './field-paths.ts'
import { everyField, storedExample } from './test-payloads.ts'

const GRANTS = [...grantablePaths(CATALOGUE.map(({ data }) => data))]
const definitions = fc.constantFrom(...CATALOGUE)
const grants = fc.subarray(GRANTS)
const views: fc.Arbitrary<View> = fc.record({ detail: fc.constantFrom(...DETAILS), grants })
const cases = fc.record({ definition: definitions, view: views, previous: fc.option(fc.constant('evt_before')) })

const isGranted = (path: string, view: View) =>
  view.grants.some((grant) => grant === 'personal' || withoutElements(path) === grant || withoutElements(path).startsWith(`${grant}.`))

/** Each leaf of a payload with its class and a value that stands nowhere else. */
function markedEvent(definition: (typeof CATALOGUE)[number]) {
  const fields = everyField(definition.data)
  return { fields, event: storedExample(definition.type, fields.data, fields.data) }
}

const isVisible = (fieldClass: string | undefined, path: string, view: View) =>
  view.detail === 'full' && (fieldClass === 'public' || fieldClass === 'internal' || (fieldClass === 'personal' && isGranted(path, view)))

describe('an event cut to a view', () => {
  it('holds no value that the view does not grant, in any type of event', () => {
    fc.assert(
      fc.property(cases, ({ definition, view, previous }) => {
        const { fields, event } = markedEvent(definition)
        const text = JSON.stringify(cutEvent(event, view, previous))
        for (const { path, fieldClass, identifier, mark } of fields.leaves) {
          const expected = isVisible(fieldClass, path, view) || (view.detail !== 'full' && identifier)
          assert.equal(text.includes(mark), expected, `${definition.type} ${path} (${fieldClass}) by ${JSON.stringify(view)}`)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('names exactly the fields that it cut, and cuts previous_attributes alike', () => {
    fc.assert(
      fc.property(cases, ({ definition, view }) => {
        const { fields, event } = markedEvent(definition)
        const cut = cutEvent(event, { ...view, detail: 'full' }, null)
        const expected = fields.leaves.filter(({ fieldClass, path }) => !isVisible(fieldClass, path, { ...view, detail: 'full' }))
        assert.deepEqual(cut.restricted, [...new Set(expected.map(({ path }) => path))].sort())
        assert.deepEqual(cut.previous_attributes, cut.data)
      }),
      { numRuns: 1_000 },
    )
  })

  it('carries identifiers only when it is cut to ids, and with them the names of the changed fields when cut to changed', () => {
    for (const definition of CATALOGUE) {
      const { fields, event } = markedEvent(definition)
      for (const detail of ['ids', 'changed'] as const) {
        const cut = cutEvent({ ...event, changed: ['person.email'] }, { detail, grants: ['personal'] }, null)
        const kept = leavesOf(cut.data)
        const identifiers = fields.leaves.filter(({ identifier }) => identifier).map(({ mark }) => mark)
        assert.deepEqual(kept.sort(), identifiers.sort(), definition.type)
        assert.deepEqual(cut.previous_attributes, {})
        assert.deepEqual(cut.restricted, [])
        assert.deepEqual(cut.changed, detail === 'ids' ? [] : ['person.email'])
      }
    }
  })

  it('leaves its input as it was, and answers the same again', () => {
    fc.assert(
      fc.property(cases, ({ definition, view, previous }) => {
        const event = deepFreeze(markedEvent(definition).event)
        const first = JSON.stringify(cutEvent(event, view, previous))
        assert.equal(JSON.stringify(cutEvent(event, view, previous)), first)
      }),
      { numRuns: 300 },
    )
  })

  it('leaves the envelope as it was', () => {
    for (const definition of CATALOGUE) {
      const { event } = markedEvent(definition)
      for (const detail of DETAILS) {
        const { data: _d, changed: _c, previous_attributes: _p, ...rest } = event
        const cut: CutEvent = cutEvent(event, { detail, grants: [] }, 'evt_before')
        for (const [name, value] of Object.entries(rest)) assert.deepEqual(cut[name as keyof CutEvent], value, name)
        assert.equal(cut.previous_event_id, 'evt_before')
      }
    }
  })

  it('cuts a field that the schema does not know, and names it', () => {
    const { event } = markedEvent(CATALOGUE[0])
    const strange = { ...event, data: { ...event.data, salary: 'never', nested: { deep: 'never' }, list: [{ kind: 'a', v: 'never' }] } }
    const cut = cutEvent(strange, { detail: 'full', grants: ['personal'] }, null)
    assert.ok(!JSON.stringify(cut.data).includes('never'))
    for (const path of ['salary', 'nested', 'list']) assert.ok(cut.restricted.includes(path), path)
    for (const detail of ['ids', 'changed'] as const)
      assert.ok(!JSON.stringify(cutEvent(strange, { detail, grants: ['personal'] }, null)).includes('never'))
  })

  it('is not led astray by names that objects have anyway', () => {
    const { event } = markedEvent(CATALOGUE[0])
    const hostile = JSON.parse(
      '{"constructor":"never","toString":"never","__proto__":{"x":"never"},"candidate":{"__proto__":"never","valueOf":"never"}}',
    )
    const cut = cutEvent({ ...event, data: hostile }, { detail: 'full', grants: ['personal'] }, null)
    assert.ok(!JSON.stringify(cut.data).includes('never'))
  })

  it('names a changed field that no event carries, such as a secret one', () => {
    const { event } = markedEvent(CATALOGUE.find(({ type }) => type === 'employee.updated')!)
    const changed = ['person.national_id', 'person.email']
    const cut = cutEvent({ ...event, changed }, { detail: 'full', grants: ['personal'] }, null)
    assert.deepEqual(cut.restricted, ['person.national_id'])
    assert.deepEqual(cut.changed, changed)
  })

  it('grants a field by its own path or one above it, and no other by a name that begins alike', () => {
    const definition = CATALOGUE.find(({ type }) => type === 'employment.started')!
    const { fields, event } = markedEvent(definition)
    for (const grant of GRANTS.filter((path) => path !== 'personal')) {
      const text = JSON.stringify(cutEvent(event, { detail: 'full', grants: [grant] }, null))
      for (const { path, mark } of fields.leaves.filter(({ fieldClass }) => fieldClass === 'personal')) {
        const plain = withoutElements(path)
        assert.equal(text.includes(mark), plain === grant || plain.startsWith(`${grant}.`), `${grant} shows ${path}`)
      }
    }
    const none = JSON.stringify(cutEvent(event, { detail: 'full', grants: ['person.e', 'perso', '', 'person.', '*'] }, null))
    for (const { mark } of fields.leaves.filter(({ fieldClass }) => fieldClass === 'personal')) assert.ok(!none.includes(mark))
  })
})

describe('the paths that can be granted', () => {
  it('are those of personal fields and what stands above them, never of secret or internal ones', () => {
    const personal = new Set(
      CATALOGUE.flatMap(({ data }) =>
        everyField(data)
          .leaves.filter((leaf) => leaf.fieldClass === 'personal')
          .map(({ path }) => withoutElements(path)),
      ),
    )
    for (const path of personal) assert.ok(GRANTS.includes(path), path)
    for (const grant of GRANTS.filter((path) => path !== 'personal'))
      assert.ok(
        [...personal].some((path) => path === grant || path.startsWith(`${grant}.`)),
        grant,
      )
    const ofRecord = grantablePaths([PersonRecord])
    assert.ok(!ofRecord.has('national_id') && !ofRecord.has('tax_elections') && !ofRecord.has('tax_profile') && ofRecord.has('email'))
  })
})

describe('the marks that these tests rely on', () => {
  it('stand in every leaf of every type of event', () => {
    for (const definition of CATALOGUE) {
      const { fields, event } = markedEvent(definition)
      const text = JSON.stringify(event.data)
      assert.equal(new Set(fields.leaves.map(({ mark }) => mark)).size, fields.leaves.length)
      for (const { mark, path } of fields.leaves) assert.ok(text.includes(mark), path)
      assert.equal(fields.leaves.length, countLeaves(definition.data), definition.type)
    }
  })
})

function countLeaves(schema: TSchema): number {
  if (classOf(schema)) return 1
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema }
  if (items) return countLeaves(items)
  let leaves = 0
  for (const its of Object.values(properties ?? {})) leaves += countLeaves(its)
  return leaves
}

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value]
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
