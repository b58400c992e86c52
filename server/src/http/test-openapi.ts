type Schema = { readonly [key: string]: unknown }
type Content = Record<string, { schema?: unknown; example?: unknown }>
type Operation = {
  operationId?: string
  security?: unknown[]
  parameters?: { name: string; schema?: Schema }[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

export type OpenApiDocument = {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly webhooks: Record<string, { post: Operation }>
}

/** What an operation forgot to say: its id, its answers, the key that it asks for, or the class of a field. */
export function faultsOfDocument({ paths }: OpenApiDocument): string[] {
  const faults: string[] = []
  const ids = new Map<string, string>()
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const place = `${method} ${path}`
      const earlier = operation.operationId && ids.get(operation.operationId)
      if (earlier) faults.push(`${place} has the operationId of ${earlier}`)
      if (operation.operationId) ids.set(operation.operationId, place)
      faults.push(...faultsOfOperation(path, operation).map((fault) => `${place} ${fault}`))
    }
  }
  return faults
}

function faultsOfOperation(path: string, operation: Operation): string[] {
  const faults: string[] = []
  if (!operation.operationId) faults.push('has no operationId')
  if (path.startsWith('/v1/') && !operation.security?.length) faults.push('asks for no key')
  if (!Object.keys(operation.responses).some((status) => status.startsWith('2'))) faults.push('names no success')
  for (const status of ['4XX', '5XX']) if (!operation.responses[status]) faults.push(`names no ${status}`)
  const bodies: [string, Content | undefined][] = [
    ['requestBody', operation.requestBody?.content],
    ...Object.entries(operation.responses).flatMap(([status, { content }]): [string, Content | undefined][] =>
      status.startsWith('2') ? [[status, content]] : [],
    ),
  ]
  for (const [name, content] of bodies) {
    for (const { schema } of Object.values(content ?? {})) faults.push(...unclassed(schema as Schema, name))
  }
  return faults
}

/** The fields that carry a value and have no class, neither their own nor that of something around them. */
function unclassed(schema: Schema | undefined, place: string): string[] {
  if (!schema || schema['x-field-class'] || schema['type'] === 'null') return []
  const branches = (schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']) as Schema[] | undefined
  if (branches) return branches.flatMap((branch) => unclassed(branch, place))
  if (schema['properties']) {
    return Object.entries(schema['properties'] as Record<string, Schema>).flatMap(([name, field]) => unclassed(field, `${place}/${name}`))
  }
  if (schema['items']) return unclassed(schema['items'] as Schema, place)
  return [`${place} has no field class`]
}
