import type { Actor } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import type { ImportKind } from './columns.ts'

export type ImportState = 'receiving' | 'checking' | 'applying' | 'done' | 'failed' | 'cancelled'

/** An import that this process may work on until its lease ends. Whoever lost the lease writes nothing. */
export type LeasedImport = {
  readonly tenantId: string
  readonly id: string
  readonly kind: ImportKind
  readonly system: string
  readonly state: 'checking' | 'applying'
  readonly dry_run: boolean
  readonly all_or_nothing: boolean
  readonly silent: boolean
  readonly created_by: string
  readonly created_by_type: Actor['type']
  readonly request_id: string | null
  readonly lease_epoch: number
}

/** How long an upload may be silent before it is given up. */
export const RECEIVING_LEASE_SECONDS = 60

/**
 * Longer than a batch takes, short enough that an import goes on soon after a crash. A batch that takes longer is safe all
 * the same: it holds the import's row until it commits.
 */
const LEASE_SECONDS = 15

/**
 * Imports that can go on: the oldest open one of each tenant, unless somebody works on it. One after the other, so that
 * the pay of a file finds the employees of the file before. The index leads by tenant: the query reads open imports only.
 */
const FREE = {
  name: 'free-imports',
  text: `select i.tenant_id as "tenantId", i.id, i.state from import i
          where i.state in ('receiving', 'checking', 'applying') and (i.lease_until is null or i.lease_until < clock_timestamp())
            and not exists (select 1 from import o where o.tenant_id = i.tenant_id and o.state in ('receiving', 'checking', 'applying')
                                                     and (o.created_at, o.id) < (i.created_at, i.id))
          order by i.lease_until nulls first limit 10`,
}
export type FreeImport = { readonly tenantId: string; readonly id: string; readonly state: ImportState }

export const FREE_IMPORTS = FREE

const LEASE = {
  name: 'lease-import',
  text: `update import set lease_until = clock_timestamp() + $3 * interval '1 second', lease_epoch = lease_epoch + 1,
                           started_at = coalesce(started_at, clock_timestamp())
          where tenant_id = $1 and id = $2 and state in ('checking', 'applying') and (lease_until is null or lease_until < clock_timestamp())
         returning id, kind, system, state, dry_run, all_or_nothing, silent, created_by, created_by_type, request_id, lease_epoch`,
}

export async function leaseImport(tx: Tx, id: string): Promise<LeasedImport | undefined> {
  const [row] = await tx.scope.run<Omit<LeasedImport, 'tenantId'>>(LEASE, [tx.scope.tenantId, id, LEASE_SECONDS])
  return row && { ...row, tenantId: tx.scope.tenantId }
}

const RENEW = {
  name: 'renew-import',
  text: `update import set lease_until = clock_timestamp() + $4 * interval '1 second'
          where tenant_id = $1 and id = $2 and lease_epoch = $3 and state in ('checking', 'applying') returning id`,
}

export class ImportLost extends Error {
  override readonly name = 'ImportLost'
}

/** Keeps the import, under the lock of its row, or throws: it was cancelled, or another process has it now. */
export async function renewImport(tx: Tx, { id, lease_epoch }: LeasedImport, seconds = LEASE_SECONDS): Promise<void> {
  const rows = await tx.scope.run(RENEW, [tx.scope.tenantId, id, lease_epoch, seconds])
  if (rows.length === 0) throw new ImportLost('The import was cancelled or is held by another process.')
}

export type Counts = { readonly applied: number; readonly unchanged: number; readonly bad: number }

const COUNT = {
  name: 'count-import-rows',
  text: `update import set rows_applied = rows_applied + $3, rows_unchanged = rows_unchanged + $4, rows_bad = rows_bad + $5
          where tenant_id = $1 and id = $2`,
}

export async function addCounts(tx: Tx, id: string, { applied, unchanged, bad }: Counts): Promise<void> {
  await tx.scope.run(COUNT, [tx.scope.tenantId, id, applied, unchanged, bad])
}

const SETTLE = {
  name: 'settle-import',
  text: `update import set state = $4, failure = $5, settled_at = clock_timestamp(), lease_until = null
          where tenant_id = $1 and id = $2 and lease_epoch = $3 and state in ('checking', 'applying') returning id`,
}

export async function settleImport(tx: Tx, { id, lease_epoch }: LeasedImport, state: 'done' | 'failed', failure?: string): Promise<void> {
  const rows = await tx.scope.run(SETTLE, [tx.scope.tenantId, id, lease_epoch, state, failure ?? null])
  if (rows.length === 0) throw new ImportLost('The import was cancelled or is held by another process.')
}

const FAIL_RECEIVING = {
  name: 'fail-receiving-import',
  text: `update import set state = 'failed', failure = 'not-received-whole', idempotency_key = null, settled_at = clock_timestamp(), lease_until = null
          where tenant_id = $1 and id = $2 and state = 'receiving' and ($3 or lease_until < clock_timestamp()) returning id`,
}

/** Ends an import whose file did not come in whole. `own`: by who was receiving it; else only once nobody is. */
export async function failReceiving(tx: Tx, id: string, own: boolean): Promise<boolean> {
  const rows = await tx.scope.run(FAIL_RECEIVING, [tx.scope.tenantId, id, own])
  return rows.length > 0
}
