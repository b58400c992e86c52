import type { EventMap, EventType } from '@tenure/contract'
import {
  assignmentChanged,
  classOf,
  compensationChanged,
  employeeUpdated,
  employmentStarted,
  employmentTerminated,
  PersonRecord,
} from '@tenure/contract'
import type { Change } from '../../events/change.ts'
import { type Emission, emit } from '../../events/emit.ts'
import { differences, previousAttributes } from '../../events/field-paths.ts'
import { factOn } from '../facts/timeline.ts'
import { dayBefore } from '../site-time.ts'
import type { ScheduledEvent } from './employee-record.ts'
import { type EmployeeRecord, employmentOf, employmentOn, statusOn, todayOf } from './employee-record.ts'
import { assignmentData, compensationData, employeeData, endData, startData } from './event-data.ts'
import { schedule } from './schedule.ts'

/**
 * Tells a change that holds from a date: now, when the date has come at the site; else at that date's midnight, by the
 * scheduler. Past tense means true now.
 */
export function announce(
  change: Change,
  record: EmployeeRecord,
  type: ScheduledEvent['type'],
  subjectId: string,
  date: string,
  before: unknown,
): void {
  const today = todayOf(record, change.recordedAt, employmentOf(record, subjectId)?.id)
  if (date > today) schedule(change, record, type, subjectId, date)
  else tell(change, record, type, subjectId, date, before, { retroactive: date < today, status: statusOn(record, today) })
}

/** Emits a scheduled event whose day has come, from the facts as they are believed now. False: nothing is left to tell. */
export function tellScheduled(
  change: Change,
  record: EmployeeRecord,
  { type, subjectId, effectiveDate, dueAt, changeSetId }: ScheduledEvent,
): boolean {
  const before = snapshotOn(record, type, subjectId, dayBefore(effectiveDate))
  const recordedAt = recordedAtOf(record, type, subjectId, effectiveDate)
  return tell(change, record, type, subjectId, effectiveDate, before, {
    timestamp: dueAt,
    correlationId: changeSetId,
    ...(recordedAt ? { recordedAt } : {}),
  })
}

type Telling = Pick<Emission<EventType>, 'retroactive' | 'status' | 'timestamp' | 'correlationId' | 'recordedAt'>

function tell(
  change: Change,
  record: EmployeeRecord,
  type: ScheduledEvent['type'],
  subjectId: string,
  date: string,
  before: unknown,
  telling: Telling,
): boolean {
  const data = stateOn(record, type, subjectId, date)
  if (!data) return false
  const common = { ...commonOf(record, subjectId, date), ...telling }
  if (type === 'employment.started' || type === 'employment.terminated') {
    emitTyped(change, type, data, common)
    return true
  }
  const employment = employmentOf(record, subjectId)
  if (type !== 'employee.updated' && !(employment && factOn(employment.line, date))) return false
  const changes = differences(before ?? {}, snapshotOn(record, type, subjectId, date)).filter(({ path }) => !IDENTITIES.has(path))
  if (changes.length === 0) return false
  const open = changes.filter(({ path }) => !SECRETS.some((secret) => path === secret || path.startsWith(`${secret}.`)))
  const changed = [...new Set(changes.map(({ path }) => SECRETS.find((secret) => path.startsWith(secret)) ?? path))]
  emitTyped(change, type, data, { ...common, changed, previousAttributes: previousAttributes(open) })
  return true
}

/** What a subject is known by: the same before and after, and no news where there was nothing before. */
const IDENTITIES = new Set([
  'employee_id',
  'employee_number',
  'assignment.id',
  'assignment.employment_id',
  'assignment.is_primary',
  'compensation.id',
  'compensation.assignment_id',
])

/** Fields that an event names and never carries. */
const SECRETS = Object.entries(PersonRecord.properties).flatMap(([name, schema]) =>
  classOf(schema) === 'secret' ? [`person.${name}`] : [],
)

function commonOf(record: EmployeeRecord, subjectId: string, date: string): Omit<Emission<EventType>, 'data'> {
  const employment = employmentOf(record, subjectId) ?? employmentOn(record, date)
  return {
    personId: record.personId,
    employeeId: record.id,
    ...(employment ? { employmentId: employment.id } : {}),
    status: statusOn(record, date),
    effectiveDate: date,
    self: `/v1/employees/${record.id}?as_of=${date}`,
  }
}

function recordedAtOf(record: EmployeeRecord, type: ScheduledEvent['type'], subjectId: string, date: string): Date | undefined {
  const day = type === 'employment.terminated' ? dayBefore(date) : date
  const lines = [{ id: record.personId, line: record.person }, ...record.employments, ...record.assignments, ...record.compensations]
  const line = lines.find(({ id }) => id === subjectId)?.line
  return line && factOn<unknown>(line, day)?.recordedAt
}

/** What is compared to find what changed: the event's data, and the secret fields that it only names. */
export function snapshotOn(record: EmployeeRecord, type: ScheduledEvent['type'], subjectId: string, date: string): unknown {
  const data = stateOn(record, type, subjectId, date)
  if (type !== 'employee.updated' || !data) return data
  const { tax_profile: _profile, ...person } = factOn(record.person, date)?.values ?? {}
  return { ...data, person }
}

/** What an event of this type says of its subject on a date. */
export function stateOn(
  record: EmployeeRecord,
  type: ScheduledEvent['type'],
  subjectId: string,
  date: string,
): EventMap[EventType] | undefined {
  const employee = { employee_id: record.id }
  if (type === 'assignment.changed') {
    const found = record.assignments.find(({ id }) => id === subjectId)
    const assignment = found && assignmentData(found, date)
    return assignment && { ...employee, assignment }
  }
  if (type === 'compensation.changed') {
    const found = record.compensations.find(({ id }) => id === subjectId)
    const compensation = found && compensationData(found, date)
    return compensation && { ...employee, compensation }
  }
  if (type === 'employee.updated') {
    const fact = factOn(record.person, date)
    return fact && employeeData(record, fact.values)
  }
  const employment = record.employments.find(({ id }) => id === subjectId)
  if (!employment) return undefined
  if (type === 'employment.started') return factOn(employment.line, date) && startData(record, employment, date)
  const last = factOn(employment.line, dayBefore(date))
  return last?.to === date ? endData(record, employment, last) : undefined
}

const DEFINITIONS = {
  'assignment.changed': assignmentChanged,
  'compensation.changed': compensationChanged,
  'employee.updated': employeeUpdated,
  'employment.started': employmentStarted,
  'employment.terminated': employmentTerminated,
}

function emitTyped(
  change: Change,
  type: ScheduledEvent['type'],
  data: EventMap[EventType],
  common: Omit<Emission<EventType>, 'data'>,
): void {
  emit(change, DEFINITIONS[type] as { type: EventType }, { ...common, data } as Emission<EventType>)
}
