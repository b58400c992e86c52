import type { EventMap, EventType } from './catalogue.ts'

export const SOURCES = ['api', 'console', 'import', 'inbound', 'workflow', 'scheduler', 'test'] as const
export type Source = (typeof SOURCES)[number]

export type ActorReference = { readonly type: 'api_key' | 'user' | 'system'; readonly id: string }

/** What a receiver gets: one event, cut to what its endpoint may see. */
export type Envelope<Type extends EventType = EventType> = {
  /** The same over all attempts and replays: the key to process it once. */
  readonly id: string
  readonly type: Type
  readonly api_version: string
  /** When it became true or was raised (RFC 3339, UTC). */
  readonly timestamp: string
  /** When it was entered. */
  readonly recorded_at: string
  /** The calendar date of the site from which it holds. */
  readonly effective_date: string | null
  /** Whether it holds from a day before the one on which it was entered. */
  readonly retroactive: boolean
  readonly tenant: string
  readonly employee_id: string | null
  readonly employment_id: string | null
  /** The employee's status when the event was raised. */
  readonly status: string | null
  /** Gapless per employee in the log; behind a filter, jumps are normal. */
  readonly sequence: number | null
  readonly actor: ActorReference
  readonly source: Source
  /** The change set: events that belong together share it. */
  readonly correlation_id: string
  readonly causation_id: string | null
  /** The event of this employee or candidate that this endpoint was sent before this one. */
  readonly previous_event_id: string | null
  readonly data: EventMap[Type]
  /** Paths in `data` whose values changed. */
  readonly changed: readonly string[]
  /** The values before, as far as the endpoint may see them; the shape is that of `data`. */
  readonly previous_attributes: Record<string, unknown>
  /** Paths that the endpoint may not see: cut from `data` and `previous_attributes`, named here. */
  readonly restricted: readonly string[]
  readonly links: { readonly self: string | null }
}

/** An event of any known type, told apart by `type`. */
export type AnyEvent = { [Type in EventType]: Envelope<Type> }[EventType]
