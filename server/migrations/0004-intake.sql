-- Imports: rows wait here, sealed, until they are applied in the order of their effective dates, whatever happens to the process.
create table import (
  tenant_id text not null references tenant,
  id text not null,
  kind text not null check (kind in ('departments', 'employees', 'assignments', 'compensation')),
  state text not null check (state in ('receiving', 'checking', 'applying', 'done', 'failed', 'cancelled')),
  system text not null,
  dry_run boolean not null,
  all_or_nothing boolean not null,
  silent boolean not null,
  ignored_columns text[] not null default '{}',
  rows_total int not null default 0,
  rows_applied int not null default 0,
  rows_unchanged int not null default 0,
  rows_bad int not null default 0,
  failure text,
  created_at timestamptz not null default clock_timestamp(),
  -- The credential in whose name the rows are applied.
  created_by text not null,
  created_by_type text not null,
  request_id text,
  -- Keyed hashes. An import that was never received whole gives its key back, so that the upload can be tried again.
  idempotency_key text,
  request_hash bytea,
  started_at timestamptz,
  lease_until timestamptz,
  lease_epoch int not null default 0,
  settled_at timestamptz,
  primary key (tenant_id, id),
  constraint import_once unique (tenant_id, created_by, idempotency_key)
);
call protect('import');
create index import_open on import (tenant_id, created_at, id) where state in ('receiving', 'checking', 'applying');
grant select, insert, update on import to tenure_app;
grant select (tenant_id, id, state, created_at, lease_until) on import to tenure_worker;
create policy queue on import for select to tenure_worker using (true);

-- A row leaves this table in the transaction of its effect; only bad ones stay, without what they held.
create table import_row (
  tenant_id text not null,
  import_id text not null,
  line int not null,
  -- A row that opens and ends an employment is applied in two parts, each on its own date.
  part smallint not null default 0,
  -- '-infinity' where there is no date; null for a row that was bad at sight.
  effective_date date,
  state text not null default 'waiting' check (state in ('waiting', 'bad')),
  -- Keyed hash of what may stand only once in a file.
  row_key bytea,
  -- Whether the part before this one changed something.
  changed boolean not null default false,
  payload sealed,
  -- Column, class of the value, what is wrong, how to mend it. Never the value.
  faults jsonb,
  primary key (tenant_id, import_id, line, part),
  foreign key (tenant_id, import_id) references import
);
comment on column import_row.payload is 'personal';
call protect('import_row');
create index import_row_waiting on import_row (tenant_id, import_id, effective_date, line, part) where state = 'waiting';
create unique index import_row_once on import_row (tenant_id, import_id, row_key) where row_key is not null;
grant select, insert, update, delete on import_row to tenure_app;
