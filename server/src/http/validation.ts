import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import type { Fault } from '../kit/problem.ts'
import { pointerToken } from './json-body.ts'
import { invalidRequest } from './problems.ts'

type Schema = TSchema & Readonly<Record<string, unknown>>

const MAX_FAULTS = 20
/** Where a fault lies, by the part of the request; fields of the body need no prefix. */
const PLACES: Readonly<Record<string, string>> = { body: '', querystring: '/query', params: '/path', headers: '/header' }

/**
 * Checks requests by the schemas of their routes. Nothing is coerced or stripped in silence: in bodies a number in quotes
 * and an unknown field are faults. Query and path hold text only, so there numbers and booleans are read from it.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  const validator = Compile(schema)
  const place = PLACES[httpPart] ?? ''
  const read =
    httpPart === 'querystring' || httpPart === 'params' ? (value: unknown) => fromText(schema as Schema, value) : (value: unknown) => value
  return (given: unknown) => {
    const value = read(given)
    const tooLong = longLists(schema as Schema, value, place)
    if (tooLong.length > 0) return { error: invalidRequest({ errors: tooLong }) }
    if (validator.Check(value)) return { value }
    return { error: invalidRequest({ errors: faultsOf(schema as Schema, validator.Errors(value), place) }) }
  }
}

/** Reads top-level numbers, booleans and single-element lists from text, exactly: `1.5` is no integer, `yes` no boolean. */
function fromText(schema: Schema, given: unknown): unknown {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const value: Record<string, unknown> = { ...(given as object) }
  for (const [name, field] of Object.entries(properties)) {
    const text = value[name]
    if (text === undefined && field['default'] !== undefined) value[name] = field['default']
    if (typeof text === 'string') value[name] = readText(field, text)
    if (Array.isArray(text)) value[name] = text.map((one) => readText((field['items'] ?? {}) as Schema, one))
  }
  return value
}

function readText(field: Schema, text: string): unknown {
  const { type } = field as { type?: string }
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'number' && /^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (type === 'array') return [readText((field['items'] ?? {}) as Schema, text)]
  return text
}

/**
 * Lists past their `maxItems`, found before the library looks at anything: telling which of 60,000 elements are not unique
 * takes it half a minute, in which nobody else is answered.
 */
function longLists(schema: Schema, value: unknown, pointer: string): Fault[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    const { maxItems, items } = schema as { maxItems?: number; items?: Schema }
    if (maxItems === undefined || value.length <= maxItems) {
      return items ? value.flatMap((one, index) => longLists(items, one, `${pointer}/${index}`)) : []
    }
    return [{ pointer, message: `must not have more than ${maxItems} items`, mend: mendOf(schema, 'Send fewer.') }]
  }
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  return Object.entries(properties).flatMap(([name, field]) =>
    Object.hasOwn(value, name) ? longLists(field, (value as Record<string, unknown>)[name], `${pointer}/${name}`) : [],
  )
}

/** One fault for each place, with everything that is wrong there. Messages speak of the schema and never quote what was sent. */
function faultsOf(schema: Schema, errors: readonly TLocalizedValidationError[], place: string): Fault[] {
  const faults = new Map<string, Fault>()
  const telling = errors.filter(({ keyword }) => keyword !== 'additionalProperties' && keyword !== 'anyOf')
  for (const error of telling.length > 0 ? telling : errors) {
    for (const { pointer, message, mend } of describe(schema, error, place)) {
      const earlier = faults.get(pointer)
      if (earlier?.message.split(' or ').includes(message) || (!earlier && faults.size === MAX_FAULTS)) continue
      faults.set(pointer, { pointer, message: earlier ? `${earlier.message} or ${message}` : message, mend })
    }
  }
  return [...faults.values()]
}

function describe(schema: Schema, error: TLocalizedValidationError, place: string): Required<Fault>[] {
  const pointer = place + error.instancePath.replaceAll(/[^/]+/g, (token) => (/^\d+$/.test(token) ? token : pointerToken(token)))
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((name) => ({
      pointer: `${pointer}/${name}`,
      message: 'is missing',
      mend: mendOf(fieldOf(schema, error.schemaPath, name), 'Send this field.'),
    }))
  }
  const field = schemaAt(schema, error.schemaPath)
  return [
    { pointer, message: messageOf(error), mend: mendOf(field, MENDS[error.keyword] ?? 'See /docs for what this field takes.', error) },
  ]
}

function messageOf(error: TLocalizedValidationError): string {
  if (error.keyword === 'boolean') return 'is not a field that is known here'
  if (error.keyword === 'enum') return `must be one of ${error.params.allowedValues.map(String).join(', ')}`
  return error.message
}

const MENDS: Readonly<Record<string, string>> = {
  boolean: 'Leave it out, or look for a typing mistake in its name.',
  enum: 'Choose one of them, spelt exactly so.',
  type: 'Send the JSON type that the schema names. A number in quotes is not a number.',
  uniqueItems: 'Name each only once.',
}

const FORMATS: Readonly<Record<string, string>> = {
  date: 'Write a date of the calendar as YYYY-MM-DD, such as 2026-09-01.',
  'date-time': 'Write a time with its offset, such as 2026-09-01T08:00:00Z.',
  email: 'Write an address such as ada@example.com.',
  uri: 'Write a URL in full, such as https://example.com/path.',
}

/** What the schema itself says of the field helps most. */
function mendOf(field: Schema | undefined, otherwise: string, error?: TLocalizedValidationError): string {
  if (error?.keyword === 'format') return FORMATS[error.params.format] ?? otherwise
  const description = field?.['description']
  return typeof description === 'string' ? description : otherwise
}

function fieldOf(schema: Schema, path: string, name: string): Schema | undefined {
  const properties = schemaAt(schema, path)?.['properties'] as Record<string, Schema> | undefined
  return properties?.[name]
}

/** The part of a schema that a path such as `#/properties/pay` names. */
function schemaAt(schema: Schema, path: string): Schema | undefined {
  const steps = path.split('/').slice(1)
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[unescapeToken(step)], schema) as
    | Schema
    | undefined
}

function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
