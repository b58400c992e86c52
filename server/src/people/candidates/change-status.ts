import { candidateStatusChanged } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { differences, previousAttributes } from '../../events/field-paths.ts'
import { candidateNotActive } from '../problems.ts'
import { candidateData, lockCandidate } from './candidate-row.ts'
import type { ChangeCandidateStatus } from './inputs.ts'

/** Moves a candidate to another status or stage. False: it stands there already. */
export async function changeCandidateStatus(change: Change, candidateId: string, input: ChangeCandidateStatus): Promise<boolean> {
  requireScope(change.actor, 'candidates:write')
  const row = await lockCandidate(change.tx, candidateId)
  if (row.status === 'hired')
    throw candidateNotActive({ detail: 'The candidate was hired. Change the employee instead.', ids: { candidate_id: candidateId } })
  return moveCandidate(change, row, input)
}

/** The move itself, also the one to hired. */
export async function moveCandidate(
  change: Change,
  row: Awaited<ReturnType<typeof lockCandidate>>,
  input: { readonly status?: string; readonly stage?: string },
): Promise<boolean> {
  const moved = { ...row, ...input }
  const changes = differences({ candidate: candidateData(row) }, { candidate: candidateData(moved) })
  if (changes.length === 0) return false
  await change.tx
    .updateTable('candidate')
    .set({ status: moved.status, stage: moved.stage, version: row.version + 1 })
    .where('id', '=', row.id)
    .execute()
  emit(change, candidateStatusChanged, {
    data: { candidate: candidateData(moved) },
    personId: row.person_id,
    orderKey: row.id,
    changed: changes.map(({ path }) => path),
    previousAttributes: previousAttributes(changes),
    self: `/v1/candidates/${row.id}`,
  })
  const fields = changes.map(({ path, before, after }) => ({ path, before, after }))
  audit(change.tx, change.vault, change.actor, {
    action: 'candidate.change_status',
    subjectType: 'candidate',
    subjectId: row.id,
    changeSetId: change.id,
    fields,
  })
  return true
}
