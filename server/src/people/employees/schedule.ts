import type { Change } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { midnightAt } from '../site-time.ts'
import { type EmployeeRecord, employmentOf, type ScheduledEvent, zoneOn } from './employee-record.ts'

const WAITING: ReadonlySet<ScheduledEvent['state']> = new Set(['new', 'pending', 'moved'])

/** The events that wait for their day: of one type and subject, or all. */
function waiting({ scheduled }: EmployeeRecord, type?: ScheduledEvent['type'], subjectId?: string): ScheduledEvent[] {
  return scheduled.filter(
    (one) =>
      WAITING.has(one.state) && (type === undefined || one.type === type) && (subjectId === undefined || one.subjectId === subjectId),
  )
}

/**
 * Lets an event be told when its day comes. One that waits already for the same subject and day makes room for it, so that
 * the event belongs to the change that took effect.
 */
export function schedule(change: Change, record: EmployeeRecord, type: ScheduledEvent['type'], subjectId: string, date: string): void {
  if (isToldByStart(record, type, subjectId, date)) return
  for (const earlier of waiting(record, type, subjectId).filter(({ effectiveDate }) => effectiveDate === date)) {
    if (earlier.state === 'new') return
    earlier.state = 'cancelled'
  }
  record.scheduled.push({
    id: newId('sch'),
    employeeId: record.id,
    type,
    subjectId,
    effectiveDate: date,
    changeSetId: change.id,
    dueAt: dueAt(record, subjectId, date),
    state: 'new',
  })
}

/** The job and the pay of the first day are part of the start itself. */
function isToldByStart(record: EmployeeRecord, type: ScheduledEvent['type'], subjectId: string, date: string): boolean {
  if (type !== 'assignment.changed' && type !== 'compensation.changed') return false
  const employment = employmentOf(record, subjectId)
  return waiting(record, 'employment.started', employment?.id).some(({ effectiveDate }) => effectiveDate === date)
}

function dueAt(record: EmployeeRecord, subjectId: string, date: string): Date {
  return midnightAt(date, zoneOn(record, date, employmentOf(record, subjectId)?.id))
}

/** Withdraws what was scheduled for a subject. */
export function unschedule(record: EmployeeRecord, type: ScheduledEvent['type'], subjectId: string): void {
  for (const one of waiting(record, type, subjectId)) one.state = 'cancelled'
}

/** After a move to another site: what waits, waits for the midnight of the site where it will be true. */
export function moveToSite(record: EmployeeRecord): void {
  for (const one of waiting(record)) {
    const due = dueAt(record, one.subjectId, one.effectiveDate)
    if (due.getTime() === one.dueAt.getTime()) continue
    one.dueAt = due
    if (one.state === 'pending') one.state = 'moved'
  }
}
