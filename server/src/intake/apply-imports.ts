import type { Ground } from '../events/change.ts'
import type { Log } from '../kit/log.ts'
import { Problem } from '../kit/problem.ts'
import { applyBatch, BATCH_ROWS, type Batch } from './apply-batch.ts'
import { applyWhole } from './apply-whole.ts'
import { type RowPosition, readWaiting, removeRows, removeWaiting, rowFault, writeBadRows } from './import-rows.ts'
import {
  addCounts,
  FREE_IMPORTS,
  type FreeImport,
  failReceiving,
  ImportLost,
  type LeasedImport,
  leaseImport,
  renewImport,
  settleImport,
} from './import-state.ts'
import { problemFaults } from './row-outcome.ts'

/** After so many batches an import lets the next one have its turn. */
const BATCHES_PER_TURN = 20

export type ApplyOptions = {
  /** Ends the turn after the batch that is being applied. */
  readonly signal?: AbortSignal
  readonly batchRows?: number
}

/**
 * Gives one import that waits a turn, and says how many rows that settled. Rows leave the queue in the transaction of their
 * effect, so a process that dies leaves an import that goes on, from the first row not applied, when its lease ends.
 */
export async function applyImportsOnce(ground: Ground, log: Log, options: ApplyOptions = {}): Promise<number> {
  for (const free of await ground.database.asWorker<FreeImport>(FREE_IMPORTS)) {
    if (options.signal?.aborted) return 0
    const settled = free.state === 'receiving' ? await giveUp(ground, log, free) : await takeTurn(ground, log, free, options)
    if (settled > 0) return settled
  }
  return 0
}

/** An upload that nobody is receiving any more: its process died. */
async function giveUp({ database }: Ground, log: Log, { tenantId, id }: FreeImport): Promise<number> {
  const failed = await database.withTenant(tenantId, async (tx) => {
    const failed = await failReceiving(tx, id, false)
    if (failed) await removeWaiting(tx, id)
    return failed
  })
  if (failed) log.warn({ importId: id }, 'import.not_received_whole')
  return failed ? 1 : 0
}

async function takeTurn(ground: Ground, log: Log, { tenantId, id }: FreeImport, options: ApplyOptions): Promise<number> {
  const job = await ground.database.withTenant(tenantId, (tx) => leaseImport(tx, id))
  if (!job) return 0
  try {
    return job.state === 'checking' ? await applyWhole(ground, log, job, options) : await applyInBatches(ground, log, job, options)
  } catch (error) {
    if (!(error instanceof ImportLost)) throw error
    log.info({ importId: id }, 'import.let_go')
    return 0
  }
}

/** Batch by batch, each a transaction. A batch that cannot be applied is tried in smaller ones, down to the row that is to blame. */
async function applyInBatches(ground: Ground, log: Log, job: LeasedImport, { signal, batchRows }: ApplyOptions): Promise<number> {
  const most = batchRows ?? BATCH_ROWS[job.kind]
  let limit = most
  let after: RowPosition | undefined
  let settled = 0
  for (let batches = 0; batches < BATCHES_PER_TURN && !signal?.aborted; batches++) {
    const batch = await commitBatch(ground, log, job, after, limit)
    if (batch === 'too-large') {
      limit = Math.ceil(limit / 10)
      continue
    }
    if (batch.rows.length === 0) {
      log.info({ importId: job.id, kind: job.kind }, 'import.done')
      return settled + 1
    }
    after = batch.rows.at(-1)
    settled += batch.rows.length
    limit = Math.min(most, limit * 2)
  }
  await ground.database.withTenant(job.tenantId, (tx) => renewImport(tx, job, 0))
  return settled
}

async function commitBatch(
  ground: Ground,
  log: Log,
  job: LeasedImport,
  after: RowPosition | undefined,
  limit: number,
): Promise<Batch | 'too-large'> {
  try {
    return await ground.database.withTenant(job.tenantId, async (tx) => {
      await renewImport(tx, job)
      const batch = await applyBatch(tx, ground, job, after, limit)
      if (batch.rows.length === 0) await settleImport(tx, job, 'done')
      await writeBadRows(tx, job.id, batch.bad)
      await removeRows(tx, job.id, after, batch.rows.at(-1), batch.changedSoFar)
      await addCounts(tx, job.id, batch.counts)
      return batch
    })
  } catch (error) {
    // A lost lease and a database that is gone concern no row.
    if (error instanceof ImportLost || (error instanceof Problem && error.status >= 500)) throw error
    log.warn({ err: error, importId: job.id, rows: limit }, 'import.batch_failed')
    if (limit > 1) return 'too-large'
    return blameNext(ground, job, after, error)
  }
}

/** The next row alone cannot be applied, for a reason that no rule of a row foresaw: it is set aside, and the others go on. */
async function blameNext(ground: Ground, job: LeasedImport, after: RowPosition | undefined, error: unknown): Promise<Batch> {
  return ground.database.withTenant(job.tenantId, async (tx) => {
    await renewImport(tx, job)
    const rows = await readWaiting(tx, await ground.vault.tenantKey(tx), job.id, after, 1)
    const bad = rows.map(({ line, cells }) => ({ line, faults: error instanceof Problem ? problemFaults(error, cells) : [NOT_APPLIED] }))
    const counts = { applied: 0, unchanged: 0, bad: bad.length }
    await writeBadRows(tx, job.id, bad)
    await addCounts(tx, job.id, counts)
    return { rows, bad, counts, changedSoFar: [] }
  })
}

const NOT_APPLIED = rowFault('not-applied', 'could not be applied', 'Nothing of it was changed. The log of the server says why; report it.')
