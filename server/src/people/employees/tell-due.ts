import { systemActor } from '../../access/actor.ts'
import type { Change } from '../../events/change.ts'
import { tellScheduled } from './announce.ts'
import type { EmployeeRecord, ScheduledEvent } from './employee-record.ts'

export const SCHEDULER = systemActor('scheduler', 'scheduler')

/** At one midnight an employment ends before the next one begins, and the person comes before the job and the pay. */
const ORDER: readonly ScheduledEvent['type'][] = [
  'employment.terminated',
  'employment.started',
  'employee.updated',
  'assignment.changed',
  'compensation.changed',
]

/**
 * Tells what has come due by a moment, in the order in which it became true, and answers what is settled by that. Whoever
 * finds it, the scheduler says it: also inside a silent change, which silences its own events only.
 */
export function tellDue(change: Change, records: readonly EmployeeRecord[], moment: Date): ScheduledEvent[] {
  const due = records
    .flatMap((record) => record.scheduled.filter(({ dueAt }) => dueAt <= moment).map((scheduled) => ({ record, scheduled })))
    .sort(({ scheduled: a }, { scheduled: b }) => a.dueAt.getTime() - b.dueAt.getTime() || ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
  const scheduler: Change = { ...change, actor: SCHEDULER, silent: false }
  for (const { record, scheduled } of due) scheduled.state = tellScheduled(scheduler, record, scheduled) ? 'emitted' : 'cancelled'
  return due.map(({ scheduled }) => scheduled)
}
