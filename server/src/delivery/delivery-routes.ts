import { publicField } from '@tenure/contract'
import Type from 'typebox'
import type { Change } from '../events/change.ts'
import { decodeCursor, limitOf, page, pageFields, pageOf } from '../http/paging.ts'
import type { RoutePlugin } from '../http/route.ts'
import { runChange } from '../http/run-change.ts'
import { DELIVERY_STATES, getDelivery, listDeliveries, type ShownDelivery } from './deliveries/queries.ts'
import { redriveDelivery, retryDelivery } from './deliveries/retry-delivery.ts'
import { DELIVERY_FAILURES } from './failures.ts'

const text = publicField(Type.String())
const instant = publicField(Type.String({ format: 'date-time' }))
const orNull = (schema: typeof text) => publicField(Type.Union([schema, Type.Null()]))
const failure = publicField(
  Type.Union([Type.String(), Type.Null()], {
    description: `Why the last attempt failed: ${Object.keys(DELIVERY_FAILURES).join(', ')}; without \`deliveries:read:personal\`, network failures read \`unreachable\`.`,
  }),
)

const fields = {
  id: text,
  endpoint_id: text,
  event_id: text,
  event_type: text,
  employee_id: orNull(text),
  state: publicField(Type.Enum([...DELIVERY_STATES], { description: '`dead`: a dead letter, which can be redriven.' })),
  attempts: publicField(Type.Integer()),
  failure,
  next_attempt_at: orNull(instant),
  created_at: instant,
  settled_at: orNull(instant),
}
const Delivery = Type.Object(fields, { additionalProperties: false })

const Attempt = Type.Object({
  number: publicField(Type.Integer()),
  started_at: instant,
  duration_ms: publicField(Type.Union([Type.Integer(), Type.Null()])),
  outcome: publicField(Type.String({ description: '`delivered`, `interrupted`, or the symbol of a failure.' })),
  status: publicField(Type.Union([Type.Integer(), Type.Null()])),
  exchange: Type.Unsafe<object | null>({
    fieldClass: 'personal',
    description: 'Request and answer, with at most 8 KiB of the body. Only with `deliveries:read:personal`.',
  }),
})
const DeliveryWithAttempts = Type.Object({ ...fields, attempt_log: Type.Array(Attempt) }, { additionalProperties: false })

const id = () => Type.Optional(publicField(Type.String({ maxLength: 60 })))
const ListQuery = Type.Object(
  {
    ...pageFields,
    endpoint_id: id(),
    employee_id: id(),
    event_id: id(),
    type: id(),
    state: Type.Optional(publicField(Type.Enum([...DELIVERY_STATES]))),
  },
  { additionalProperties: false },
)
const DeliveryId = Type.Object({ delivery_id: Type.String({ maxLength: 60 }) })
const IdCursor = Type.Tuple([Type.String()])
const tags = ['Deliveries']

export const deliveryRoutes: RoutePlugin = (app, { ground }) => {
  const { database, vault } = ground
  app.get(
    '/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        tags,
        summary: 'List deliveries, newest first',
        description: 'The dead letters are those with `state=dead`.',
        querystring: ListQuery,
        response: { 200: page(Delivery) },
      },
    },
    async ({ tenantId, actor, query }) => {
      const limit = limitOf(query)
      const [beforeId] = decodeCursor(query.cursor, IdCursor) ?? []
      const { endpoint_id: endpointId, employee_id: employeeId, event_id: eventId, type, state } = query
      const filter = { endpointId, employeeId, eventId, type, state, beforeId, limit: limit + 1 }
      const rows = await database.withTenant(tenantId, (tx) => listDeliveries(tx, actor, filter))
      return pageOf(rows, limit, (row) => [row.id], shown)
    },
  )
  app.get(
    '/deliveries/:delivery_id',
    {
      schema: {
        operationId: 'getDelivery',
        tags,
        summary: 'Read a delivery and its attempts',
        params: DeliveryId,
        response: { 200: DeliveryWithAttempts },
      },
    },
    async ({ tenantId, actor, params }) => {
      const { attempt_log, ...row } = await database.withTenant(tenantId, (tx) => getDelivery(tx, vault, actor, params.delivery_id))
      return { ...shown(row), attempt_log: attempt_log.map((one) => ({ ...one, started_at: one.started_at.toISOString() })) }
    },
  )
  const command = (path: string, operationId: string, summary: string, run: (change: Change, deliveryId: string) => Promise<void>) =>
    app.post(
      `/deliveries/:delivery_id/${path}`,
      { schema: { operationId, tags, summary, params: DeliveryId, response: { 202: Type.Object({ id: text }) } } },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => {
          const { delivery_id } = request.params
          await run(change, delivery_id)
          return { status: 202, body: { id: delivery_id } }
        }),
    )
  command('retry', 'retryDelivery', 'Try a waiting delivery now', retryDelivery)
  command('redrive', 'redriveDelivery', 'Send a dead letter again', redriveDelivery)
}

function shown(row: ShownDelivery) {
  return {
    ...row,
    state: row.state as (typeof DELIVERY_STATES)[number],
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    settled_at: row.settled_at?.toISOString() ?? null,
  }
}
