import { createHmac } from 'node:crypto'
import { type Actor, requireScope } from '../access/actor.ts'
import { audit } from '../audit/audit.ts'
import { violates } from '../database/database.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import type { Ground } from '../events/change.ts'
import { newId } from '../kit/ids.ts'
import { checkRow, type GoodRow } from './check-row.ts'
import type { ImportKind } from './columns.ts'
import { insertRows, isBad, removeWaiting, rowFault, writeBadRows } from './import-rows.ts'
import { failReceiving, type ImportState, RECEIVING_LEASE_SECONDS } from './import-state.ts'
import { type ColumnPlan, type ImportMapping, planColumns } from './mapping.ts'
import { importColumnsNotValid, importFileNotReadable, importNotFound } from './problems.ts'
import { type CsvRow, readCsv } from './read-csv.ts'

export type ImportOrder = {
  readonly kind: ImportKind
  /** The name of the system whose external ids the file uses. */
  readonly system: string
  readonly dryRun?: boolean
  readonly allOrNothing?: boolean
  readonly silent?: boolean
  readonly mapping?: ImportMapping
  /** Keyed hashes of the idempotency key and of what was asked with it. */
  readonly once?: { readonly key: string; readonly requestHash: Buffer }
}

/** Rows that are stored together. */
const STORED_AT_ONCE = 500

/** What somebody needs to bring in such a file. */
export function requireImportScopes(actor: Actor, kind: ImportKind): void {
  requireScope(actor, 'imports:write')
  requireScope(actor, kind === 'departments' ? 'organisation:write' : 'employees:write')
}

/**
 * Takes in a file of any size as it comes, checks each row by itself and stores it sealed. Nothing of it is applied before
 * all of it is there; a stream that breaks off leaves a failed import and no rows.
 */
export async function receiveImport(
  ground: Ground,
  tenantId: string,
  actor: Actor,
  order: ImportOrder,
  source: AsyncIterable<Uint8Array>,
): Promise<{ id: string; state: ImportState }> {
  requireImportScopes(actor, order.kind)
  const { database } = ground
  const pieces = readCsv(source, order.mapping?.delimiter)
  try {
    const { plan, rest } = await readHeader(pieces, order)
    const id = newId('imp')
    await database.withTenant(tenantId, (tx) => createImport(tx, ground, actor, id, order, plan))
    return { id, state: await storeFile(ground, tenantId, id, order, plan, rest, pieces) }
  } finally {
    await pieces.return(undefined)
  }
}

async function storeFile(
  ground: Ground,
  tenantId: string,
  id: string,
  order: ImportOrder,
  plan: ColumnPlan,
  rest: CsvRow[],
  pieces: AsyncGenerator<CsvRow[]>,
): Promise<ImportState> {
  const { database } = ground
  try {
    await storeRows(ground, tenantId, id, order.kind, plan, rest, pieces)
    return await database.withTenant(tenantId, (tx) => finishReceiving(tx, id, order))
  } catch (error) {
    await database.withTenant(tenantId, async (tx) => {
      if (await failReceiving(tx, id, true)) await removeWaiting(tx, id)
    })
    throw error
  }
}

/** The first row that has cells is the header; the rows that came with it are kept. */
async function readHeader(pieces: AsyncGenerator<CsvRow[]>, { kind, mapping }: ImportOrder): Promise<{ plan: ColumnPlan; rest: CsvRow[] }> {
  const first = await pieces.next()
  if (first.done) throw importFileNotReadable({ detail: 'The file is empty. Its first line has to name the columns.' })
  const [header, ...rest] = first.value
  if (!header || 'malformed' in header) throw importColumnsNotValid({ detail: 'The first line, which names the columns, cannot be read.' })
  return { plan: planColumns(kind, mapping ?? {}, header.cells), rest }
}

async function createImport(tx: Tx, { vault }: Ground, actor: Actor, id: string, order: ImportOrder, plan: ColumnPlan): Promise<void> {
  await tx.scope.run(CREATE, [
    tx.scope.tenantId,
    id,
    order.kind,
    order.system,
    order.dryRun ?? false,
    order.allOrNothing ?? false,
    order.silent ?? false,
    plan.ignored,
    actor.id,
    actor.type,
    actor.requestId ?? null,
    order.once?.key ?? null,
    order.once?.requestHash ?? null,
    RECEIVING_LEASE_SECONDS,
  ])
  audit(tx, vault, actor, { action: 'import.create', subjectType: 'import', subjectId: id })
}

