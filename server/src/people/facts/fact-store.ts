import type { Statement, Tx } from '../../database/tenant-transaction.ts'
import { type DataKey, keyIdOf, open, seal } from '../../privacy/sealed-value.ts'
import type { FactKind } from './fact-kinds.ts'
import { type Fact, type Timeline, timeline, unwritten } from './timeline.ts'

/** A fact as its table has it; the clear columns of its kind stand among the others. */
export type FactRow = Record<string, unknown> & {
  id: string
  subject_id: string
  valid_from: string
  valid_to: string | null
  recorded_at: Date
  personal: Buffer | null
  secret: Buffer | null
}

/** Which facts: those believed now, those believed at a moment, or all that ever were. */
export type Belief = Date | 'now' | 'ever'

export type FactRecord<Values> = Fact<Values> & {
  readonly subjectId: string
  readonly supersededAt: Date | null
  readonly changeSetId: string
  readonly sealedAway: boolean
}

/** The statements of one kind of fact, written from its columns once. */
type Statements = { readonly believed: Statement; readonly all: Statement; readonly supersede: Statement; readonly insert: Statement }

const statements = new Map<string, Statements>()

function statementsOf<Values>({ table, columns }: FactKind<Values>): Statements {
  const found = statements.get(table)
  if (found) return found
  const names = Object.keys(columns)
  const read = names.map((name) => `, ${columns[name]?.read ?? `f.${name}`} as ${name}`).join('')
  const select = `select f.id, f.subject_id, f.valid_from, f.valid_to, f.recorded_at, f.superseded_at, f.change_set_id, f.personal, f.secret${read} from ${table} f`
  const written: Statements = {
    believed: {
      name: `${table}-believed`,
      text: `${select} where f.tenant_id = $1 and f.subject_id = any($2) and f.superseded_at is null`,
    },
    all: {
      name: `${table}-all`,
      text: `${select} where f.tenant_id = $1 and f.subject_id = any($2)
               and ($3::timestamptz is null or (f.recorded_at <= $3 and (f.superseded_at is null or f.superseded_at > $3)))
               and (not $4::boolean or f.superseded_at is null)
             order by f.valid_from, f.recorded_at, f.id`,
    },
    supersede: {
      name: `${table}-supersede`,
      text: `update ${table} f set superseded_at = $3, superseded_by_change_set_id = $4
              where f.tenant_id = $1 and f.id = any($2) and f.superseded_at is null`,
    },
    insert: {
      name: `${table}-insert`,
      text: `insert into ${table} (tenant_id, change_set_id, recorded_at, id, subject_id, valid_from, valid_to, personal, secret${names.map((name) => `, ${name}`).join('')})
             select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::date[], $7::date[], $8::bytea[], $9::bytea[]${names
               .map((name, at) => `, $${10 + at}::${columns[name]?.type}[]`)
               .join('')})`,
    },
  }
  statements.set(table, written)
  return written
}

/** The timelines of these subjects as believed now. */
export async function loadTimelines<Values>(
  tx: Tx,
  kind: FactKind<Values>,
  subjectIds: readonly string[],
  keyOf: (subjectId: string) => DataKey | undefined,
): Promise<Map<string, Timeline<Values>>> {
  const rows = subjectIds.length === 0 ? [] : await tx.scope.run<FactRow>(statementsOf(kind).believed, [tx.scope.tenantId, subjectIds])
  const bySubject = Map.groupBy(rows, ({ subject_id }) => subject_id)
  return new Map(
    subjectIds.map((id) => [
      id,
      timeline(
        id,
        (bySubject.get(id) ?? []).map((row) => readFact(tx.scope.tenantId, kind, row, keyOf(id)).fact),
      ),
    ]),
  )
}

