import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Vault } from '../../privacy/vault.ts'
import { loadZones } from '../employees/record-rows.ts'
import { personFact } from '../facts/fact-kinds.ts'
import { loadTimelines } from '../facts/fact-store.ts'
import { factOn } from '../facts/timeline.ts'
import { candidateNotFound } from '../problems.ts'
import { dateAt } from '../site-time.ts'
import { candidateData } from './candidate-row.ts'

export type CandidateView = Record<string, unknown> & { readonly version: number }

/** A candidate; the personal data only for who may read it. */
export async function getCandidate(tx: Tx, vault: Vault, actor: Actor, id: string): Promise<CandidateView> {
  requireScope(actor, 'candidates:read')
  const row = await tx.selectFrom('candidate').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw candidateNotFound({ ids: { candidate_id: id } })
  const base = { ...candidateData(row), version: row.version }
  if (!actor.scopes.has('candidates:read:personal')) return { ...base, restricted: ['person'] }
  const keys = await vault.personKeys(tx, [row.person_id])
  const line = (await loadTimelines(tx, personFact, [row.person_id], (personId) => keys.get(personId))).get(row.person_id)
  const today = dateAt(tx.scope.now, (await loadZones(tx)).tenant)
  const fact = line && (factOn(line, today) ?? line.facts[0])
  const { national_id: _id, tax_elections: _elections, ...person } = fact?.values ?? {}
  return { ...base, person, restricted: ['person.national_id', 'person.tax_elections'] }
}

/** Candidates by id, a page at a time, without personal data. */
export async function listCandidates(tx: Tx, actor: Actor, { after, limit, status }: { after?: string; limit: number; status?: string }) {
  requireScope(actor, 'candidates:read')
  let query = tx.selectFrom('candidate').selectAll().orderBy('id').limit(limit)
  if (after) query = query.where('id', '>', after)
  if (status) query = query.where('status', '=', status)
  return (await query.execute()).map((row) => ({ ...candidateData(row), version: row.version }))
}
