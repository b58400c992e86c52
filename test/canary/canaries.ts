import { randomBytes, randomInt } from 'node:crypto'
import { classOf, type FieldClass } from '@tenure/contract'

type Schema = Parameters<typeof classOf>[0]

/** A value that stands nowhere else in the world, put into one field to see where it turns up. */
export type Canary = { readonly value: string; readonly field: string; readonly fieldClass: FieldClass | 'control' }

export type Canaries = {
  readonly all: Canary[]
  /** A new canary of text: 17 characters, one outside ASCII, one dash. */
  text(field: string, fieldClass?: Canary['fieldClass']): string
  keep(value: string, field: string, fieldClass: Canary['fieldClass']): string
  /**
   * A value of this schema with a canary in each personal and secret field that can carry one. Fields of other classes are
   * left out. A field that is added to a schema later gets its canary by itself.
   */
  valueFor(schema: Schema, field: string): unknown
}

type Node = Schema & {
  type?: string
  format?: string
  pattern?: string
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  items?: Schema
}

export function createCanaries(): Canaries {
  const all: Canary[] = []
  const keep = (value: string, field: string, fieldClass: Canary['fieldClass']) => {
    all.push({ value, field, fieldClass })
    return value
  }
  const text = (field: string, fieldClass: Canary['fieldClass'] = 'personal') =>
    keep(`Zoë-${randomBytes(9).toString('base64url').replaceAll(/[-_]/g, 'x')}Q`, field, fieldClass)

  function valueFor(schema: Schema, field: string, inherited?: FieldClass): unknown {
    const node = schema as Node
    const fieldClass = classOf(schema) ?? inherited
    if (fieldClass === 'public' || fieldClass === 'internal') return undefined
    if (node.properties) return object(node.properties, field, fieldClass)
    if (node.patternProperties) return { church: text(`${field}.church`, fieldClass), other: text(`${field}.other`, fieldClass) }
    if (node.items) return [0, 1].map((at) => valueFor(node.items!, `${field}[${at}]`, fieldClass))
    return fieldClass && leaf(node, field, fieldClass)
  }

  function object(properties: Record<string, Schema>, field: string, fieldClass: FieldClass | undefined): unknown {
    const fields = Object.entries(properties).map(([name, its]) => [name, valueFor(its, `${field}.${name}`, fieldClass)] as const)
    const filled = fields.filter(([, value]) => value !== undefined)
    return filled.length > 0 ? Object.fromEntries(filled) : undefined
  }

  /** Enumerations, countries and booleans are too small to carry a canary: they get a value that is valid. */
  function leaf(node: Node, field: string, fieldClass: FieldClass): unknown {
    if (node.enum) return node.enum[0]
    if (node.type === 'boolean') return true
    if (node.pattern === '^[A-Z]{2}$') return 'DE'
    if (node.format === 'date') return keep(uncommonDate(), field, fieldClass)
    if (node.format === 'email') return keep(`zq${randomBytes(8).toString('hex')}@canary.example`, field, fieldClass)
    if (node.pattern?.includes('[0-9]{1,4}'))
      return keep(`${randomInt(1e10, 9e10)}.${randomInt(0, 9)}${randomInt(1, 9)}`, field, fieldClass)
    if (node.type === 'string' && !node.pattern) return text(field, fieldClass)
    throw new Error(`No canary fits ${field}: teach canaries.ts its format.`)
  }

  return { all, text, keep, valueFor: (schema, field) => valueFor(schema, field) }
}

function uncommonDate(): string {
  const day = new Date(Date.UTC(1900, 0, 1) + randomInt(0, 15_000) * 86_400_000)
  return day.toISOString().slice(0, 10)
}
