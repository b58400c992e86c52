import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { API_VERSION, CATALOGUE, EVENT_TYPES } from './catalogue.ts'
import { closed } from './define-event.ts'
import { classOf, FIELD_CLASSES, identifier, internal, isIdentifier, personal, publicField, secret } from './field-class.ts'
import * as shapes from './shapes.ts'

type Node = TSchema & {
  properties?: Record<string, TSchema>
  patternProperties?: Record<string, TSchema>
  items?: TSchema
  anyOf?: TSchema[]
  additionalProperties?: unknown
}

/** Paths of leaves that nobody classified. What stands below a classified field has its class. */
function unclassified(schema: TSchema, path = ''): string[] {
  if (classOf(schema)) return []
  const { properties, patternProperties, items, anyOf } = schema as Node
  if (properties) return Object.entries(properties).flatMap(([name, its]) => unclassified(its, path ? `${path}.${name}` : name))
  if (items) return unclassified(items, `${path}[]`)
  const branches = [...(anyOf ?? []), ...Object.values(patternProperties ?? {})]
  return branches.length > 0 ? branches.flatMap((branch) => unclassified(branch, path)) : [path || '(all of it)']
}

/** Paths of objects that would let an unknown field through. */
function open(schema: TSchema, path = ''): string[] {
  const { properties, items, additionalProperties } = schema as Node
  const here = properties && additionalProperties !== false ? [path || '(all of it)'] : []
  const below = Object.entries(properties ?? {}).flatMap(([name, its]) => open(its, path ? `${path}.${name}` : name))
  return [...here, ...below, ...(items ? open(items, `${path}[]`) : [])]
}

function classes(schema: TSchema): string[] {
  const { properties, items } = schema as Node
  return [classOf(schema) ?? [], ...Object.values(properties ?? {}).map(classes), items ? classes(items) : []].flat()
}

const RECORDS = [
  'Person',
  'PersonRecord',
  'TaxProfile',
  'Assignment',
  'CompensationComponent',
  'Compensation',
  'Employment',
  'Termination',
  'Candidate',
] as const

const SHAPES: Readonly<Record<string, TSchema>> = Object.fromEntries(
  Object.entries(shapes).filter(([, shape]) => !Array.isArray(shape)),
) as never

describe('the catalogue', () => {
  it('names events as subject.action in lower case, each once', () => {
    for (const type of EVENT_TYPES) assert.match(type, /^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/)
    assert.equal(new Set(EVENT_TYPES).size, EVENT_TYPES.length)
    assert.match(API_VERSION, /^\d{4}-\d{2}-\d{2}$/)
  })

  it('holds the events that receivers were promised', () => {
    assert.deepEqual([...EVENT_TYPES].sort(), [
      'assignment.changed',
      'candidate.created',
      'candidate.hired',
      'candidate.status_changed',
      'compensation.changed',
      'employee.created',
      'employee.updated',
      'employment.start_scheduled',
      'employment.started',
      'employment.terminated',
      'employment.termination_cancelled',
      'employment.termination_scheduled',
      'webhook.test',
    ])
  })

  for (const { type, data, example, meaning, version } of CATALOGUE) {
    it(`${type}: the example fits the schema, every field has a class, and nothing unknown or secret can be sent`, () => {
      const validator = Compile(data as TSchema)
      assert.deepEqual([...validator.Errors(example)], [])
      assert.deepEqual(unclassified(data), [])
      assert.deepEqual(open(data), [])
      assert.ok(!classes(data).includes('secret'))
      assert.ok(!validator.Check({ ...example, unknown_field: 1 }))
      assert.ok(meaning.length > 40 && Number.isInteger(version))
      for (const name of fieldNames(data)) assert.match(name, /^[a-z][a-z0-9_]*$/)
    })
  }
})