const CREATE = {
  name: 'create-import',
  text: `insert into import (tenant_id, id, kind, state, system, dry_run, all_or_nothing, silent, ignored_columns,
                             created_by, created_by_type, request_id, idempotency_key, request_hash, lease_until)
         values ($1, $2, $3, 'receiving', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp() + $14 * interval '1 second')`,
}

const STORED_WITHIN_MS = (RECEIVING_LEASE_SECONDS * 1_000) / 4

async function storeRows(
  ground: Ground,
  tenantId: string,
  id: string,
  kind: ImportKind,
  plan: ColumnPlan,
  first: CsvRow[],
  pieces: AsyncIterable<CsvRow[]>,
): Promise<void> {
  let waiting: CsvRow[] = []
  let storedAt = performance.now()
  const take = async (rows: readonly CsvRow[]) => {
    for (const row of rows) waiting.push(row)
    // A sender may be slow: what has come is stored, and the lease renewed, also before a batch is full.
    const overdue = performance.now() - storedAt > STORED_WITHIN_MS
    while (waiting.length >= STORED_AT_ONCE || (overdue && waiting.length > 0)) {
      await storeBatch(ground, tenantId, id, kind, plan, waiting.splice(0, STORED_AT_ONCE))
      storedAt = performance.now()
    }
  }
  await take(first)
  for await (const rows of pieces) await take(rows)
  if (waiting.length > 0) await storeBatch(ground, tenantId, id, kind, plan, waiting)
  waiting = []
}

/** One short transaction for each batch: none is open while the sender is waited for. */
async function storeBatch(
  { database, vault }: Ground,
  tenantId: string,
  id: string,
  kind: ImportKind,
  plan: ColumnPlan,
  rows: readonly CsvRow[],
): Promise<void> {
  const checked = rows.map((row) => checkRow(kind, plan, row))
  const bad = checked.filter(isBad)
  const good = checked.filter((row): row is GoodRow => !isBad(row))
  await database.withTenant(tenantId, async (tx) => {
    const repeated = await insertRows(tx, await vault.tenantKey(tx), id, good)
    const refused = [...bad, ...repeated.map(({ line }) => ({ line, faults: [REPEATED] }))]
    await writeBadRows(tx, id, refused)
    const renewed = await tx.scope.run(STORED, [tenantId, id, rows.length, refused.length, RECEIVING_LEASE_SECONDS])
    // Cancelled, or given up by a process that thought us dead.
    if (renewed.length === 0) throw importNotFound({ detail: 'The import was ended while the file was coming in.', ids: { import_id: id } })
  })
}

const REPEATED = rowFault(
  'repeated-row',
  'is about the same thing on the same date as an earlier row',
  'Keep one of them: the later would undo the earlier.',
)

const STORED = {
  name: 'stored-import-rows',
  text: `update import set rows_total = rows_total + $3, rows_bad = rows_bad + $4, lease_until = clock_timestamp() + $5 * interval '1 second'
          where tenant_id = $1 and id = $2 and state = 'receiving' returning id`,
}

const RECEIVED = {
  name: 'received-import',
  text: `update import set state = $3, lease_until = null where tenant_id = $1 and id = $2 and state = 'receiving' returning id`,
}

async function finishReceiving(tx: Tx, id: string, { dryRun, allOrNothing }: ImportOrder): Promise<ImportState> {
  const state = dryRun || allOrNothing ? 'checking' : 'applying'
  const rows = await tx.scope.run(RECEIVED, [tx.scope.tenantId, id, state])
  if (rows.length === 0) throw importNotFound({ detail: 'The import was ended while the file was coming in.', ids: { import_id: id } })
  return state
}

/** Two uploads with the same key met, and the other was first. */
export function isSameKey(error: unknown): boolean {
  return violates(error, 'import_once')
}

/** The stored form of an idempotency key and of the request that came with it. */
export async function hashOnce(tx: Tx, { vault }: Ground, key: string, request: string): Promise<NonNullable<ImportOrder['once']>> {
  const { cipherKey } = await vault.tenantKey(tx)
  const hashed = (purpose: string, text: string) => createHmac('sha256', cipherKey).update(`import|${purpose}|${text}`).digest()
  return { key: hashed('key', key).toString('base64url'), requestHash: hashed('request', request) }
}
