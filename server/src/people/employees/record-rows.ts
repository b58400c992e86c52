import type { Tx } from '../../database/tenant-transaction.ts'
import type { EmployeeRecord, ScheduledEvent, Zones } from './employee-record.ts'

export type EmployeeRow = { readonly id: string; readonly person_id: string; readonly employee_number: string }

/** What is locked for a change, and the time zones by which its dates are told. */
export type LockedEmployees = { readonly rows: readonly EmployeeRow[]; readonly zones: Zones }

// `no key`: facts that name a locked employee as somebody's manager need not wait.
export const LOCK_EMPLOYEES = {
  name: 'lock-employees',
  text: `select id, person_id, employee_number,
                (select time_zone from tenant t where t.tenant_id = $1) as tenant_zone,
                (select jsonb_object_agg(l.id, l.time_zone) from location l where l.tenant_id = $1) as zones
           from employee where tenant_id = $1 and id = any($2) order by id for no key update`,
}

export async function lockEmployees(tx: Tx, ids: readonly string[]): Promise<LockedEmployees> {
  type Row = EmployeeRow & { readonly tenant_zone: string; readonly zones: Record<string, string> | null }
  const rows = ids.length === 0 ? [] : await tx.scope.run<Row>(LOCK_EMPLOYEES, [tx.scope.tenantId, ids])
  const [first] = rows
  return { rows, zones: { tenant: first?.tenant_zone ?? 'UTC', byLocation: new Map(Object.entries(first?.zones ?? {})) } }
}

/** What stays the same of an employment, assignment or compensation; `parent` is the legal entity, employment or assignment. */
export type Identity = {
  readonly kind: 'employment' | 'assignment' | 'compensation'
  readonly id: string
  readonly employee_id: string
  readonly parent: string
  readonly is_primary: boolean
}

const IDENTITIES = {
  name: 'employee-identities',
  text: `select 'employment' as kind, id, employee_id, legal_entity_id as parent, false as is_primary from employment where tenant_id = $1 and employee_id = any($2)
         union all select 'assignment', id, employee_id, employment_id, is_primary from assignment where tenant_id = $1 and employee_id = any($2)
         union all select 'compensation', id, employee_id, assignment_id, false from compensation where tenant_id = $1 and employee_id = any($2)`,
}

export async function loadIdentities(tx: Tx, employeeIds: readonly string[]): Promise<Map<string, Identity[]>> {
  const rows = employeeIds.length === 0 ? [] : await tx.scope.run<Identity>(IDENTITIES, [tx.scope.tenantId, employeeIds])
  return Map.groupBy(rows, ({ employee_id }) => employee_id)
}

const SCHEDULED = {
  name: 'scheduled-of-employees',
  text: `select id, employee_id as "employeeId", type, subject_id as "subjectId", effective_date as "effectiveDate", change_set_id as "changeSetId",
                due_at as "dueAt", state
           from scheduled_event where tenant_id = $1 and employee_id = any($2) and state = 'pending'`,
}

export async function loadScheduled(tx: Tx, employeeIds: readonly string[]): Promise<ScheduledEvent[]> {
  return employeeIds.length === 0 ? [] : tx.scope.run<ScheduledEvent>(SCHEDULED, [tx.scope.tenantId, employeeIds])
}

const INSERT_SCHEDULED = {
  name: 'insert-scheduled',
  text: `insert into scheduled_event (tenant_id, id, employee_id, type, subject_id, effective_date, change_set_id, due_at)
         select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::timestamptz[])`,
}

export async function insertScheduled(tx: Tx, events: readonly ScheduledEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.scope.run(INSERT_SCHEDULED, [
    tx.scope.tenantId,
    events.map(({ id }) => id),
    events.map(({ employeeId }) => employeeId),
    events.map(({ type }) => type),
    events.map(({ subjectId }) => subjectId),
    events.map(({ effectiveDate }) => effectiveDate),
    events.map(({ changeSetId }) => changeSetId),
    events.map(({ dueAt }) => dueAt),
  ])
}