describe('the records of the API', () => {
  for (const name of RECORDS) {
    it(`${name}: every field has a class and unknown fields are refused`, () => {
      assert.deepEqual(unclassified(SHAPES[name]!), [])
      assert.deepEqual(open(SHAPES[name]!), [])
    })
  }

  it('has no shape that this test does not know', () => {
    const objects = Object.entries(SHAPES).filter(
      ([, shape]) => typeof shape === 'object' && 'properties' in shape && !classOf(shape as TSchema),
    )
    assert.deepEqual(objects.map(([name]) => name).sort(), ['Address', ...RECORDS].sort())
    assert.deepEqual(unclassified(personal(shapes.Address)), [], 'an address is classified where it is used')
  })

  it('keeps national ids and tax elections secret, and what describes a person personal', () => {
    const { national_id, tax_elections, ...rest } = shapes.PersonRecord.properties
    assert.equal(classOf(national_id), 'secret')
    assert.equal(classOf(tax_elections), 'secret')
    for (const [name, schema] of Object.entries(rest)) if (name !== 'tax_profile') assert.equal(classOf(schema), 'personal', name)
    assert.equal(classOf(shapes.CompensationComponent.properties.amount), 'personal')
    for (const [name, schema] of Object.entries(shapes.Termination.properties)) assert.equal(classOf(schema), 'personal', name)
  })

  it('takes amounts as decimal text, and never as a number, signed, in exponents or with commas', () => {
    const amount = Compile(shapes.DecimalAmount)
    for (const good of ['0', '0.5', '4250.00', '9999999999999.9999']) assert.ok(amount.Check(good), good)
    for (const bad of [4250, '-1', '+1', '1e3', '1,5', '01', '.5', '5.', '1.00000', '', ' 1', '1\n', '99999999999999', 'NaN', '٣'])
      assert.ok(!amount.Check(bad), String(bad))
  })
})

describe('the checks of this file', () => {
  it('find a leaf without a class, wherever it hides', () => {
    const planted = closed({
      fine: internal(Type.String()),
      lost: Type.String(),
      deep: closed({ fine: personal(Type.Object({ any: Type.String() })), lost: Type.Optional(Type.Boolean()) }),
      list: Type.Array(closed({ kind: internal(Type.String()), lost: Type.Number() })),
      union: Type.Union([Type.String(), Type.Null()]),
      record: Type.Record(Type.String(), Type.String()),
    })
    assert.deepEqual(unclassified(planted), ['lost', 'deep.lost', 'list[].lost', 'union', 'union', 'record'])
  })

  it('find an object that lets unknown fields through', () => {
    assert.deepEqual(open(closed({ inner: Type.Object({ a: Type.String() }), list: Type.Array(Type.Object({})) })), ['inner', 'list[]'])
    assert.deepEqual(open(Type.Object({ a: Type.String() })), ['(all of it)'])
  })

  it('find a secret in an event', () => {
    assert.ok(classes(closed({ list: Type.Array(closed({ id: secret(Type.String()) })) })).includes('secret'))
  })
})

describe('a field class', () => {
  const marks = { public: publicField, internal, personal, secret }

  it('is read from where it was marked, and changes nothing about what is valid', () => {
    for (const fieldClass of FIELD_CLASSES) {
      const schema = marks[fieldClass](Type.String({ maxLength: 3 }))
      assert.equal(classOf(schema), fieldClass)
      assert.ok(Compile(schema).Check('abc') && !Compile(schema).Check('abcd'))
    }
    assert.equal(classOf(Type.String()), undefined)
  })

  it('survives being optional, in both orders', () => {
    for (const schema of [Type.Optional(personal(Type.String())), personal(Type.Optional(Type.String()))]) {
      const object = Compile(closed({ name: schema }))
      assert.ok(object.Check({}) && object.Check({ name: 'a' }) && !object.Check({ name: 1 }))
      assert.equal(classOf(schema), 'personal')
    }
  })

  it('leaves the schema that it was given as it was', () => {
    const shared = Type.String()
    personal(shared)
    assert.equal(classOf(shared), undefined)
  })

  it('is visible in the JSON of the schema, where documents take it from', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(secret(Type.String()))), { type: 'string', fieldClass: 'secret' })
  })

  it('of an identifier is public, and its pattern takes ids of that kind only', () => {
    const schema = identifier('emp')
    assert.ok(isIdentifier(schema) && !isIdentifier(publicField(Type.String())))
    assert.equal(classOf(schema), 'public')
    const validator = Compile(schema)
    assert.ok(validator.Check('emp_7KqLw3Nf0xVbT9uEoHsIyP'))
    for (const bad of [
      'can_7KqLw3Nf0xVbT9uEoHsIyP',
      'emp_7KqLw3Nf0xVbT9uEoHsIy',
      'emp_7KqLw3Nf0xVbT9uEoHsIyPP',
      'emp_7KqLw3Nf0xVbT9uEoHsIy-',
      ' emp_7KqLw3Nf0xVbT9uEoHsIyP',
      'emp_7KqLw3Nf0xVbT9uEoHsIyP\n',
    ])
      assert.ok(!validator.Check(bad), bad)
  })
})

function fieldNames(schema: TSchema): string[] {
  const { properties, items } = schema as Node
  return [...Object.entries(properties ?? {}).flatMap(([name, its]) => [name, ...fieldNames(its)]), ...(items ? fieldNames(items) : [])]
}
