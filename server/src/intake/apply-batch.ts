import type { Actor } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { type Change, type Ground, openChange } from '../events/change.ts'
import { applyAssignments, applyCompensation } from './apply-changes.ts'
import { applyDepartments } from './apply-departments.ts'
import { applyEmployees } from './apply-employees.ts'
import type { BadRow } from './check-row.ts'
import type { ImportKind } from './columns.ts'
import { type RowPosition, readWaiting, type WaitingRow } from './import-rows.ts'
import type { Counts, LeasedImport } from './import-state.ts'
import type { ApplyRows, Outcome } from './row-outcome.ts'

const APPLY: Readonly<Record<ImportKind, ApplyRows>> = {
  departments: applyDepartments,
  employees: applyEmployees,
  assignments: applyAssignments,
  compensation: applyCompensation,
}

/** Rows of one transaction: enough that its fixed cost is small, few enough that locks are short. Departments look for their parents in theirs. */
export const BATCH_ROWS: Readonly<Record<ImportKind, number>> = { departments: 20_000, employees: 500, assignments: 500, compensation: 500 }

/** What became of a batch. `counts` and `bad` speak of whole rows of the file. */
export type Batch = {
  readonly rows: readonly WaitingRow[]
  readonly bad: readonly BadRow[]
  readonly counts: Counts
  /** Lines that changed something, and whose second part still waits. */
  readonly changedSoFar: readonly number[]
}

/** Reads the next rows behind a position and applies them, in the transaction and with the rights of whoever began the import. */
export async function applyBatch(
  tx: Tx,
  ground: Omit<Ground, 'database'>,
  job: LeasedImport,
  after: RowPosition | undefined,
  limit: number,
  changedBefore: ReadonlySet<number> = new Set(),
): Promise<Batch> {
  const rows = await readWaiting(tx, await ground.vault.tenantKey(tx), job.id, after, limit)
  const change: Change = openChange(tx, ground, actorOf(job), { silent: job.silent })
  const outcomes = rows.length === 0 ? new Map<WaitingRow, Outcome>() : await APPLY[job.kind](change, job.system, rows)
  return judge(rows, outcomes, changedBefore)
}

/** Rights were checked when the import was made; what it does is done in the name of that credential. */
function actorOf({ created_by, created_by_type, request_id }: LeasedImport): Actor {
  const scopes = new Set(['employees:write', 'organisation:write'] as const)
  return { type: created_by_type, id: created_by, source: 'import', scopes, ...(request_id ? { requestId: request_id } : {}) }
}

function judge(rows: readonly WaitingRow[], outcomes: ReadonlyMap<WaitingRow, Outcome>, changedBefore: ReadonlySet<number>): Batch {
  const bad = new Map<number, BadRow>()
  const changed = new Set<number>()
  for (const row of rows) {
    const outcome = outcomes.get(row) ?? 'unchanged'
    if (typeof outcome !== 'string') bad.set(row.line, { line: row.line, faults: outcome })
    else if (outcome === 'changed' || row.changed || changedBefore.has(row.line)) changed.add(row.line)
  }
  const done = rows.filter(({ line }) => !bad.has(line))
  const last = done.filter(({ isLast }) => isLast)
  const settled = new Set(last.map(({ line }) => line))
  const applied = last.filter(({ line }) => changed.has(line)).length
  return {
    rows,
    bad: [...bad.values()],
    counts: { applied, unchanged: last.length - applied, bad: bad.size },
    changedSoFar: done.filter(({ line, isLast }) => !isLast && changed.has(line) && !settled.has(line)).map(({ line }) => line),
  }
}