const SETTLE_SCHEDULED = {
  name: 'settle-scheduled',
  text: `update scheduled_event s set state = n.state, settled_at = now() from unnest($2::text[], $3::text[]) as n (id, state)
          where s.tenant_id = $1 and s.id = n.id and s.state = 'pending'`,
}

export async function settleScheduled(tx: Tx, events: readonly ScheduledEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.scope.run(SETTLE_SCHEDULED, [tx.scope.tenantId, events.map(({ id }) => id), events.map(({ state }) => state)])
}

const DROP_SCHEDULED = {
  name: 'drop-scheduled',
  text: "update scheduled_event set state = 'cancelled', settled_at = now() where tenant_id = $1 and employee_id = any($2) and state = 'pending'",
}

/** Withdraws everything that waits for these employees. */
export async function dropScheduled(tx: Tx, employeeIds: readonly string[]): Promise<void> {
  await tx.scope.run(DROP_SCHEDULED, [tx.scope.tenantId, employeeIds])
}

const MOVE_SCHEDULED = {
  name: 'move-scheduled',
  text: `update scheduled_event s set due_at = n.due_at from unnest($2::text[], $3::timestamptz[]) as n (id, due_at)
          where s.tenant_id = $1 and s.id = n.id and s.state = 'pending'`,
}

export async function moveScheduled(tx: Tx, events: readonly ScheduledEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.scope.run(MOVE_SCHEDULED, [tx.scope.tenantId, events.map(({ id }) => id), events.map(({ dueAt }) => dueAt)])
}

const ZONES = {
  name: 'time-zones',
  text: 'select null as id, time_zone from tenant where tenant_id = $1 union all select id, time_zone from location where tenant_id = $1',
}

export async function loadZones(tx: Tx): Promise<Zones> {
  const rows = await tx.scope.run<{ id: string | null; time_zone: string }>(ZONES, [tx.scope.tenantId])
  const tenant = rows.find(({ id }) => id === null)?.time_zone ?? 'UTC'
  return { tenant, byLocation: new Map(rows.flatMap(({ id, time_zone }) => (id ? [[id, time_zone] as const] : []))) }
}

const INSERT_EMPLOYMENTS = {
  name: 'insert-employments',
  text: 'insert into employment (tenant_id, id, employee_id, legal_entity_id) select $1, * from unnest($2::text[], $3::text[], $4::text[])',
}
const INSERT_ASSIGNMENTS = {
  name: 'insert-assignments',
  text: 'insert into assignment (tenant_id, id, employee_id, employment_id, is_primary) select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::boolean[])',
}
const INSERT_COMPENSATIONS = {
  name: 'insert-compensations',
  text: 'insert into compensation (tenant_id, id, employee_id, assignment_id) select $1, * from unnest($2::text[], $3::text[], $4::text[])',
}

/** Writes the employments, assignments and compensations that are new in these records. */
export async function insertIdentities(tx: Tx, records: readonly EmployeeRecord[]): Promise<void> {
  const fresh = <Line extends { isNew: boolean }>(lines: (record: EmployeeRecord) => readonly Line[]) =>
    records.flatMap((record) => lines(record).flatMap((line) => (line.isNew ? [{ ...line, employeeId: record.id }] : [])))
  const write = async (statement: { name: string; text: string }, columns: readonly unknown[][]) => {
    if (columns[0]?.length) await tx.scope.run(statement, [tx.scope.tenantId, ...columns])
  }
  const employments = fresh(({ employments }) => employments)
  await write(INSERT_EMPLOYMENTS, [
    employments.map((e) => e.id),
    employments.map((e) => e.employeeId),
    employments.map((e) => e.legalEntityId),
  ])
  const assignments = fresh(({ assignments }) => assignments)
  await write(INSERT_ASSIGNMENTS, [
    assignments.map((a) => a.id),
    assignments.map((a) => a.employeeId),
    assignments.map((a) => a.employmentId),
    assignments.map((a) => a.isPrimary),
  ])
  const compensations = fresh(({ compensations }) => compensations)
  await write(INSERT_COMPENSATIONS, [
    compensations.map((c) => c.id),
    compensations.map((c) => c.employeeId),
    compensations.map((c) => c.assignmentId),
  ])
}
