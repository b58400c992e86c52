import swagger from '@fastify/swagger'
import { API_VERSION, CATALOGUE } from '@tenure/contract'
import Type from 'typebox'
import { describeEnvelope } from './openapi-envelope.ts'
import type { TypedApp } from './route.ts'

/** The groups of the document, in the order in which they are read. */
const TAGS = ['Candidates', 'Employees', 'Organisation', 'Endpoints', 'Deliveries', 'Events', 'Webhooks', 'Imports', 'Access', 'Health']

type Json = { [key: string]: unknown }

const DESCRIPTION = `Tenure holds HR records and tells every system that must know when one changes.

Send \`Authorization: Bearer tnr_…\`. A POST may carry an \`Idempotency-Key\`: the same request is then done once and answered
the same. Lists are cut into pages by \`limit\` and \`cursor\`. What goes wrong is answered as \`application/problem+json\`
(RFC 9457), and \`/errors/{code}\` explains it. \`x-field-class\` says how far a field may travel: public, internal, personal, secret.`

const Problem = Type.Object(
  {
    type: Type.String({ description: 'Leads to the page that explains the problem.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable: branch on this.' }),
    detail: Type.Optional(Type.String()),
    instance: Type.String({ description: 'The id of the request, for support and the log.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), message: Type.String(), mend: Type.Optional(Type.String()) }), {
        description: 'What is wrong where. Values are never repeated.',
      }),
    ),
    ids: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  {
    examples: [
      {
        type: '/errors/invalid-request',
        title: 'Something in the request is not as it should be.',
        status: 422,
        code: 'invalid-request',
        instance: 'req_4vNc0WqzXbJ0q1uOyFGkDa',
        errors: [
          {
            pointer: '/start_date',
            message: 'must match format "date"',
            mend: 'Write a date of the calendar as YYYY-MM-DD, such as 2026-09-01.',
          },
        ],
      },
    ],
  },
)

/** Serves the document at /openapi.json and, unless `docs` is false, pages made of it at /docs. Call it before the routes are added. */
export function addOpenApi(app: TypedApp, { docs }: { docs: boolean }): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tenure', version: API_VERSION, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      tags: TAGS.map((name) => ({ name })),
      components: { securitySchemes: { api_key: { type: 'http', scheme: 'bearer', description: 'An API key: `tnr_live_…`.' } } },
    },
    transformObject: (document) =>
      'openapiObject' in document ? (complete(document.openapiObject as Json) as never) : (document as never),
  })
  app.register(async (pages) => {
    pages.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
      reply.header('cache-control', 'no-cache').send(app.swagger()),
    )
    if (docs) await addPages(pages as unknown as TypedApp)
  })
}

const PAGES_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

/** Loaded only here: importing it costs a quarter of a second. It is told, and made by the policy, to call nobody outside. */
async function addPages(app: TypedApp): Promise<void> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', PAGES_POLICY)
  })
  await app.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Tenure API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
    },
  })
}

/** Adds what holds for every operation and is no route's to repeat, and renames our marks to extensions of the document. */
function complete(document: Json): Json {
  for (const [path, item] of Object.entries(document['paths'] as Record<string, Json>)) {
    for (const [method, operation] of Object.entries(item)) completeOperation(path, method, operation as Json)
  }
  const components = document['components'] as Json
  components['schemas'] = { ...(components['schemas'] as Json | undefined), Problem: structuredClone(Problem) }
  document['webhooks'] = Object.fromEntries(CATALOGUE.map((definition) => [definition.type, webhook(definition)]))
  return withFieldClasses(document) as Json
}

function completeOperation(path: string, method: string, operation: Json): void {
  const problem = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  const responses = operation['responses'] as Json
  responses['4XX'] ??= problem('The request was refused. Nothing was changed.')
  responses['5XX'] ??= problem('Tenure could not do it. Try again.')
  if (!path.startsWith('/v1/')) {
    operation['security'] = []
    return
  }
  operation['security'] ??= [{ api_key: [] }]
  if (method !== 'post') return
  const idempotencyKey = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'One key for each request, such as a UUID. The same request with it is done once, and answered with the same bytes.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  }
  operation['parameters'] = [...((operation['parameters'] as unknown[]) ?? []), idempotencyKey]
}

function webhook(definition: (typeof CATALOGUE)[number]): Json {
  return {
    post: {
      operationId: `on_${definition.type.replaceAll('.', '_')}`,
      tags: ['Webhooks'],
      summary: definition.type,
      description: definition.meaning,
      security: [],
      requestBody: { required: true, content: { 'application/json': describeEnvelope(definition) } },
      responses: { '2XX': { description: 'Received. Any other answer makes Tenure try again.' } },
    },
  }
}

/** `fieldClass` is our mark on a schema; in the document it is the extension `x-field-class`. Marks of use inside only are dropped. */
function withFieldClasses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFieldClasses)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name, field]) => !(name === 'identifier' && field === true))
  return Object.fromEntries(
    entries.map(([name, field]) =>
      name === 'fieldClass' && typeof field === 'string' ? ['x-field-class', field] : [name, withFieldClasses(field)],
    ),
  )
}
