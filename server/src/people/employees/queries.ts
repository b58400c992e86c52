import { type Actor, requireScope } from '../../access/actor.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Vault } from '../../privacy/vault.ts'
import { assignmentFact, compensationFact, type EmploymentValues, employmentFact, type FactKind, personFact } from '../facts/fact-kinds.ts'
import { type Belief, type FactRecord, queryFacts } from '../facts/fact-store.ts'
import { employeeNotFound } from '../problems.ts'
import { type Sited, todayOf } from './employee-record.ts'
import { type Identity, loadIdentities, loadZones } from './record-rows.ts'
import { type Hidden, hiddenFields, visible } from './visible-fields.ts'

export type EmployeeView = Record<string, unknown> & { readonly id: string; readonly version: number }

type Row = { id: string; person_id: string; employee_number: string; version: number; candidate_id: string | null }

/** Everything that is dated of an employee, as the query believes it. */
async function factsOf(tx: Tx, vault: Vault, row: Row, belief: Belief) {
  const keys = await vault.personKeys(tx, [row.person_id])
  const keyOf = () => keys.get(row.person_id)
  const identities = (await loadIdentities(tx, [row.id])).get(row.id) ?? []
  const ids = (kind: Identity['kind']) => identities.filter((one) => one.kind === kind).map(({ id }) => id)
  return {
    identities,
    person: await queryFacts(tx, personFact, [row.person_id], keyOf, belief),
    employments: await queryFacts(tx, employmentFact, ids('employment'), keyOf, belief),
    assignments: await queryFacts(tx, assignmentFact, ids('assignment'), keyOf, belief),
    compensations: await queryFacts(tx, compensationFact, ids('compensation'), keyOf, belief),
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

export type EmployeeQuery = { readonly asOf?: string; readonly knownAt?: Date }

/**
 * An employee on a date at the site (left out: today), as known at a moment (left out: now). Fields that the actor may not
 * see are absent, and named in `restricted`. The version is read before the facts, so that a change which comes between makes
 * the answer newer than its ETag, and never older.
 */
export async function getEmployee(
  tx: Tx,
  vault: Vault,
  actor: Actor,
  id: string,
  { asOf, knownAt }: EmployeeQuery = {},
): Promise<EmployeeView> {
  requireScope(actor, 'employees:read')
  const row = await findEmployee(tx, id)
  const facts = await factsOf(tx, vault, row, knownAt ?? 'now')
  if (facts.employments.length === 0)
    throw employeeNotFound({ detail: 'Nothing was known of this employee then.', ids: { employee_id: id } })
  const date = asOf ?? todayOf(await sitedBy(tx, facts), tx.scope.now)
  const person = on(facts.person, date)[0] ?? facts.person[0]
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
    ...jobsOn(facts, date, hidden),
    restricted: [...hidden.paths],
  }
}

type Facts = Awaited<ReturnType<typeof factsOf>>

function on<Values>(records: readonly FactRecord<Values>[], date: string): FactRecord<Values>[] {
  return records.filter(({ from, to }) => from <= date && (to === null || date < to))
}

/** The jobs and their pay on a date. They hold no longer than the employment that they belong to. */
function jobsOn({ identities, employments, assignments, compensations }: Facts, date: string, hidden: Hidden) {
  const identity = new Map(identities.map((one) => [one.id, one]))
  const employed = new Map(on(employments, date).map((fact) => [fact.subjectId, fact]))
  const within = <Values>({ from, to }: FactRecord<Values>, employment: FactRecord<EmploymentValues>) => ({
    valid_from: from,
    valid_to: to !== null && (employment.to === null || to < employment.to) ? to : employment.to,
  })
  return {
    assignments: on(assignments, date).flatMap((fact) => {
      const its = identity.get(fact.subjectId)
      const employment = employed.get(its?.parent ?? '')
      if (!its || !employment) return []
      return [{ id: its.id, employment_id: employment.subjectId, is_primary: its.is_primary, ...within(fact, employment), ...fact.values }]
    }),
    compensations: on(compensations, date).flatMap((fact) => {
      const assignmentId = identity.get(fact.subjectId)?.parent ?? ''
      const employment = employed.get(identity.get(assignmentId)?.parent ?? '')
      if (!employment) return []
      const values = visible(fact.values, 'compensation', hidden)
      return [{ id: fact.subjectId, assignment_id: assignmentId, ...within(fact, employment), ...values }]
    }),
  }
}

/** The facts as far as they tell where the employee works. */
async function sitedBy(tx: Tx, { identities, employments, assignments }: Facts): Promise<Sited> {
  const lines = <Values>(records: readonly FactRecord<Values>[]) =>
    [...Map.groupBy(records, ({ subjectId }) => subjectId)].map(([id, facts]) => ({ id, line: { facts } }))
  const identity = new Map(identities.map((one) => [one.id, one]))
  return {
    zones: await loadZones(tx),
    employments: lines(employments),
    assignments: lines(assignments).map(({ id, line }) => ({
      line,
      employmentId: identity.get(id)?.parent ?? '',
      isPrimary: identity.get(id)?.is_primary ?? false,
    })),
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
  const facts = await factsOf(tx, vault, row, 'ever')
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
