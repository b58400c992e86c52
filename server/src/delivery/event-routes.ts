import { EVENT_TYPES, publicField } from '@tenure/contract'
import Type from 'typebox'
import { getEvent, listEvents } from '../events/queries.ts'
import { decodeCursor, encodeCursor, limitOf, pageFields } from '../http/paging.ts'
import type { RoutePlugin } from '../http/route.ts'

/** An event is described by the catalogue; what a reader may not see is absent and named in `restricted`. */
const Event = Type.Object({ id: publicField(Type.String()), type: publicField(Type.String()) }, { additionalProperties: true })

const Feed = Type.Object(
  {
    data: Type.Array(Event),
    next_cursor: publicField(
      Type.Union([Type.String(), Type.Null()], { description: 'Where to go on, now or later: it stays valid at the end of the feed.' }),
    ),
    has_more: publicField(Type.Boolean()),
  },
  { additionalProperties: false },
)
const FeedQuery = Type.Object(
  {
    ...pageFields,
    type: Type.Optional(publicField(Type.Enum([...EVENT_TYPES]))),
    employee_id: Type.Optional(publicField(Type.String({ maxLength: 60 }))),
  },
  { additionalProperties: false },
)
const EventId = Type.Object({ event_id: Type.String({ maxLength: 60 }) })
const Position = Type.Tuple([Type.String({ pattern: '^[0-9]{1,20}$' }), Type.Integer({ minimum: 0 })])
const tags = ['Events']

export const eventRoutes: RoutePlugin = (app, { ground: { database, vault } }) => {
  app.get(
    '/events',
    {
      schema: {
        operationId: 'listEvents',
        tags,
        summary: 'Read the feed of events, in order and without gaps',
        description:
          'Values are shown with `employees:read:personal`, those of candidates with `candidates:read:personal`; without it, ids and the names of changed fields. An event appears once no earlier transaction is still running.',
        querystring: FeedQuery,
        response: { 200: Feed },
      },
    },
    async ({ tenantId, actor, query }) => {
      const limit = limitOf(query)
      const position = decodeCursor(query.cursor, Position)
      const filter = {
        after: position && { xid: position[0], position: position[1] },
        limit: limit + 1,
        type: query.type,
        employeeId: query.employee_id,
      }
      const rows = await database.withTenant(tenantId, (tx) => listEvents(tx, vault, actor, filter))
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      return {
        data: shown.map(({ event }) => event as never),
        next_cursor: last ? encodeCursor([last.xid, last.position]) : (query.cursor ?? null),
        has_more: rows.length > limit,
      }
    },
  )
  app.get(
    '/events/:event_id',
    { schema: { operationId: 'getEvent', tags, summary: 'Read an event', params: EventId, response: { 200: Event } } },
    ({ tenantId, actor, params }) => database.withTenant(tenantId, (tx) => getEvent(tx, vault, actor, params.event_id)) as Promise<never>,
  )
}
