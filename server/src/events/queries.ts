import { sql } from 'kysely'
import { type Actor, requireScope } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { defineProblem } from '../kit/problem.ts'
import type { Vault } from '../privacy/vault.ts'
import { type CutEvent, cutEvent, type View } from './cut-event.ts'
import { type OpenedEvent, openEvents, type SealedEvent } from './open-events.ts'

export const eventNotFound = defineProblem('event-not-found', 404, 'There is no such event.')

/** A place in the feed. Transaction first: position alone is given out before the commit, and commits come in another order. */
export type FeedPosition = { readonly xid: string; readonly position: number }

/** What is left of an event whose person was erased: that it happened, and not what. */
type ErasedEvent = {
  readonly id: string
  readonly type: string
  readonly recorded_at: string
  readonly employee_id: string | null
  readonly erased: true
}
export type ShownEvent = CutEvent | ErasedEvent

export type FeedRow = FeedPosition & { readonly event: ShownEvent }

export type FeedFilter = {
  readonly after?: FeedPosition | undefined
  readonly limit: number
  readonly type?: string | undefined
  readonly employeeId?: string | undefined
}

type Row = SealedEvent & FeedPosition & { readonly type: string; readonly employee_id: string | null; readonly recorded_at: Date }

/**
 * The ordered feed: what committed, in an order that never changes behind a reader. It shows only what lies below the oldest
 * transaction that is still running, so nothing can appear later at a place that was read already.
 */
export async function listEvents(tx: Tx, vault: Vault, actor: Actor, { after, limit, type, employeeId }: FeedFilter): Promise<FeedRow[]> {
  requireScope(actor, 'events:read')
  let query = selectEvents(tx).where(sql<boolean>`xid < pg_snapshot_xmin(pg_current_snapshot())`)
  if (after) query = query.where(sql<boolean>`(xid, position) > (${after.xid}::xid8, ${after.position}::bigint)`)
  if (type) query = query.where('type', '=', type)
  if (employeeId) query = query.where('employee_id', '=', employeeId)
  const rows = (await query.orderBy('event.xid').orderBy('event.position').limit(limit).execute()) as unknown as Row[]
  return show(tx, vault, actor, rows)
}

/** One event, also one that the feed does not show yet. */
export async function getEvent(tx: Tx, vault: Vault, actor: Actor, eventId: string): Promise<ShownEvent> {
  requireScope(actor, 'events:read')
  const rows = (await selectEvents(tx).where('id', '=', eventId).execute()) as unknown as Row[]
  const [shown] = await show(tx, vault, actor, rows)
  if (!shown) throw eventNotFound({ ids: { event_id: eventId } })
  return shown.event
}

function selectEvents(tx: Tx) {
  return tx
    .selectFrom('event')
    .select(['id', 'type', 'employee_id', 'recorded_at', 'position', 'body', 'person_id as personId', sql<string>`xid::text`.as('xid')])
    .where('tenant_id', '=', tx.scope.tenantId)
}

async function show(tx: Tx, vault: Vault, actor: Actor, rows: readonly Row[]): Promise<FeedRow[]> {
  const opened = await openEvents(tx, vault, rows)
  return rows.map((row) => ({
    xid: row.xid,
    position: row.position,
    event: showOne(row, opened.get(row.id)?.event ?? 'unreadable', viewOf(actor, row.type)),
  }))
}

function showOne({ id, type, recorded_at, employee_id }: Row, opened: OpenedEvent, view: View): ShownEvent {
  if (opened === 'unreadable') throw new Error('A stored event cannot be opened: it was changed, or stands in the wrong place.')
  if (opened === 'erased') return { id, type, recorded_at: recorded_at.toISOString(), employee_id, erased: true }
  return cutEvent(opened, view, null)
}

/** A reader without the scope for the personal data of whom an event is about is shown what changed, and no value. */
function viewOf({ scopes }: Actor, type: string): View {
  const needed = type.startsWith('candidate.') ? 'candidates:read:personal' : 'employees:read:personal'
  return scopes.has(needed) ? { detail: 'full', grants: ['personal'] } : { detail: 'changed', grants: [] }
}
