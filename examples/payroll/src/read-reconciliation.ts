import type { Pool } from 'pg'

const SUMMARY = `
  with in_order as (
    select sequence, lag(sequence) over (partition by employee_id order by position) as before
      from effect where employee_id is not null and sequence is not null
  )
  select
    (select count(*)::int from effect) as effects,
    (select (count(*) - count(distinct event_id))::int from effect) as duplicates,
    (select count(*)::int from in_order where sequence < before) as inversions,
    (select count(*)::int from effect e
      where previous_event_id is not null
        and not exists (select from effect p where p.event_id = e.previous_event_id)) as missing_predecessors,
    (select coalesce(jsonb_object_agg(type, n), '{}') from (select type, count(*) as n from effect group by type) t) as by_type,
    (select coalesce(jsonb_object_agg(outcome, n), '{}') from (select outcome, count(*) as n from effect group by outcome) o) as by_outcome,
    (select jsonb_build_object(
       'open', count(*) filter (where status = 'open'), 'closed', count(*) filter (where status = 'closed'),
       'never_opened', count(*) filter (where opened_at is null)) from payroll_record) as records,
    (select count(*)::int from payroll_compensation) as compensation_rows,
    (select count(*)::int from payroll_assignment) as assignment_rows,
    (select coalesce(jsonb_object_agg(answer, requests), '{}') from request_count) as requests`

export type Reconciliation = {
  readonly effects: number
  /** Effects beyond the first of the same event. */
  readonly duplicates: number
  /** Times that an employee's sequence went down from one effect to the next. */
  readonly inversions: number
  /** Events that the sender named as the one before, and that never took effect here. */
  readonly missing_predecessors: number
  readonly by_type: Readonly<Record<string, number>>
  readonly by_outcome: Readonly<Record<string, number>>
  readonly records: { readonly open: number; readonly closed: number; readonly never_opened: number }
  readonly compensation_rows: number
  readonly assignment_rows: number
  /** Answers on the wire: a duplicate here is one that the inbox kept from a second effect. */
  readonly requests: Readonly<Record<string, number>>
}

/** What came, counted from the log of effects in one snapshot, to be held against what was sent. */
export async function readReconciliation(pool: Pool): Promise<Reconciliation> {
  const { rows } = await pool.query<Reconciliation>(SUMMARY)
  return rows[0]!
}

const LAST_SEQUENCES = `
  select coalesce(jsonb_object_agg(employee_id, last), '{}') as sequences
    from (select employee_id, max(sequence) as last from effect where employee_id is not null group by employee_id) e`

/** The highest sequence seen of each employee. */
export async function readLastSequences(pool: Pool): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query<{ sequences: Record<string, number> }>(LAST_SEQUENCES)
  return rows[0]!.sequences
}

export type Effect = {
  readonly position: string
  readonly event_id: string
  readonly type: string
  readonly employee_id: string | null
  readonly sequence: string | null
  readonly outcome: string
  readonly received_at: Date
}

/** The latest effects, the newest first. */
export async function listLastEffects(pool: Pool, limit: number): Promise<Effect[]> {
  const { rows } = await pool.query<Effect>(
    'select position, event_id, type, employee_id, sequence, outcome, received_at from effect order by position desc limit $1',
    [limit],
  )
  return rows
}
