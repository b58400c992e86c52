import type { Tx } from '../database/tenant-transaction.ts'
import type { Actor } from './actor.ts'

/**
 * What a change of access needs. `record` writes the audit entry in the same transaction; it is an argument because the
 * audit log stands above this folder, and it is not optional because no change of access goes unrecorded.
 */
export type AccessChange = {
  readonly tx: Tx
  readonly actor: Actor
  readonly record: (entry: {
    readonly action: string
    readonly subjectType: string
    readonly subjectId: string
    readonly fields?: readonly { readonly path: string; readonly before?: unknown; readonly after?: unknown }[]
  }) => void
}
