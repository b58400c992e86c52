import { createHmac } from 'node:crypto'
import type { Tx } from '../database/tenant-transaction.ts'
import { type DataKey, open, seal } from '../privacy/sealed-value.ts'
import { type BadRow, type Cells, type CheckedRow, DATELESS, type GoodRow, type RowFault } from './check-row.ts'

/** A part of a row that waits to be applied. `isLast`: with it, the row is settled. */
export type WaitingRow = {
  readonly line: number
  readonly part: number
  readonly effectiveDate: string
  readonly cells: Cells
  readonly isLast: boolean
  /** Whether the part before changed something. */
  readonly changed: boolean
}

/** A place in the order in which rows are applied. */
export type RowPosition = Pick<WaitingRow, 'effectiveDate' | 'line' | 'part'>

const INSERT = {
  name: 'insert-import-rows',
  text: `insert into import_row (tenant_id, import_id, line, part, effective_date, row_key, payload)
         select $1, $2, * from unnest($3::int[], $4::smallint[], $5::date[], $6::bytea[], $7::bytea[])
         on conflict (tenant_id, import_id, row_key) where row_key is not null do nothing returning line`,
}

/** Stores rows, sealed, and answers those that were refused because the file has the same one already. */
export async function insertRows(tx: Tx, key: DataKey, importId: string, rows: readonly GoodRow[]): Promise<GoodRow[]> {
  if (rows.length === 0) return []
  const hash = (text: string) => createHmac('sha256', key.cipherKey).update(`import|${importId}|${text}`).digest().subarray(0, 16)
  const { tenantId } = tx.scope
  const columns = (part: number, chosen: readonly GoodRow[]) => [
    tenantId,
    importId,
    chosen.map(({ line }) => line),
    chosen.map(() => part),
    chosen.map(({ dates }) => dates[part]!),
    chosen.map((row) => (part === 0 ? hash(row.key) : null)),
    chosen.map(({ line, cells, dates }) =>
      seal(key, rowPlace(tenantId, importId, line, part), JSON.stringify({ cells, parts: dates.length })),
    ),
  ]
  const inserted = await tx.scope.run<{ line: number }>(INSERT, columns(0, rows))
  const lines = new Set(inserted.map(({ line }) => line))
  const second = rows.filter(({ line, dates }) => dates.length > 1 && lines.has(line))
  if (second.length > 0) await tx.scope.run(INSERT, columns(1, second))
  return rows.filter(({ line }) => !lines.has(line))
}

const INSERT_BAD = {
  name: 'insert-bad-import-rows',
  text: `insert into import_row (tenant_id, import_id, line, state, faults) select $1, $2, n.line, 'bad', n.faults
           from unnest($3::int[], $4::jsonb[]) as n (line, faults)
         on conflict (tenant_id, import_id, line, part) do update set state = 'bad', faults = excluded.faults, payload = null, row_key = null`,
}
const DELETE_LINES = {
  name: 'delete-import-parts',
  text: 'delete from import_row where tenant_id = $1 and import_id = $2 and line = any($3) and part > 0',
}

/** Keeps what is wrong with rows, and no longer what they held. */
export async function writeBadRows(tx: Tx, importId: string, rows: readonly BadRow[]): Promise<void> {
  if (rows.length === 0) return
  const lines = rows.map(({ line }) => line)
  await tx.scope.run(INSERT_BAD, [tx.scope.tenantId, importId, lines, rows.map(({ faults }) => JSON.stringify(faults))])
  await tx.scope.run(DELETE_LINES, [tx.scope.tenantId, importId, lines])
}

const WAITING = {
  name: 'waiting-import-rows',
  text: `select line, part, effective_date as "effectiveDate", changed, payload from import_row
          where tenant_id = $1 and import_id = $2 and state = 'waiting' and (effective_date, line, part) > ($3::date, $4::int, $5::smallint)
          order by effective_date, line, part limit $6`,
}

/** Before every row. */
const BEGINNING: RowPosition = { effectiveDate: DATELESS, line: 0, part: 0 }

/** The next rows in the order of their effective dates, behind a position. */
export async function readWaiting(tx: Tx, key: DataKey, importId: string, after: RowPosition | undefined, limit: number) {
  const { tenantId } = tx.scope
  const { effectiveDate, line, part } = after ?? BEGINNING
  const values = [tenantId, importId, effectiveDate, line, part, limit]
  const rows = await tx.scope.run<Omit<WaitingRow, 'cells' | 'isLast'> & { payload: Buffer }>(WAITING, values)
  return rows.map(({ payload, ...row }): WaitingRow => {
    const text = open(key, rowPlace(tenantId, importId, row.line, row.part), payload).toString()
    const { cells, parts } = JSON.parse(text) as { cells: Cells; parts: number }
    return { ...row, cells, isLast: row.part === parts - 1 }
  })
}

const MARK_CHANGED = {
  name: 'mark-import-parts-changed',
  text: 'update import_row set changed = true where tenant_id = $1 and import_id = $2 and line = any($3) and part = 1',
}
const DELETE = {
  name: 'delete-import-rows',
  text: `delete from import_row where tenant_id = $1 and import_id = $2 and state = 'waiting'
            and (effective_date, line, part) > ($3::date, $4::int, $5::smallint) and (effective_date, line, part) <= ($6::date, $7::int, $8::smallint)`,
}

/**
 * Takes away the rows behind a position that were read together, but for those that are bad by now. By range: by their
 * keys, a planner that has no statistics of a filling table yet walks through all of it for each one.
 * `changed`: lines whose first part changed something and whose second still waits.
 */
export async function removeRows(
  tx: Tx,
  importId: string,
  after: RowPosition | undefined,
  last: RowPosition | undefined,
  changed: readonly number[],
): Promise<void> {
  if (changed.length > 0) await tx.scope.run(MARK_CHANGED, [tx.scope.tenantId, importId, changed])
  if (!last) return
  const range = [after ?? BEGINNING, last].flatMap(({ effectiveDate, line, part }) => [effectiveDate, line, part])
  await tx.scope.run(DELETE, [tx.scope.tenantId, importId, ...range])
}

const DELETE_WAITING = {
  name: 'delete-waiting-import-rows',
  text: "delete from import_row where tenant_id = $1 and import_id = $2 and state = 'waiting'",
}

export async function removeWaiting(tx: Tx, importId: string): Promise<void> {
  await tx.scope.run(DELETE_WAITING, [tx.scope.tenantId, importId])
}

export function isBad(row: CheckedRow): row is BadRow {
  return 'faults' in row
}

/** A fault of the row as a whole. */
export function rowFault(code: string, message: string, mend: string): RowFault {
  return { column: null, value_class: 'row', code, message, mend }
}

function rowPlace(tenantId: string, importId: string, line: number, part: number) {
  return { tenantId, table: 'import_row', column: 'payload', row: `${importId}/${line}/${part}` }
}
