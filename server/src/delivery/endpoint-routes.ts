import { identifier, internal, publicField, secret } from '@tenure/contract'
import Type from 'typebox'
import { DETAILS } from '../events/cut-event.ts'
import { etagOf, requireMatch } from '../http/conditional.ts'
import { decodeCursor, limitOf, PageQuery, page, pageOf } from '../http/paging.ts'
import type { RoutePlugin } from '../http/route.ts'
import { runChange } from '../http/run-change.ts'
import type { EgressPolicy } from './egress/egress-policy.ts'
import { createEndpoint } from './endpoints/create-endpoint.ts'
import { CreateEndpoint, UpdateEndpoint } from './endpoints/inputs.ts'
import { type EndpointRow, getEndpoint, listEndpoints } from './endpoints/queries.ts'
import { sendTestEvent } from './endpoints/send-test-event.ts'
import { updateEndpoint } from './endpoints/update-endpoint.ts'

const state = publicField(
  Type.Enum(['active', 'paused', 'disabled'], {
    description: '`disabled`: it answered 410. What waited for it is among the dead letters.',
  }),
)
const version = publicField(Type.Integer({ description: 'Rises with every change; the ETag of the endpoint.' }))
const Endpoint = Type.Object(
  {
    id: identifier('end'),
    name: internal(Type.String()),
    url: internal(Type.String()),
    event_types: publicField(Type.Array(Type.String())),
    detail: publicField(Type.Enum([...DETAILS])),
    grants: publicField(Type.Array(Type.String())),
    state,
    disabled_reason: publicField(Type.Union([Type.String(), Type.Null()])),
    version,
    created_at: publicField(Type.String({ format: 'date-time' })),
    created_by: publicField(Type.String()),
  },
  { additionalProperties: false },
)
const CreatedEndpoint = Type.Object(
  {
    id: identifier('end'),
    secret: secret(Type.String({ description: 'The signing secret. Shown this once.' })),
  },
  { additionalProperties: false },
)
const EndpointId = Type.Object({ endpoint_id: Type.String({ maxLength: 60 }) })
const IdCursor = Type.Tuple([Type.String()])

/** Endpoints, for a policy of what may be reached: the configuration's, never the caller's. */
export const endpointRoutes =
  (policy: EgressPolicy): RoutePlugin =>
  (app, context) => {
    readRoutes(app, context)
    changeRoutes(policy)(app, context)
  }

const tags = ['Endpoints']

const readRoutes: RoutePlugin = (app, { ground: { database } }) => {
  app.get(
    '/endpoints',
    {
      schema: { operationId: 'listEndpoints', tags, summary: 'List endpoints', querystring: PageQuery, response: { 200: page(Endpoint) } },
    },
    async ({ tenantId, actor, query }) => {
      const limit = limitOf(query)
      const [afterId] = decodeCursor(query.cursor, IdCursor) ?? []
      const rows = await database.withTenant(tenantId, (tx) => listEndpoints(tx, actor, { afterId, limit: limit + 1 }))
      return pageOf(rows, limit, ({ id }) => [id], shown)
    },
  )
  app.get(
    '/endpoints/:endpoint_id',
    { schema: { operationId: 'getEndpoint', tags, summary: 'Read an endpoint', params: EndpointId, response: { 200: Endpoint } } },
    async ({ tenantId, actor, params }, reply) => {
      const row = await database.withTenant(tenantId, (tx) => getEndpoint(tx, actor, params.endpoint_id))
      reply.header('etag', etagOf(row.version))
      return shown(row)
    },
  )
}

const changeRoutes =
  (policy: EgressPolicy): RoutePlugin =>
  (app, { ground }) => {
    app.post(
      '/endpoints',
      {
        schema: {
          operationId: 'createEndpoint',
          tags,
          summary: 'Set up an endpoint',
          description:
            'Needs `endpoints:write`, and to send values what it takes to read them: `employees:read` for `full`, `employees:read:personal` for grants; for events of candidates, `candidates:read` and `candidates:read:personal`.',
          body: CreateEndpoint,
          response: { 201: CreatedEndpoint },
        },
      },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => {
          const created = await createEndpoint(change, policy, request.body)
          return { status: 201, body: created, headers: { location: `/v1/endpoints/${created.id}` } }
        }),
    )
    app.patch(
      '/endpoints/:endpoint_id',
      {
        schema: {
          operationId: 'updateEndpoint',
          tags,
          summary: 'Change, pause or resume an endpoint',
          description:
            'Holds from the next attempt on, also for what is waiting. `If-Match` guards against changing what somebody else just changed.',
          params: EndpointId,
          body: UpdateEndpoint,
          response: { 200: Type.Object({ version }) },
        },
      },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => {
          const requireVersion = (current: number) => requireMatch(request, current)
          const updated = await updateEndpoint(change, request.params.endpoint_id, request.body, { policy, requireVersion })
          return { status: 200, body: updated, headers: { etag: etagOf(updated.version) } }
        }),
    )
    app.post(
      '/endpoints/:endpoint_id/test',
      {
        schema: {
          operationId: 'testEndpoint',
          tags,
          summary: 'Send a test event to an endpoint',
          description:
            'Emits `webhook.test` to this endpoint alone. A paused endpoint gets it when it is resumed, a disabled one not at all.',
          params: EndpointId,
          response: { 202: Type.Object({ state }) },
        },
      },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => ({
          status: 202,
          body: await sendTestEvent(change, request.params.endpoint_id),
        })),
    )
  }

function shown(row: EndpointRow) {
  return { ...row, created_at: row.created_at.toISOString() } as never
}
