import { classOf, isIdentifier } from '@tenure/contract'
import type { TSchema } from 'typebox'
import { definitionOf } from './definitions.ts'
import { isKeyedList, isRecord, withoutElements } from './field-paths.ts'
import type { StoredEvent } from './stored-event.ts'

/** How much of an event an endpoint is sent: ids alone, the names of what changed as well, or the values too. */
export const DETAILS = ['ids', 'changed', 'full'] as const
export type Detail = (typeof DETAILS)[number]

/**
 * What an endpoint or a reader may see. A grant is a path in an event's data (`person.email`, `compensation`), which covers
 * what lies below it, or `personal` for every personal field. Nothing grants a secret field.
 */
export type View = { readonly detail: Detail; readonly grants: readonly string[] }

export type CutEvent = StoredEvent & { readonly previous_event_id: string | null; readonly restricted: readonly string[] }

/** Cuts an event to a view: a pure function of the two. What is cut is absent, and named in `restricted`. */
export function cutEvent(event: StoredEvent, view: View, previousEventId: string | null): CutEvent {
  const schema = definitionOf(event.type).data
  const { links, ...rest } = event
  if (view.detail !== 'full') {
    const data = keepIdentifiers(schema, event.data)
    const changed = view.detail === 'changed' ? event.changed : []
    return { ...rest, previous_event_id: previousEventId, data, changed, previous_attributes: {}, restricted: [], links }
  }
  const restricted = new Set<string>()
  const cutter: Cutter = { isGranted: (path) => view.grants.some((grant) => covers(grant, withoutElements(path))), restricted }
  const data = asObject(cutValue(schema, event.data, '', cutter))
  const previous = asObject(cutValue(schema, event.previous_attributes, '', cutter))
  for (const path of event.changed) if (!schemaAt(schema, path)) restricted.add(path)
  return {
    ...rest,
    previous_event_id: previousEventId,
    data,
    changed: event.changed,
    previous_attributes: previous,
    restricted: [...restricted].sort(),
    links,
  }
}

type Cutter = { readonly isGranted: (path: string) => boolean; readonly restricted: Set<string> }

function covers(grant: string, path: string): boolean {
  return grant === 'personal' || path === grant || path.startsWith(`${grant}.`)
}

/** A field without a class is cut like a secret one: what nobody classified goes nowhere. */
function cutValue(schema: TSchema | undefined, value: unknown, path: string, cutter: Cutter): unknown {
  const fieldClass = schema && classOf(schema)
  if (fieldClass === 'public' || fieldClass === 'internal') return value
  if (fieldClass === 'personal' && cutter.isGranted(path)) return value
  if (!fieldClass && schema && isRecord(value)) return cutRecord(schema, value, path, cutter)
  if (!fieldClass && schema && isKeyedList(value)) {
    return value.map((element) => cutRecord(itemsOf(schema) ?? {}, element, `${path}[${element.kind}]`, cutter))
  }
  cutter.restricted.add(path)
  return undefined
}

function cutRecord(schema: TSchema, value: Record<string, unknown>, path: string, cutter: Cutter): Record<string, unknown> {
  const fields = Object.entries(value).map(
    ([key, field]) => [key, cutValue(propertyOf(schema, key), field, path ? `${path}.${key}` : key, cutter)] as const,
  )
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined))
}

function keepIdentifiers(schema: TSchema, value: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    const its = propertyOf(schema, key)
    if (!its) continue
    if (isIdentifier(its)) kept[key] = field
    else if (!classOf(its) && isRecord(field)) {
      const inner = keepIdentifiers(its, field)
      if (Object.keys(inner).length > 0) kept[key] = inner
    }
  }
  return kept
}

function schemaAt(schema: TSchema, path: string): TSchema | undefined {
  let at: TSchema | undefined = schema
  for (const step of withoutElements(path).split('.')) {
    if (!at || classOf(at)) return at
    at = propertyOf(itemsOf(at) ?? at, step)
  }
  return at
}

function propertyOf(schema: TSchema, key: string): TSchema | undefined {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties
  return properties && Object.hasOwn(properties, key) ? properties[key] : undefined
}

function itemsOf(schema: TSchema): TSchema | undefined {
  return (schema as { items?: TSchema }).items
}

function asObject(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

/** Every path that a grant may name: those of the personal fields of all event types, and the objects above them. */
export function grantablePaths(schemas: readonly TSchema[]): ReadonlySet<string> {
  const paths = new Set<string>(['personal'])
  const walk = (schema: TSchema, path: string): boolean => {
    if (classOf(schema)) return classOf(schema) === 'personal' && paths.add(path) !== undefined
    const below = (itemsOf(schema) ?? schema) as { properties?: Record<string, TSchema> }
    const found = Object.entries(below.properties ?? {}).map(([key, its]) => walk(its, path ? `${path}.${key}` : key))
    if (path && found.includes(true)) paths.add(path)
    return found.includes(true)
  }
  for (const schema of schemas) walk(schema, '')
  return paths
}