/** Facts on both axes, in the order in which they hold and were entered. */
export async function queryFacts<Values>(
  tx: Tx,
  kind: FactKind<Values>,
  subjectIds: readonly string[],
  keyOf: (subjectId: string) => DataKey | undefined,
  belief: Belief,
): Promise<FactRecord<Values>[]> {
  if (subjectIds.length === 0) return []
  const rows = await tx.scope.run<FactRow>(statementsOf(kind).all, [
    tx.scope.tenantId,
    subjectIds,
    belief instanceof Date ? belief : null,
    belief === 'now',
  ])
  return rows.map((row) => {
    const { fact, sealedAway } = readFact(tx.scope.tenantId, kind, row, keyOf(row.subject_id))
    return {
      ...fact,
      sealedAway,
      subjectId: row.subject_id,
      supersededAt: row['superseded_at'] as Date | null,
      changeSetId: row['change_set_id'] as string,
    }
  })
}

export type Owned<Values> = { readonly line: Timeline<Values>; readonly employeeId: string; readonly key: DataKey }

/** Writes what changed in these timelines: what is no longer believed is closed first, so that the new facts find room. */
export async function saveTimelines<Values>(
  tx: Tx,
  kind: FactKind<Values>,
  changeSetId: string,
  recordedAt: Date,
  owned: readonly Owned<Values>[],
): Promise<void> {
  const { supersede, insert } = statementsOf(kind)
  const changes = owned.map((one) => ({ ...one, ...unwritten(one.line) }))
  const at = notBefore(recordedAt, changes)
  const superseded = changes.flatMap(({ superseded }) => superseded.map(({ id }) => id))
  if (superseded.length > 0) await tx.scope.run(supersede, [tx.scope.tenantId, superseded, at, changeSetId])
  const rows = changes.flatMap(({ line, employeeId, key, added }) =>
    added.map((fact) => ({ fact, subjectId: line.subjectId, key, parts: kind.divide(fact.values, employeeId) })),
  )
  if (rows.length === 0) return
  const sealed = (column: 'personal' | 'secret') =>
    rows.map(({ fact, key, parts }) => {
      const value = parts[column]
      return value ? seal(key, { tenantId: tx.scope.tenantId, table: kind.table, column, row: fact.id }, JSON.stringify(value)) : null
    })
  await tx.scope.run(insert, [
    tx.scope.tenantId,
    changeSetId,
    at,
    rows.map(({ fact }) => fact.id),
    rows.map(({ subjectId }) => subjectId),
    rows.map(({ fact }) => fact.from),
    rows.map(({ fact }) => fact.to),
    sealed('personal'),
    sealed('secret'),
    ...Object.keys(kind.columns).map((name) => rows.map(({ parts }) => parts.columns[name] ?? null)),
  ])
}

/** A transaction that waited for the lock began before what it now supersedes was recorded; belief never runs backwards. */
function notBefore(recordedAt: Date, changes: readonly { readonly superseded: readonly { readonly recordedAt: Date }[] }[]): Date {
  const latest = changes.flatMap(({ superseded }) => superseded.map((fact) => fact.recordedAt.getTime()))
  return new Date(latest.reduce((a, b) => Math.max(a, b), recordedAt.getTime()))
}

/** Reads a fact, opening what is sealed where its key is there. */
export function readFact<Values>(tenantId: string, kind: FactKind<Values>, row: FactRow, key: DataKey | undefined) {
  const opened = (column: 'personal' | 'secret') => {
    const sealed = row[column]
    if (!sealed || !key || !keyIdOf(sealed).equals(key.id)) return {}
    return {
      [column]: JSON.parse(open(key, { tenantId, table: kind.table, column, row: row.id }, sealed).toString()) as Record<string, unknown>,
    }
  }
  const columns = Object.fromEntries(Object.keys(kind.columns).map((name) => [name, row[name]]))
  const values = kind.join({ columns, ...opened('personal'), ...opened('secret') })
  const fact: Fact<Values> = { id: row.id, from: row.valid_from, to: row.valid_to, values, recordedAt: row.recorded_at }
  return { fact, sealedAway: !key && (row.personal !== null || row.secret !== null) }
}
