import type { Actor } from '../access/actor.ts'
import type { Database } from '../database/database.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { newId } from '../kit/ids.ts'
import type { Vault } from '../privacy/vault.ts'
import type { HandOver } from './hand-over.ts'

/** What every change stands on. `handOver` is where a committing process sends the deliveries that it leased to itself. */
export type Ground = { readonly database: Database; readonly vault: Vault; readonly handOver?: HandOver }

/** One change set: whatever is written, audited and emitted through it commits together and shares its id. */
export type Change = {
  readonly tx: Tx
  readonly vault: Vault
  readonly actor: Actor
  readonly id: string
  readonly recordedAt: Date
  readonly causationId: string | null
  /** No events: for loading a history that receivers have already. */
  readonly silent: boolean
  readonly handOver: HandOver | undefined
}

export type ChangeOptions = { readonly causationId?: string; readonly silent?: boolean }

/** Opens a change inside a transaction that is already running. */
export function openChange(tx: Tx, { vault, handOver }: Omit<Ground, 'database'>, actor: Actor, options: ChangeOptions = {}): Change {
  return {
    tx,
    vault,
    actor,
    id: newId('chg'),
    recordedAt: tx.scope.now,
    causationId: options.causationId ?? null,
    silent: options.silent ?? false,
    handOver,
  }
}

/** Opens a transaction and a change in it: the usual way to run a command outside a request. */
export function inChange<Result>(
  ground: Ground,
  tenantId: string,
  actor: Actor,
  work: (change: Change) => Promise<Result>,
  options: ChangeOptions = {},
): Promise<Result> {
  return ground.database.withTenant(tenantId, (tx) => work(openChange(tx, ground, actor, options)))
}

const INSERT_CHANGE_SET = {
  name: 'insert-change-set',
  text: `insert into change_set (tenant_id, id, recorded_at, actor_type, actor_id, source, request_id) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing`,
}

/** Writes the row that the facts of this change refer to. Called by whoever writes the first of them; again is harmless. */
export async function recordChangeSet({ tx, id, recordedAt, actor }: Change): Promise<void> {
  await tx.scope.run(INSERT_CHANGE_SET, [tx.scope.tenantId, id, recordedAt, actor.type, actor.id, actor.source, actor.requestId ?? null])
}
