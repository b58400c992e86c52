import { API_VERSION, type EventDefinition, SOURCES } from '@tenure/contract'
import Type from 'typebox'

/** The body of a webhook of one type: the envelope around its data, in detail `full` and with every grant. */
export function describeEnvelope({ type, data, example }: EventDefinition) {
  const orNull = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()])
  const instant = Type.String({ format: 'date-time' })
  const schema = Type.Object({
    id: Type.String({ description: 'The same over all attempts: process it once.' }),
    type: Type.Literal(type),
    api_version: Type.Literal(API_VERSION),
    timestamp: instant,
    recorded_at: instant,
    effective_date: orNull(Type.String({ format: 'date' })),
    retroactive: Type.Boolean(),
    tenant: Type.String(),
    employee_id: orNull(Type.String()),
    employment_id: orNull(Type.String()),
    status: orNull(Type.String()),
    sequence: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Gapless per employee in the log; behind a filter, jumps are normal.',
    }),
    actor: Type.Object({ type: Type.Enum(['api_key', 'user', 'system']), id: Type.String() }),
    source: Type.Enum([...SOURCES]),
    correlation_id: Type.String(),
    causation_id: orNull(Type.String()),
    previous_event_id: orNull(Type.String()),
    data,
    changed: Type.Array(Type.String()),
    previous_attributes: Type.Record(Type.String(), Type.Unknown()),
    restricted: Type.Array(Type.String(), { description: 'Paths that the endpoint may not see. They are cut from the data.' }),
    links: Type.Object({ self: orNull(Type.String()) }),
  })
  const at = '2026-09-01T00:00:00.000Z'
  const value = {
    id: 'evt_06FrDuhKDfH4vPkXn1B2cQ',
    type,
    api_version: API_VERSION,
    timestamp: at,
    recorded_at: at,
    effective_date: '2026-09-01',
    retroactive: false,
    tenant: 'ten_7nQ2vX0bRkTz4wLmE9sYaC',
    employee_id: null,
    employment_id: null,
    status: null,
    sequence: null,
    actor: { type: 'api_key', id: 'key_1hVb8QmPz3kXcR5tYwN0dS' },
    source: 'api',
    correlation_id: 'chg_2uFj6WqLr9nZsB4xKcT7gA',
    causation_id: null,
    previous_event_id: null,
    data: example,
    changed: [],
    previous_attributes: {},
    restricted: [],
    links: { self: null },
  }
  return { schema, example: value }
}
