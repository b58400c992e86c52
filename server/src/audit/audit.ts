import { createHmac } from 'node:crypto'
import type { Actor } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { newTimeOrderedId } from '../kit/ids.ts'
import type { Vault } from '../privacy/vault.ts'

/** A field that was touched. Its values reach the log as keyed hashes only, so that erasing a person leaves the log whole. */
export type TouchedField = { readonly path: string; readonly before?: unknown; readonly after?: unknown }

export type AuditEntry = {
  readonly action: string
  readonly subjectType: string
  readonly subjectId: string
  readonly changeSetId?: string
  readonly fields?: readonly TouchedField[]
}

type Pending = { readonly actor: Actor; readonly entry: AuditEntry }

const pendingOf = new WeakMap<Tx, Pending[]>()

/** Writes down who did what, in the transaction in which it is done. All entries of a transaction go out in one statement. */
export function audit(tx: Tx, vault: Vault, actor: Actor, entry: AuditEntry): void {
  const pending = pendingOf.get(tx) ?? []
  if (pending.length === 0) tx.scope.beforeCommit('audit', () => flushAudit(tx, vault, pending.splice(0)))
  pendingOf.set(tx, pending)
  pending.push({ actor, entry })
}

const INSERT_ENTRIES = {
  name: 'insert-audit-entries',
  text: `
    insert into audit_entry (tenant_id, id, actor_type, actor_id, source, request_id, remote_address, action, subject_type, subject_id, change_set_id, fields)
    select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::jsonb[])`,
}

async function flushAudit(tx: Tx, vault: Vault, pending: readonly Pending[]): Promise<void> {
  const { cipherKey } = await vault.tenantKey(tx)
  const hashed = (value: unknown) =>
    value === undefined
      ? null
      : createHmac('sha256', cipherKey)
          .update(`audit|${JSON.stringify(value)}`)
          .digest('base64url')
  const fields = ({ entry }: Pending) =>
    JSON.stringify((entry.fields ?? []).map(({ path, before, after }) => ({ path, before: hashed(before), after: hashed(after) })))
  const column = <Value>(pick: (one: Pending) => Value) => pending.map(pick)
  await tx.scope.run(INSERT_ENTRIES, [
    tx.scope.tenantId,
    column(() => newTimeOrderedId('aud', tx.scope.now.getTime())),
    column(({ actor }) => actor.type),
    column(({ actor }) => actor.id),
    column(({ actor }) => actor.source),
    column(({ actor }) => actor.requestId ?? null),
    column(({ actor }) => actor.remoteAddress ?? null),
    column(({ entry }) => entry.action),
    column(({ entry }) => entry.subjectType),
    column(({ entry }) => entry.subjectId),
    column(({ entry }) => entry.changeSetId ?? null),
    column(fields),
  ])
}
