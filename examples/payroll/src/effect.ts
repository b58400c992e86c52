import type { AnyEvent } from '@tenure/receiver'
import type { ClientBase } from 'pg'

/**
 * What an event did. `no_record`: the fact is kept, and there is no record yet that it belongs to. `superseded`: something
 * newer was there before. `restricted`: the endpoint may not see what payroll would need. `noted`: payroll has nothing to do.
 */
export type Outcome =
  | 'opened'
  | 'already_open'
  | 'closed'
  | 'already_closed'
  | 'applied'
  | 'superseded'
  | 'no_record'
  | 'restricted'
  | 'noted'

/** The first seven parameters of each statement here: every one of them writes its effect itself, in the same round trip. */
export function effectValues(event: AnyEvent): unknown[] {
  return [event.id, event.type, event.employee_id, event.employment_id, event.sequence, event.previous_event_id, event.effective_date]
}

/** The last part of each statement. What follows it says the outcome. */
export const INSERT_EFFECT = `
  insert into effect (event_id, type, employee_id, employment_id, sequence, previous_event_id, effective_date, outcome)
  select $1, $2, $3, $4, $5::bigint, $6, $7::date,`

const NOTE_EVENT = `${INSERT_EFFECT} $8`

/** For events that change nothing here. They count all the same: a reconciliation asks for every event. */
export async function noteEvent(tx: ClientBase, event: AnyEvent, outcome: Outcome = 'noted'): Promise<void> {
  await tx.query({ name: 'note-event', text: NOTE_EVENT, values: [...effectValues(event), outcome] })
}

/** The day from which an event holds. */
export function effectiveDate(event: AnyEvent): string {
  return event.effective_date ?? event.timestamp.slice(0, 10)
}
