import { createInboxTable, type PgPool } from '@tenure/receiver/postgres'

const TABLES = `
  select pg_advisory_xact_lock(hashtextextended('create payroll tables', 0));

  -- Who is paid. One row per employee, however many employments they have had.
  create table if not exists payroll_employee (
    employee_id text primary key,
    employee_number text,
    name text,
    tax_country text,
    tax_form text,
    sequence bigint not null
  );

  -- One per employment, which the key sees to. Without opened_at: its end came to be known before its start.
  create table if not exists payroll_record (
    employment_id text primary key,
    employee_id text not null,
    legal_entity_id text,
    employment_type text,
    start_date date,
    end_date date,
    status text not null check (status in ('open', 'closed')),
    opened_at timestamptz,
    closed_at timestamptz,
    sequence bigint not null
  );
  create index if not exists payroll_record_employee on payroll_record (employee_id);

  -- What is paid, and who does what, each from a date on. The last event for a date is the one that counts.
  create table if not exists payroll_compensation (
    employee_id text not null,
    assignment_id text not null,
    effective_date date not null,
    employment_id text,
    components jsonb not null,
    pay_frequency text,
    pay_group text,
    event_id text not null,
    sequence bigint not null,
    primary key (employee_id, assignment_id, effective_date)
  );
  create table if not exists payroll_assignment (
    employee_id text not null,
    assignment_id text not null,
    effective_date date not null,
    employment_id text,
    title text,
    department_id text,
    cost_center text,
    fte text,
    event_id text not null,
    sequence bigint not null,
    primary key (employee_id, assignment_id, effective_date)
  );

  -- What each event did, in the order in which it was done. event_id is not unique here on purpose: the inbox keeps a
  -- second effect away, and this log is the witness that it did.
  create table if not exists effect (
    position bigint generated always as identity primary key,
    event_id text not null,
    type text not null,
    employee_id text,
    employment_id text,
    sequence bigint,
    previous_event_id text,
    effective_date date,
    outcome text not null,
    received_at timestamptz not null default now()
  );

  create table if not exists request_count (
    answer text primary key,
    requests bigint not null
  );`

/** Creates what is missing. Safe at every start, and from several processes at once. */
export async function createTables(pool: PgPool & { query(text: string): Promise<unknown> }): Promise<void> {
  // Several statements in one query are one transaction.
  await pool.query(TABLES)
  await createInboxTable(pool)
}
