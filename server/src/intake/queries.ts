import { type Actor, requireScope } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import type { RowFault } from './check-row.ts'
import type { ImportKind } from './columns.ts'
import type { ImportState } from './import-state.ts'
import { importNotFound } from './problems.ts'

export type ImportView = {
  readonly id: string
  readonly kind: ImportKind
  readonly state: ImportState
  readonly system: string
  readonly dry_run: boolean
  readonly all_or_nothing: boolean
  readonly silent: boolean
  readonly ignored_columns: readonly string[]
  readonly rows: { readonly total: number; readonly applied: number; readonly unchanged: number; readonly bad: number }
  /** From 0 to 1: how much of what was received is settled. */
  readonly progress: number
  readonly rows_per_second: number | null
  readonly failure: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly settled_at: string | null
  readonly created_by: string
}

type Row = Omit<ImportView, 'rows' | 'progress' | 'created_at' | 'started_at' | 'settled_at'> & {
  readonly total: number
  readonly applied: number
  readonly unchanged: number
  readonly bad: number
  readonly created_at: Date
  readonly started_at: Date | null
  readonly settled_at: Date | null
}

const COLUMNS = `id, kind, state, system, dry_run, all_or_nothing, silent, ignored_columns, rows_total as total, rows_applied as applied,
  rows_unchanged as unchanged, rows_bad as bad, failure, date_trunc('milliseconds', created_at) as created_at, started_at, settled_at, created_by,
  case when started_at is null then null
       else round((rows_applied + rows_unchanged) / greatest(extract(epoch from coalesce(settled_at, clock_timestamp()) - started_at), 0.001))::int
   end as rows_per_second`

const FIND = { name: 'find-import', text: `select ${COLUMNS} from import where tenant_id = $1 and id = $2` }
const LIST = {
  name: 'list-imports',
  text: `select ${COLUMNS} from import where tenant_id = $1 and ($2::timestamptz is null or (date_trunc('milliseconds', created_at), id) < ($2, $3))
          order by date_trunc('milliseconds', created_at) desc, id desc limit $4`,
}

export async function getImport(tx: Tx, actor: Actor, id: string): Promise<ImportView> {
  requireScope(actor, 'imports:read')
  const [row] = await tx.scope.run<Row>(FIND, [tx.scope.tenantId, id])
  if (!row) throw importNotFound({ ids: { import_id: id } })
  return view(row)
}

/** A place in the list: when the import was made (milliseconds), and its id. */
export type ImportPosition = { readonly createdAtMs: number; readonly id: string }

/** Imports, newest first. */
export async function listImports(tx: Tx, actor: Actor, after: ImportPosition | undefined, limit: number): Promise<ImportView[]> {
  requireScope(actor, 'imports:read')
  const rows = await tx.scope.run<Row>(LIST, [tx.scope.tenantId, after ? new Date(after.createdAtMs) : null, after?.id ?? null, limit])
  return rows.map(view)
}

function view({ total, applied, unchanged, bad, created_at, started_at, settled_at, ...row }: Row): ImportView {
  return {
    ...row,
    rows: { total, applied, unchanged, bad },
    progress: settled_at ? 1 : total === 0 ? 0 : Math.min(1, (applied + unchanged + bad) / total),
    created_at: created_at.toISOString(),
    started_at: started_at?.toISOString() ?? null,
    settled_at: settled_at?.toISOString() ?? null,
  }
}

export type BadRowView = { readonly line: number; readonly faults: readonly RowFault[] }

const BAD = {
  name: 'bad-import-rows',
  text: `select line, faults from import_row where tenant_id = $1 and import_id = $2 and state = 'bad' and line > $3 order by line limit $4`,
}

/** Rows that were not applied, in the order of the file, with what is wrong and how to mend it. */
export async function listBadRows(tx: Tx, actor: Actor, id: string, afterLine: number, limit: number): Promise<BadRowView[]> {
  await getImport(tx, actor, id)
  return tx.scope.run<BadRowView>(BAD, [tx.scope.tenantId, id, afterLine, limit])
}
