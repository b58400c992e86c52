import { candidateCreated } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import { violates } from '../../database/database.ts'
import { type Change, recordChangeSet } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { newId } from '../../kit/ids.ts'
import { createPersons } from '../employees/create-persons.ts'
import { personData } from '../employees/event-data.ts'
import { loadZones } from '../employees/record-rows.ts'
import { type PersonValues, personFact } from '../facts/fact-kinds.ts'
import { saveTimelines } from '../facts/fact-store.ts'
import { setFrom, timeline } from '../facts/timeline.ts'
import { candidateSourceTaken } from '../problems.ts'
import { dateAt } from '../site-time.ts'
import { candidateData } from './candidate-row.ts'
import type { CreateCandidate } from './inputs.ts'

/** Records a candidate and the person behind, whose personal data holds from today. */
export async function createCandidate(change: Change, input: CreateCandidate): Promise<{ id: string }> {
  requireScope(change.actor, 'candidates:write')
  const { tx } = change
  const [created] = await createPersons(change, [{}])
  const { personId, key } = created!
  await recordChangeSet(change)
  const line = timeline<PersonValues>(personId)
  setFrom(line, dateAt(change.recordedAt, (await loadZones(tx)).tenant), input.person, change.recordedAt)
  await saveTimelines(tx, personFact, change.id, change.recordedAt, [{ line, employeeId: '', key }])

  const row = {
    tenant_id: tx.scope.tenantId,
    id: newId('can'),
    person_id: personId,
    status: 'active',
    stage: input.stage ?? null,
    source: input.source ?? 'api',
    source_id: input.source_id ?? null,
    job_title: input.job_title ?? null,
  }
  await tx
    .insertInto('candidate')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      if (violates(error, 'candidate_tenant_id_source_source_id_key'))
        throw candidateSourceTaken({ errors: [{ pointer: '/source_id', message: 'is taken' }] })
      throw error
    })
  emit(change, candidateCreated, {
    data: { candidate: candidateData(row), person: personData(input.person) },
    personId,
    orderKey: row.id,
    self: `/v1/candidates/${row.id}`,
  })
  audit(tx, change.vault, change.actor, { action: 'candidate.create', subjectType: 'candidate', subjectId: row.id, changeSetId: change.id })
  return { id: row.id }
}
