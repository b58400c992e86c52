import { employmentTerminationCancelled, employmentTerminationScheduled } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import type { EmploymentValues } from '../facts/fact-kinds.ts'
import { type Fact, factOn, replaceFact } from '../facts/timeline.ts'
import { alreadyTerminated, employmentOverlaps, invalidDate, noScheduledTermination, notEmployed } from '../problems.ts'
import { dayBefore } from '../site-time.ts'
import { announce } from './announce.ts'
import { type EmployeeRecord, type EmploymentLine, employmentOn, inOrder, statusOn, todayOf } from './employee-record.ts'
import { endData } from './event-data.ts'
import { type CancelTermination, sameValues, type TerminateEmployment } from './inputs.ts'
import { openOne } from './open-one.ts'
import { saveRecords } from './record-store.ts'
import { schedule, unschedule } from './schedule.ts'

/** Ends an employment: at once, or on a later date, when it is scheduled. False: exactly this end is entered already. */
export async function terminateEmployment(change: Change, employeeId: string, input: TerminateEmployment): Promise<boolean> {
  requireScope(change.actor, 'employees:write')
  const record = await openOne(change, employeeId)
  const changed = applyTermination(change, record, input)
  if (changed) await saveRecords(change, [record])
  return changed
}

export function applyTermination(change: Change, record: EmployeeRecord, input: TerminateEmployment): boolean {
  const today = todayOf(record, change.recordedAt)
  const endDate = input.end_date ?? today
  const { employment, fact } = endingFact(record, endDate, input.employment_id)
  const { termination: _t, last_day_worked: _l, access_cutoff_at: _a, ...kept } = fact.values
  const values: EmploymentValues = {
    ...kept,
    last_day_worked: input.last_day_worked ?? dayBefore(endDate),
    ...(input.access_cutoff_at ? { access_cutoff_at: cutoffOf(input.access_cutoff_at) } : {}),
    ...(input.termination ? { termination: input.termination } : {}),
  }
  if (fact.to === endDate && sameValues(fact.values, values)) return false
  if (fact.to !== null) throw alreadyTerminated({ detail: 'Cancel the scheduled termination first, then enter the new one.' })
  checkLastDay(values, fact, endDate)
  replaceFact(employment.line, fact, endDate, values, change.recordedAt)
  auditEnd(change, record, 'employment.terminate', employment.id)
  if (endDate <= today) announce(change, record, 'employment.terminated', employment.id, endDate, undefined)
  else announceScheduled(change, record, employment, endDate)
  return true
}

/** The moment in UTC. At the edges of the calendar an offset can move it out of the years that an event may name. */
function cutoffOf(text: string): string {
  const moment = new Date(text).toISOString()
  if (/^[1-9]\d{3}-/.test(moment)) return moment
  throw invalidDate({ errors: [{ pointer: '/access_cutoff_at', message: 'lies outside the years 1000 to 9999' }] })
}

function announceScheduled(change: Change, record: EmployeeRecord, employment: EmploymentLine, endDate: string): void {
  schedule(change, record, 'employment.terminated', employment.id, endDate)
  const fact = factOn(employment.line, dayBefore(endDate))
  if (fact) emit(change, employmentTerminationScheduled, { ...ending(change, record, employment, fact), effectiveDate: endDate })
}

/** Withdraws a termination that has not taken effect. */
export async function cancelTermination(change: Change, employeeId: string, input: CancelTermination): Promise<void> {
  requireScope(change.actor, 'employees:write')
  const record = await openOne(change, employeeId)
  const today = todayOf(record, change.recordedAt)
  const found = inOrder(record.employments)
    .flatMap((employment) => employment.line.facts.map((fact) => ({ employment, fact })))
    .find(({ employment, fact }) => fact.to !== null && fact.to > today && (!input.employment_id || employment.id === input.employment_id))
  if (!found) throw noScheduledTermination({ ids: { employee_id: employeeId } })
  const { employment, fact } = found
  refuseReopening(record, employment, fact)
  const { termination: _t, last_day_worked: _l, access_cutoff_at: _a, ...values } = fact.values
  const endDate = fact.to!
  replaceFact(employment.line, fact, null, values, change.recordedAt)
  unschedule(record, 'employment.terminated', employment.id)
  const reopened = factOn(employment.line, fact.from)
  if (reopened) emit(change, employmentTerminationCancelled, { ...ending(change, record, employment, reopened), effectiveDate: endDate })
  auditEnd(change, record, 'employment.cancel_termination', employment.id)
  await saveRecords(change, [record])
}

function endingFact(
  record: EmployeeRecord,
  endDate: string,
  employmentId?: string,
): { employment: EmploymentLine; fact: Fact<EmploymentValues> } {
  const lastDay = dayBefore(endDate)
  const employment = employmentId
    ? record.employments.find(({ id }) => id === employmentId)
    : (employmentOn(record, lastDay) ?? inOrder(record.employments).at(-1))
  const fact = employment && (factOn(employment.line, lastDay) ?? employment.line.facts.at(-1))
  if (!employment || !fact) throw notEmployed({ errors: [{ pointer: '/employment_id', message: 'is no employment of this employee' }] })
  if (endDate <= fact.from) {
    throw invalidDate({
      errors: [{ pointer: '/end_date', message: 'must be after the first day of the employment', mend: `Use a date after ${fact.from}.` }],
    })
  }
  return { employment, fact }
}

function checkLastDay(values: EmploymentValues, fact: Fact<EmploymentValues>, endDate: string): void {
  const lastDay = values.last_day_worked
  if (!lastDay || (lastDay >= fact.from && lastDay < endDate)) return
  throw invalidDate({ errors: [{ pointer: '/last_day_worked', message: 'must lie in the employment, before its end date' }] })
}

/** The employment goes on without end: another one of the same legal entity must not stand behind it. */
function refuseReopening(record: EmployeeRecord, employment: EmploymentLine, fact: Fact<EmploymentValues>): void {
  const behind = record.employments.some(
    (one) => one.legalEntityId === employment.legalEntityId && one.line.facts.some((other) => other !== fact && other.from >= fact.to!),
  )
  if (behind) throw employmentOverlaps({ detail: 'A later employment by the same legal entity begins after this one.' })
}

function ending(change: Change, record: EmployeeRecord, employment: EmploymentLine, fact: Fact<EmploymentValues>) {
  return {
    data: endData(record, employment, fact),
    personId: record.personId,
    employeeId: record.id,
    employmentId: employment.id,
    status: statusOn(record, todayOf(record, change.recordedAt)),
    self: `/v1/employees/${record.id}`,
  }
}

function auditEnd({ tx, vault, actor, id }: Change, record: EmployeeRecord, action: string, employmentId: string): void {
  audit(tx, vault, actor, {
    action,
    subjectType: 'employee',
    subjectId: record.id,
    changeSetId: id,
    fields: [{ path: `employment[${employmentId}].end_date` }],
  })
}
