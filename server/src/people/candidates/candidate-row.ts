import type { Candidate } from '@tenure/contract'
import type { Tx } from '../../database/tenant-transaction.ts'
import { candidateNotFound } from '../problems.ts'

export async function lockCandidate(tx: Tx, id: string) {
  const row = await tx.selectFrom('candidate').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (!row) throw candidateNotFound({ ids: { candidate_id: id } })
  return row
}

type Row = Awaited<ReturnType<typeof lockCandidate>>

/** A candidate as events and answers carry one. */
export function candidateData({
  id,
  status,
  stage,
  source,
  source_id,
  job_title,
}: Pick<Row, 'id' | 'status' | 'stage' | 'source' | 'source_id' | 'job_title'>): Candidate {
  return {
    id,
    status: status as Candidate['status'],
    source,
    ...(stage ? { stage } : {}),
    ...(source_id ? { source_id } : {}),
    ...(job_title ? { job_title } : {}),
  }
}
