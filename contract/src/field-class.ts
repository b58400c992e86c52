import Type, { type TSchema } from 'typebox'

/**
 * How far a field may travel. `public`: anywhere (ids, types, states). `internal`: to whoever may read the record.
 * `personal`: sealed at rest, shown and sent only by grant. `secret`: sealed, and never part of an event.
 */
export const FIELD_CLASSES = ['public', 'internal', 'personal', 'secret'] as const
export type FieldClass = (typeof FIELD_CLASSES)[number]

type Classed = { readonly fieldClass: FieldClass; readonly identifier?: true }

const classed =
  (fieldClass: FieldClass) =>
  <Schema extends TSchema>(schema: Schema): Schema =>
    // With all its descriptors: the library keeps marks of its own in properties that a plain copy would lose.
    Object.defineProperties(
      {},
      { ...Object.getOwnPropertyDescriptors(schema), fieldClass: { value: fieldClass, enumerable: true } },
    ) as Schema

export const publicField = classed('public')
export const internal = classed('internal')
export const personal = classed('personal')
export const secret = classed('secret')

/** The id of something in Tenure: opaque, with the prefix of its kind, such as `emp_` for an employee. */
export function identifier(prefix: string) {
  const options = { pattern: `^${prefix}_[0-9A-Za-z]{22}$`, fieldClass: 'public', identifier: true } as const
  return Type.String(options satisfies Classed & { pattern: string })
}

/** The class of a schema as marked, or undefined where nobody marked it. */
export function classOf(schema: TSchema): FieldClass | undefined {
  return (schema as Partial<Classed>).fieldClass
}

export function isIdentifier(schema: TSchema): boolean {
  return (schema as Partial<Classed>).identifier === true
}
