import type { Tx } from '../database/tenant-transaction.ts'
import type { Ground } from '../events/change.ts'
import type { Log } from '../kit/log.ts'
import { Problem } from '../kit/problem.ts'
import { applyBatch, BATCH_ROWS, type Batch } from './apply-batch.ts'
import { type RowPosition, removeWaiting, writeBadRows } from './import-rows.ts'
import { addCounts, type Counts, ImportLost, type LeasedImport, renewImport, settleImport } from './import-state.ts'

export type WholeOptions = { readonly signal?: AbortSignal; readonly batchRows?: number }

/** Rolls back what was done only to see whether it can be. */
class Undo extends Error {
  override readonly name = 'Undo'
  readonly counts: Counts

  constructor(counts: Counts) {
    super('The changes of the import are taken back.')
    this.counts = counts
  }
}

/**
 * The whole file in one transaction: for all or nothing, and for a dry run, which is taken back. It holds the rows of all
 * its employees until it ends, and the event feed waits for it, so it is for files that are worth that.
 *
 * What is wrong with rows is written beside it, in transactions of their own: that has to stay.
 */
export async function applyWhole(ground: Ground, log: Log, job: LeasedImport, options: WholeOptions): Promise<number> {
  const { database } = ground
  try {
    const counts = await database.withTenant(job.tenantId, (tx) => applyAll(tx, ground, job, options))
    log.info({ importId: job.id, kind: job.kind, ...counts }, 'import.done')
    return counts.applied + counts.unchanged + 1
  } catch (error) {
    if (error instanceof Undo) return settleUndone(ground, log, job, error.counts)
    if (error instanceof ImportLost || (error instanceof Problem && error.status >= 500)) throw error
    log.error({ err: error, importId: job.id }, 'import.failed')
    await database.withTenant(job.tenantId, async (tx) => {
      await settleImport(tx, job, 'failed', 'not-applied')
      await removeWaiting(tx, job.id)
    })
    return 1
  }
}

async function applyAll(tx: Tx, ground: Ground, job: LeasedImport, { signal, batchRows }: WholeOptions): Promise<Counts> {
  // Nothing is leased: a delivery leased now would be past its lease by the time of the commit.
  const { vault, handOver } = ground
  const later = { vault, ...(handOver ? { handOver: { ...handOver, room: () => 0 } } : {}) }
  // The mark of a first part that changed something lies in memory here: the waiting rows are not written to.
  const changed = new Set<number>()
  const counts = { applied: 0, unchanged: 0, bad: 0 }
  let after: RowPosition | undefined
  for (;;) {
    if (signal?.aborted) await letGo(ground, job)
    const batch = await applyBatch(tx, later, job, after, batchRows ?? BATCH_ROWS[job.kind], changed)
    if (batch.rows.length === 0) break
    await tx.scope.flush()
    await writeBeside(ground, job, batch)
    for (const line of batch.changedSoFar) changed.add(line)
    counts.applied += batch.counts.applied
    counts.unchanged += batch.counts.unchanged
    after = batch.rows.at(-1)
  }
  counts.bad = (await tx.selectFrom('import').select('rows_bad').where('id', '=', job.id).executeTakeFirstOrThrow()).rows_bad
  if (job.dry_run || counts.bad > 0) throw new Undo(counts)
  await removeWaiting(tx, job.id)
  await addCounts(tx, job.id, counts)
  await settleImport(tx, job, 'done')
  return counts
}

/** Keeps the lease and writes down the bad rows, outside the long transaction. */
async function writeBeside({ database }: Ground, job: LeasedImport, { bad }: Batch): Promise<void> {
  await database.withTenant(job.tenantId, async (tx) => {
    await renewImport(tx, job)
    await writeBadRows(tx, job.id, bad)
    await addCounts(tx, job.id, { applied: 0, unchanged: 0, bad: bad.length })
  })
}

async function letGo({ database }: Ground, job: LeasedImport): Promise<never> {
  await database.withTenant(job.tenantId, (tx) => renewImport(tx, job, 0))
  throw new ImportLost('The process is stopping.')
}

async function settleUndone({ database }: Ground, log: Log, job: LeasedImport, { applied, unchanged, bad }: Counts): Promise<number> {
  await database.withTenant(job.tenantId, async (tx) => {
    // Of a dry run: what would have been. Of all or nothing: nothing was.
    if (job.dry_run) await addCounts(tx, job.id, { applied, unchanged, bad: 0 })
    if (job.dry_run && !(job.all_or_nothing && bad > 0)) await settleImport(tx, job, 'done')
    else await settleImport(tx, job, 'failed', 'rows-are-bad')
    await removeWaiting(tx, job.id)
  })
  log.info({ importId: job.id, kind: job.kind, dryRun: job.dry_run, applied, unchanged, bad }, 'import.undone')
  return applied + unchanged + bad + 1
}
