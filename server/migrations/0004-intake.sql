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
  mapping jsonb not null default '{}',
  rows_total int not null default 0,
  rows_applied int not null default 0,
  rows_unchanged int not null default 0,
  rows_bad int not null default 0,
  failure text,
  created_at timestamptz not null default now(),
  created_by text not null,
  lease_until timestamptz,
  settled_at timestamptz,
  primary key (tenant_id, id)
);
call protect('import');
create index import_open on import (created_at) where state in ('checking', 'applying');
grant select, insert, update on import to tenure_app;
grant select (tenant_id, id, state, created_at, lease_until) on import to tenure_worker;
create policy queue on import for select to tenure_worker using (true);

create table import_row (
  tenant_id text not null,
  import_id text not null,
  line int not null,
  effective_date date,
  state text not null default 'waiting' check (state in ('waiting', 'applied', 'unchanged', 'bad')),
  payload sealed,
  -- Column, class of the value, what is wrong, how to mend it. Never the value.
  faults jsonb,
  primary key (tenant_id, import_id, line),
  foreign key (tenant_id, import_id) references import
);
comment on column import_row.payload is 'personal';
call protect('import_row');
create index import_row_waiting on import_row (tenant_id, import_id, effective_date, line) where state = 'waiting';
create index import_row_bad on import_row (tenant_id, import_id, line) where state = 'bad';
grant select, insert, update, delete on import_row to tenure_app;
