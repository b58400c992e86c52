import { API_VERSION, type EventDefinition, type EventMap, type EventType } from '@tenure/contract'
import type { Tx } from '../database/tenant-transaction.ts'
import { newTimeOrderedId } from '../kit/ids.ts'
import type { Change } from './change.ts'
import { assertPayload } from './definitions.ts'
import { flushEvents } from './flush-events.ts'
import type { Pending, PendingEvent } from './pending-events.ts'

/** What a command says of an event; the envelope's other fields follow from the change that it is part of. */
export type Emission<Type extends EventType> = {
  readonly data: EventMap[Type]
  /** The person under whose key the body is sealed. */
  readonly personId: string | null
  readonly employeeId?: string
  readonly employmentId?: string
  /** Whose order it keeps where there is no employee, such as the candidate's id. */
  readonly orderKey?: string
  readonly status?: string
  readonly effectiveDate?: string
  readonly retroactive?: boolean
  /** When it became true; left out: when it was recorded. */
  readonly timestamp?: Date
  /** When the fact was entered; left out: by this change. */
  readonly recordedAt?: Date
  readonly changed?: readonly string[]
  readonly previousAttributes?: Record<string, unknown>
  readonly self?: string
  /** The change set that it belongs to; left out: the one that emits it. */
  readonly correlationId?: string
  /** Sends it to this endpoint alone. */
  readonly onlyEndpointId?: string
}

const pendingOf = new WeakMap<Tx, Pending>()

/**
 * Records an event in the transaction of the change that it reports. The payload is checked here and now; log, fan-out
 * and sequence numbers are written in one go before the commit.
 */
export function emit<Type extends EventType>(
  change: Change,
  definition: Pick<EventDefinition<Type>, 'type'>,
  emission: Emission<Type>,
): void {
  if (change.silent) return
  assertPayload(definition.type, emission.data)
  const id = newTimeOrderedId('evt', change.recordedAt.getTime())
  pending(change).events.push({
    event: envelope(change, id, definition.type, emission),
    orderKey: emission.employeeId ?? emission.orderKey ?? id,
    personId: emission.personId,
    onlyEndpointId: emission.onlyEndpointId ?? null,
  })
}

/** Raises the version of an employee whose record this change touches, whether or not it emits. */
export function touchEmployee(change: Change, employeeId: string): void {
  pending(change).touched.add(employeeId)
}

function pending(change: Change): Pending {
  const { tx } = change
  const found = pendingOf.get(tx)
  if (found) return found
  const fresh: Pending = { events: [], touched: new Set(), change }
  pendingOf.set(tx, fresh)
  tx.scope.beforeCommit('events', () => {
    pendingOf.delete(tx)
    return flushEvents(fresh)
  })
  return fresh
}

function envelope<Type extends EventType>(change: Change, id: string, type: Type, emission: Emission<Type>): PendingEvent['event'] {
  const { actor, recordedAt } = change
  return {
    id,
    type,
    api_version: API_VERSION,
    timestamp: (emission.timestamp ?? recordedAt).toISOString(),
    recorded_at: (emission.recordedAt ?? recordedAt).toISOString(),
    effective_date: emission.effectiveDate ?? null,
    retroactive: emission.retroactive ?? false,
    tenant: change.tx.scope.tenantId,
    employee_id: emission.employeeId ?? null,
    employment_id: emission.employmentId ?? null,
    status: emission.status ?? null,
    actor: { type: actor.type, id: actor.id },
    source: actor.source,
    correlation_id: emission.correlationId ?? change.id,
    causation_id: change.causationId,
    data: emission.data,
    changed: emission.changed ?? [],
    previous_attributes: emission.previousAttributes ?? {},
    links: { self: emission.self ?? null },
  }
}
