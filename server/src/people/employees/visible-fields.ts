import { CompensationComponent, classOf, type FieldClass, PersonRecord, Termination } from '@tenure/contract'
import type { TSchema } from 'typebox'
import type { Actor } from '../../access/actor.ts'

/** The classes that an actor may not read, and the paths that this hides from it. */
export type Hidden = { readonly classes: ReadonlySet<FieldClass>; readonly paths: readonly string[] }

const CLASSED: Readonly<Record<string, Readonly<Record<string, TSchema>>>> = {
  person: PersonRecord.properties,
  'employment.termination': Termination.properties,
  'compensation.components': CompensationComponent.properties,
}

const PATHS = Object.entries(CLASSED).flatMap(([at, fields]) =>
  Object.entries(fields).flatMap(([name, schema]) => {
    const fieldClass = classOf(schema)
    return fieldClass ? [{ path: `${at}.${name}`, fieldClass }] : []
  }),
)

export function hiddenFields({ scopes }: Actor): Hidden {
  const classes = new Set<FieldClass>()
  if (!scopes.has('employees:read:personal')) classes.add('personal')
  if (!scopes.has('employees:read:secret')) classes.add('secret')
  return { classes, paths: PATHS.filter(({ fieldClass }) => classes.has(fieldClass)).map(({ path }) => path) }
}

/** The values without what is hidden. A cut field is absent, never replaced by a placeholder that somebody might store. */
export function visible(values: object, path: string, hidden: Hidden): Record<string, unknown> {
  const entries = Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
    const at = `${path}.${name}`
    if (hidden.paths.includes(at)) return []
    if (Array.isArray(value)) return [[name, value.map((element) => (isObject(element) ? visible(element, at, hidden) : element))]]
    return [[name, isObject(value) ? visible(value, at, hidden) : value]]
  })
  return Object.fromEntries(entries)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
