import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Vault } from '../../privacy/vault.ts'
import { assignmentFact, compensationFact, employmentFact, type FactKind, personFact } from '../facts/fact-kinds.ts'
import { type FactQuery, type FactRecord, queryFacts } from '../facts/fact-store.ts'
import { employeeNotFound } from '../problems.ts'
import { dateAt } from '../site-time.ts'
import { type Identity, loadIdentities, loadZones } from './record-rows.ts'
import { hiddenFields, visible } from './visible-fields.ts'

export type EmployeeView = Record<string, unknown> & { readonly id: string; readonly version: number }

type Row = { id: string; person_id: string; employee_number: string; version: number; candidate_id: string | null }

/** Everything that is dated of an employee, for the dates and the moment that the query asks for. */
async function factsOf(tx: Tx, vault: Vault, row: Row, query: FactQuery) {
  const keys = await vault.personKeys(tx, [row.person_id])
  const keyOf = () => keys.get(row.person_id)
  const identities = (await loadIdentities(tx, [row.id])).get(row.id) ?? []
  const ids = (kind: Identity['kind']) => identities.filter((one) => one.kind === kind).map(({ id }) => id)
  return {
    identities,
    person: await queryFacts(tx, personFact, [row.person_id], keyOf, query),
    employments: await queryFacts(tx, employmentFact, ids('employment'), keyOf, query),
    assignments: await queryFacts(tx, assignmentFact, ids('assignment'), keyOf, query),
    compensations: await queryFacts(tx, compensationFact, ids('compensation'), keyOf, query),
  }
}

async function findEmployee(tx: Tx, id: string): Promise<Row> {
  const row = await tx
    .selectFrom('employee')
    .select(['id', 'person_id', 'employee_number', 'version', 'candidate_id'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw employeeNotFound({ ids: { employee_id: id } })
  return row
}

/**
 * An employee on a date at the site (left out: today), as known at a moment (left out: now). Fields that the actor may not
 * see are absent, and named in `restricted`.
 */
export async function getEmployee(
  tx: Tx,
  vault: Vault,
  actor: Actor,
  id: string,
  { asOf, knownAt }: FactQuery = {},
): Promise<EmployeeView> {
  requireScope(actor, 'employees:read')
  const row = await findEmployee(tx, id)
  const date = asOf ?? dateAt(tx.scope.now, (await loadZones(tx)).tenant)
  const facts = await factsOf(tx, vault, row, knownAt ? { knownAt } : { knownAt: tx.scope.now })
  const on = <Values>(records: readonly FactRecord<Values>[]) =>
    records.filter(({ from, to }) => from <= date && (to === null || date < to))
  const person = on(facts.person)[0] ?? facts.person[0]
  const parentOf = (subjectId: string) => facts.identities.find((one) => one.id === subjectId)
  const hidden = hiddenFields(actor)
  return {
    id: row.id,
    employee_number: row.employee_number,
    status: statusOf(facts.employments, date),
    version: row.version,
    as_of: date,
    ...(row.candidate_id ? { candidate_id: row.candidate_id } : {}),
    person: person ? visible(person.values, 'person', hidden) : {},
    employments: facts.employments.map((fact) => ({
      id: fact.subjectId,
      start_date: fact.from,
      end_date: fact.to,
      ...visible(fact.values, 'employment', hidden),
    })),
    assignments: on(facts.assignments).map((fact) => ({
      id: fact.subjectId,
      employment_id: parentOf(fact.subjectId)?.parent,
      is_primary: parentOf(fact.subjectId)?.is_primary,
      valid_from: fact.from,
      valid_to: fact.to,
      ...fact.values,
    })),
    compensations: on(facts.compensations).map((fact) => ({
      id: fact.subjectId,
      assignment_id: parentOf(fact.subjectId)?.parent,
      valid_from: fact.from,
      valid_to: fact.to,
      ...visible(fact.values, 'compensation', hidden),
    })),
    restricted: [...hidden.paths],
  }
}

function statusOf(employments: readonly FactRecord<unknown>[], date: string): string {
  if (employments.some(({ from, to }) => from <= date && (to === null || date < to))) return 'active'
  return employments.some(({ from }) => from > date) ? 'prehire' : 'terminated'
}

/** Every fact about an employee, also those no longer believed: what held when, and between which moments we thought so. */
export async function getEmployeeHistory(tx: Tx, vault: Vault, actor: Actor, id: string): Promise<Record<string, unknown>[]> {
  requireScope(actor, 'employees:read')
  const row = await findEmployee(tx, id)
  const facts = await factsOf(tx, vault, row, {})
  const hidden = hiddenFields(actor)
  const listed = <Values extends object>(kind: FactKind<Values>, records: readonly FactRecord<Values>[]) =>
    records.map((fact) => ({
      subject: kind.subject,
      subject_id: fact.subjectId,
      valid_from: fact.from,
      valid_to: fact.to,
      recorded_at: fact.recordedAt.toISOString(),
      superseded_at: fact.supersededAt?.toISOString() ?? null,
      change_set_id: fact.changeSetId,
      values: visible(fact.values, kind.subject, hidden),
    }))
  return [
    ...listed(personFact, facts.person),
    ...listed(employmentFact, facts.employments),
    ...listed(assignmentFact, facts.assignments),
    ...listed(compensationFact, facts.compensations),
  ].sort((a, b) => (a.recorded_at < b.recorded_at ? -1 : a.recorded_at > b.recorded_at ? 1 : a.valid_from < b.valid_from ? -1 : 1))
}

export type EmployeeListItem = { readonly id: string; readonly employee_number: string; readonly version: number }

/** Employees by id, a page at a time: handles only, so that a list never opens a sealed value. */
export async function listEmployees(
  tx: Tx,
  actor: Actor,
  { after, limit, employeeNumber }: { after?: string; limit: number; employeeNumber?: string },
): Promise<EmployeeListItem[]> {
  requireScope(actor, 'employees:read')
  let query = tx.selectFrom('employee').select(['id', 'employee_number', 'version']).orderBy('id').limit(limit)
  if (after) query = query.where('id', '>', after)
  if (employeeNumber) query = query.where('employee_number', '=', employeeNumber)
  return query.execute()
}
