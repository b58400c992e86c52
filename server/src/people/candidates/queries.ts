import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Vault } from '../../privacy/vault.ts'
import { personFact } from '../facts/fact-kinds.ts'
import { queryFacts } from '../facts/fact-store.ts'
import { candidateNotFound } from '../problems.ts'
import { candidateData } from './candidate-row.ts'

/** A candidate; the personal data only for who may read it. */
export async function getCandidate(tx: Tx, vault: Vault, actor: Actor, id: string): Promise<Record<string, unknown>> {
  requireScope(actor, 'candidates:read')
  const row = await tx.selectFrom('candidate').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw candidateNotFound({ ids: { candidate_id: id } })
  const base = { ...candidateData(row), version: row.version }
  if (!actor.scopes.has('candidates:read:personal')) return { ...base, restricted: ['person'] }
  const keys = await vault.personKeys(tx, [row.person_id])
  const facts = await queryFacts(tx, personFact, [row.person_id], (personId) => keys.get(personId), { knownAt: tx.scope.now })
  const { national_id: _id, tax_elections: _elections, ...person } = facts.at(-1)?.values ?? {}
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
