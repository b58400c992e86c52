import { employmentStartScheduled } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { newId } from '../../kit/ids.ts'
import { setFrom, timeline } from '../facts/timeline.ts'
import { checkReferences, defaultLegalEntity } from '../organisation/references.ts'
import { employmentOverlaps } from '../problems.ts'
import { announce } from './announce.ts'
import { type EmployeeRecord, type EmploymentLine, statusOn, todayOf } from './employee-record.ts'
import { startData } from './event-data.ts'
import { checkComponents, patched, type StartEmployment } from './inputs.ts'
import { openOne } from './open-one.ts'
import { saveRecords } from './record-store.ts'
import { schedule } from './schedule.ts'

/** Opens another employment of somebody who is known already: a rehire, or a second legal entity. */
export async function startEmployment(change: Change, employeeId: string, input: StartEmployment): Promise<{ employmentId: string }> {
  requireScope(change.actor, 'employees:write')
  await checkReferences(change.tx, [input])
  const record = await openOne(change, employeeId)
  const legalEntityId = input.legal_entity_id ?? (await defaultLegalEntity(change.tx))
  const employment = applyEmployment(change, record, { ...input, legal_entity_id: legalEntityId })
  audit(change.tx, change.vault, change.actor, {
    action: 'employment.start',
    subjectType: 'employee',
    subjectId: employeeId,
    changeSetId: change.id,
  })
  await saveRecords(change, [record])
  return { employmentId: employment.id }
}

/** Opens an employment with its primary assignment and pay in the record. `first` runs before its event is emitted. */
export function applyEmployment(
  change: Change,
  record: EmployeeRecord,
  input: StartEmployment & { readonly legal_entity_id: string },
  first: (employment: EmploymentLine) => void = () => {},
): EmploymentLine {
  const { start_date: startDate, legal_entity_id: legalEntityId } = input
  if (input.compensation) checkComponents(input.compensation.components, '/compensation')
  refuseOverlap(record, legalEntityId, startDate)
  const id = newId('ept')
  const opened: EmploymentLine = { id, legalEntityId, line: timeline(id), isNew: true }
  setFrom(
    opened.line,
    startDate,
    { legal_entity_id: legalEntityId, employment_type: input.employment_type ?? 'employee' },
    change.recordedAt,
  )
  record.employments.push(opened)

  const assignment = { id: newId('asg'), employmentId: opened.id, isPrimary: true, isNew: true } as const
  const job = timeline<NonNullable<StartEmployment['assignment']>>(assignment.id)
  setFrom(job, startDate, patched({}, input.assignment ?? {}), change.recordedAt)
  record.assignments.push({ ...assignment, line: job })

  if (input.compensation) {
    const payId = newId('cmp')
    const pay = timeline<NonNullable<StartEmployment['compensation']>>(payId)
    setFrom(pay, startDate, input.compensation, change.recordedAt)
    record.compensations.push({ id: payId, assignmentId: assignment.id, line: pay, isNew: true })
  }
  first(opened)
  announceStart(change, record, opened, startDate)
  return opened
}

function announceStart(change: Change, record: EmployeeRecord, employment: EmploymentLine, startDate: string): void {
  if (startDate <= todayOf(record, change.recordedAt, employment.id)) {
    announce(change, record, 'employment.started', employment.id, startDate, undefined)
    return
  }
  schedule(change, record, 'employment.started', employment.id, startDate)
  emit(change, employmentStartScheduled, {
    data: startData(record, employment, startDate),
    personId: record.personId,
    employeeId: record.id,
    employmentId: employment.id,
    status: statusOn(record, todayOf(record, change.recordedAt)),
    effectiveDate: startDate,
    self: `/v1/employees/${record.id}?as_of=${startDate}`,
  })
}

/** Periods of one legal entity may not overlap; the database says so too, this says it in words. */
function refuseOverlap({ employments }: EmployeeRecord, legalEntityId: string, startDate: string): void {
  const overlaps = employments.some(
    (one) => one.legalEntityId === legalEntityId && one.line.facts.some(({ to }) => to === null || to > startDate),
  )
  if (!overlaps) return
  const mend = 'Start it on or after the end of the present employment, or end that one first.'
  throw employmentOverlaps({ errors: [{ pointer: '/start_date', message: 'lies within another employment', mend }] })
}
