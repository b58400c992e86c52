import { classOf, type FieldClass, isIdentifier } from '@tenure/contract'
import type { TSchema } from 'typebox'
import { isRecord } from './field-paths.ts'
import type { StoredEvent } from './stored-event.ts'

export type MarkedLeaf = {
  readonly path: string
  readonly fieldClass: FieldClass | undefined
  readonly identifier: boolean
  /** Stands in this leaf and nowhere else. */
  readonly mark: string
}

export type MarkedData = { readonly data: Record<string, unknown>; readonly leaves: readonly MarkedLeaf[] }

/** Data of this schema with every field present, optional ones too, and a mark in each. For tests of what is cut. */
export function everyField(schema: TSchema): MarkedData {
  const leaves: MarkedLeaf[] = []
  const data = mark(schema, '', leaves)
  if (!isRecord(data)) throw new Error('The data of an event is an object.')
  return { data, leaves }
}

function mark(schema: TSchema, path: string, leaves: MarkedLeaf[]): unknown {
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema }
  if (!classOf(schema) && properties) {
    return Object.fromEntries(Object.entries(properties).map(([name, its]) => [name, mark(its, path ? `${path}.${name}` : name, leaves)]))
  }
  // An element is named by its kind, so kind is the one field whose value the path repeats.
  if (!classOf(schema) && items)
    return [{ ...(mark(items, `${path}[base]`, leaves) as object), kind: 'base' }].map((one) => keepKind(one, path, leaves))
  const text = `mark${leaves.length}_of_${path.replaceAll(/[^a-z_]/g, '_')}_end`
  leaves.push({ path, fieldClass: classOf(schema), identifier: isIdentifier(schema), mark: text })
  return text
}

function keepKind(element: Record<string, unknown>, path: string, leaves: MarkedLeaf[]): Record<string, unknown> {
  const at = leaves.findIndex((leaf) => leaf.path === `${path}[base].kind`)
  if (at >= 0) leaves[at] = { ...leaves[at]!, mark: '"kind":"base"' }
  return element
}

export function storedExample(type: string, data: Record<string, unknown>, previous: Record<string, unknown> = {}): StoredEvent {
  return {
    id: 'evt_one',
    type,
    api_version: '2026-11-01',
    timestamp: '2026-06-15T10:00:00.000Z',
    recorded_at: '2026-06-15T10:00:00.000Z',
    effective_date: '2026-06-15',
    retroactive: false,
    tenant: 'ten_one',
    employee_id: 'emp_one',
    employment_id: 'ept_one',
    status: 'active',
    sequence: 7,
    actor: { type: 'api_key', id: 'key_one' },
    source: 'api',
    correlation_id: 'chg_one',
    causation_id: null,
    data,
    changed: [],
    previous_attributes: previous,
    links: { self: '/v1/employees/emp_one' },
  }
}
