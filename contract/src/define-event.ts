import Type, { type Static, type TObject } from 'typebox'
import { identifier } from './field-class.ts'

export type EventDefinition<Name extends string = string, Data extends TObject = TObject> = {
  readonly type: Name
  readonly version: number
  /** When it fires, when it does not, and what usually reacts to it. */
  readonly meaning: string
  readonly data: Data
  readonly example: Static<Data>
}

/** Declares a type of event: a name that never changes its meaning, a schema in which each field has its class, an example. */
export function defineEvent<const Name extends string, Data extends TObject>(
  definition: EventDefinition<Name, Data>,
): EventDefinition<Name, Data> {
  return definition
}

/** A closed object: a field that the catalogue does not know cannot be sent. */
export const closed = <Fields extends Parameters<typeof Type.Object>[0]>(fields: Fields) =>
  Type.Object(fields, { additionalProperties: false })

export const employeeId = identifier('emp')
