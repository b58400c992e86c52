import { createHmac } from 'node:crypto'
import { candidateHired } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { type CreatedEmployee, createEmployees } from '../employees/create-employees.ts'
import { personData } from '../employees/event-data.ts'
import { canonical, type HireCandidate } from '../employees/inputs.ts'
import { personFact } from '../facts/fact-kinds.ts'
import { loadTimelines } from '../facts/fact-store.ts'
import { factOn } from '../facts/timeline.ts'
import { checkReferences } from '../organisation/references.ts'
import { candidateAlreadyHired, candidateNotActive } from '../problems.ts'
import { candidateData, lockCandidate } from './candidate-row.ts'
import { moveCandidate } from './change-status.ts'

/**
 * Hires a candidate: employee, employment, assignment and pay open together. Once per candidate: the same hire again
 * answers the same employee and sends nothing, one with other details is a conflict.
 */
export async function hireCandidate(
  change: Change,
  candidateId: string,
  input: HireCandidate,
): Promise<CreatedEmployee & { repeated: boolean }> {
  requireScope(change.actor, 'candidates:write')
  requireScope(change.actor, 'employees:write')
  const { tx, vault } = change
  const row = await lockCandidate(tx, candidateId)
  // Keyed: it stands for pay among other things, and a bare hash of an amount could be guessed.
  const digest = createHmac('sha256', (await vault.tenantKey(tx)).cipherKey)
    .update(`hire|${canonical(input)}`)
    .digest()
  if (row.status === 'hired') return { ...(await sameHire(change, candidateId, row.hire_digest, digest)), repeated: true }
  if (row.status !== 'active') throw candidateNotActive({ detail: `The candidate is ${row.status}.`, ids: { candidate_id: candidateId } })
  await checkReferences(tx, [input])

  const keys = await vault.personKeys(tx, [row.person_id])
  const line = (await loadTimelines(tx, personFact, [row.person_id], (id) => keys.get(id))).get(row.person_id)
  const person = line && (factOn(line, input.start_date) ?? line.facts[0])?.values
  if (!person) throw candidateNotActive({ detail: 'The personal data of the candidate is gone.', ids: { candidate_id: candidateId } })

  await tx.updateTable('candidate').set({ hire_digest: digest }).where('id', '=', candidateId).execute()
  await moveCandidate(change, row, { status: 'hired' })
  const [created] = await createEmployees(change, [{ ...input, person, personId: row.person_id, candidateId }])
  const { employeeId, employmentId } = created!
  emit(change, candidateHired, {
    data: {
      candidate: candidateData({ ...row, status: 'hired' }),
      employee_id: employeeId,
      employment_id: employmentId,
      start_date: input.start_date,
      person: personData(person),
    },
    personId: row.person_id,
    orderKey: candidateId,
    effectiveDate: input.start_date,
    self: `/v1/candidates/${candidateId}`,
  })
  audit(tx, vault, change.actor, { action: 'candidate.hire', subjectType: 'candidate', subjectId: candidateId, changeSetId: change.id })
  return { employeeId, employmentId, repeated: false }
}

async function sameHire({ tx }: Change, candidateId: string, before: Buffer | null, now: Buffer): Promise<CreatedEmployee> {
  if (!before?.equals(now))
    throw candidateAlreadyHired({
      errors: [{ pointer: '/candidate_id', message: 'was hired with other details', mend: 'Change the employee instead.' }],
    })
  const found = await tx
    .selectFrom('employee')
    .innerJoin('employment', 'employment.employee_id', 'employee.id')
    .innerJoin('employment_fact', 'employment_fact.subject_id', 'employment.id')
    .select(['employee.id as employeeId', 'employment.id as employmentId'])
    .where('employee.candidate_id', '=', candidateId)
    // A rehire opened others later: the hire's own was the first to be recorded.
    .orderBy('employment_fact.recorded_at')
    .limit(1)
    .executeTakeFirstOrThrow()
  return found
}
