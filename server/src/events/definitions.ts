import { CATALOGUE, type EventDefinition } from '@tenure/contract'
import { Compile, type Validator } from 'typebox/compile'

type Known = { readonly definition: EventDefinition; readonly validator: Validator }

const known = new Map<string, Known>(
  CATALOGUE.map((definition) => [
    definition.type,
    { definition: definition as unknown as EventDefinition, validator: Compile(definition.data) as Validator },
  ]),
)

/** The definition of a type that the catalogue has. */
export function definitionOf(type: string): EventDefinition {
  return find(type).definition
}

/**
 * Stops a payload that its schema does not allow: an unknown or invalid event cannot be emitted. The message names paths
 * and never a value.
 */
export function assertPayload(type: string, data: unknown): void {
  const { validator } = find(type)
  if (validator.Check(data)) return
  const faults = validator.Errors(data).map(({ instancePath, keyword }) => `${instancePath || '/'} (${keyword})`)
  throw new Error(`The payload of ${type} does not fit its schema at ${faults.join(', ')}.`)
}

function find(type: string): Known {
  const found = known.get(type)
  if (!found) throw new Error(`The catalogue has no event type '${type}'.`)
  return found
}
