-- The HR record. A dated fact has two axes: the dates on which it holds (half-open, open end null) and the instants between
-- which we believed it. What is believed now may not overlap; superseded facts stay, and were sound while they were believed.
create table change_set (
  tenant_id text not null references tenant,
  id text not null,
  recorded_at timestamptz not null,
  actor_type text not null,
  actor_id text not null,
  source text not null,
  request_id text,
  primary key (tenant_id, id)
);
call protect('change_set');
grant select, insert on change_set to tenure_app;

create table legal_entity (
  tenant_id text not null references tenant,
  id text not null,
  code text not null,
  name text not null,
  country text not null,
  primary key (tenant_id, id),
  unique (tenant_id, code)
);
call protect('legal_entity');
grant select, insert, update on legal_entity to tenure_app;

create table location (
  tenant_id text not null references tenant,
  id text not null,
  code text not null,
  name text not null,
  time_zone text not null,
  primary key (tenant_id, id),
  unique (tenant_id, code)
);
call protect('location');
grant select, insert, update on location to tenure_app;

create table department (
  tenant_id text not null references tenant,
  id text not null,
  code text not null,
  name text not null,
  parent_id text,
  primary key (tenant_id, id),
  unique (tenant_id, code),
  foreign key (tenant_id, parent_id) references department
);
call protect('department');
grant select, insert, update on department to tenure_app;

create table person (
  tenant_id text not null references tenant,
  id text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
call protect('person');
grant select, insert on person to tenure_app;

create table candidate (
  tenant_id text not null,
  id text not null,
  person_id text not null,
  status text not null check (status in ('active', 'hired', 'rejected', 'withdrawn')),
  stage text,
  source text not null,
  source_id text,
  job_title text,
  version int not null default 1,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, source, source_id),
  foreign key (tenant_id, person_id) references person
);
call protect('candidate');
grant select, insert, update on candidate to tenure_app;

create table employee (
  tenant_id text not null,
  id text not null,
  person_id text not null,
  candidate_id text,
  employee_number text not null,
  -- The last sequence number given to an event of this employee. Raised under the row's lock: gapless.
  event_sequence bigint not null default 0,
  version int not null default 1,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, employee_number),
  unique (tenant_id, person_id),
  unique (tenant_id, candidate_id),
  foreign key (tenant_id, person_id) references person,
  foreign key (tenant_id, candidate_id) references candidate
);
call protect('employee');
grant select, insert, update on employee to tenure_app;

-- The names that other systems have for what we hold: one subject for each (system, type, external id).
create table external_id (
  tenant_id text not null references tenant,
  system text not null,
  subject_type text not null,
  external_id text not null,
  subject_id text not null,
  primary key (tenant_id, system, subject_type, external_id)
);
call protect('external_id');
create index external_id_subject on external_id (tenant_id, subject_id);
grant select, insert on external_id to tenure_app;

create table employment (
  tenant_id text not null,
  id text not null,
  employee_id text not null,
  legal_entity_id text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, employee_id) references employee,
  foreign key (tenant_id, legal_entity_id) references legal_entity
);
call protect('employment');
create index employment_employee on employment (tenant_id, employee_id);
grant select, insert on employment to tenure_app;

create table assignment (
  tenant_id text not null,
  id text not null,
  employee_id text not null,
  employment_id text not null,
  is_primary boolean not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, employee_id) references employee,
  foreign key (tenant_id, employment_id) references employment
);
call protect('assignment');
create index assignment_employee on assignment (tenant_id, employee_id);
grant select, insert on assignment to tenure_app;

create table compensation (
  tenant_id text not null,
  id text not null,
  employee_id text not null,
  assignment_id text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, employee_id) references employee,
  foreign key (tenant_id, assignment_id) references assignment
);
call protect('compensation');
create index compensation_employee on compensation (tenant_id, employee_id);
grant select, insert on compensation to tenure_app;

-- The exclusion constraints compare one text made of tenant and subject: as separate columns the planner took their index, while
-- there were no statistics yet, to find all facts of a tenant.

-- What each kind of fact shares. subject_id is the person, employment, assignment or compensation that the fact speaks of.
create table fact_shape (
  tenant_id text not null,
  id text not null,
  subject_id text not null,
  valid_from date not null,
  valid_to date check (valid_to > valid_from),
  valid_during daterange not null generated always as (daterange(valid_from, valid_to)) stored,
  recorded_at timestamptz not null,
  superseded_at timestamptz check (superseded_at >= recorded_at),
  change_set_id text not null,
  superseded_by_change_set_id text,
  personal sealed,
  secret sealed
);

create table person_fact (
  like fact_shape including generated including constraints,
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references person,
  foreign key (tenant_id, change_set_id) references change_set,
  exclude using gist ((tenant_id || '/' || subject_id) with =, valid_during with &&) where (superseded_at is null)
);

create table employment_fact (
  like fact_shape including generated including constraints,
  employee_id text not null,
  legal_entity_id text not null,
  employment_type text not null check (employment_type in ('employee', 'contractor', 'intern', 'temporary')),
  last_day_worked date,
  access_cutoff_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references employment,
  foreign key (tenant_id, change_set_id) references change_set,
  -- Periods of one legal entity may not overlap; those of different ones may.
  constraint employment_fact_no_overlap
    exclude using gist ((tenant_id || '/' || employee_id || '/' || legal_entity_id) with =, valid_during with &&) where (superseded_at is null)
);

create table assignment_fact (
  like fact_shape including generated including constraints,
  title text,
  department_id text,
  location_id text,
  manager_employee_id text,
  cost_center text,
  grade text,
  fte numeric(6, 4) check (fte > 0),
  weekly_hours numeric(6, 2) check (weekly_hours >= 0),
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references assignment,
  foreign key (tenant_id, change_set_id) references change_set,
  foreign key (tenant_id, department_id) references department,
  foreign key (tenant_id, location_id) references location,
  foreign key (tenant_id, manager_employee_id) references employee,
  exclude using gist ((tenant_id || '/' || subject_id) with =, valid_during with &&) where (superseded_at is null)
);

create table compensation_fact (
  like fact_shape including generated including constraints,
  pay_group text,
  pay_frequency text not null check (pay_frequency in ('weekly', 'two_weekly', 'semi_monthly', 'monthly', 'yearly')),
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references compensation,
  foreign key (tenant_id, change_set_id) references change_set,
  exclude using gist ((tenant_id || '/' || subject_id) with =, valid_during with &&) where (superseded_at is null)
);

drop table fact_shape;

do $$
declare fact text;
begin
  foreach fact in array array['person_fact', 'employment_fact', 'assignment_fact', 'compensation_fact'] loop
    execute format('call protect(%L)', fact);
    execute format('create index %I on %I (tenant_id, subject_id, valid_from)', fact || '_subject', fact);
    execute format('grant select, insert on %I to tenure_app', fact);
    execute format('grant update (superseded_at, superseded_by_change_set_id) on %I to tenure_app', fact);
    execute format('comment on column %I.personal is ''personal''', fact);
    execute format('comment on column %I.secret is ''secret''', fact);
  end loop;
end $$;

-- A fact that begins on a later day: at that day's midnight at the site its past-tense event is emitted.
create table scheduled_event (
  tenant_id text not null,
  id text not null,
  employee_id text not null,
  type text not null,
  subject_id text not null,
  effective_date date not null,
  change_set_id text not null,
  due_at timestamptz not null,
  state text not null default 'pending' check (state in ('pending', 'emitted', 'cancelled')),
  settled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, employee_id) references employee
);
call protect('scheduled_event');
create index scheduled_event_due on scheduled_event (due_at) where state = 'pending';
create index scheduled_event_employee on scheduled_event (tenant_id, employee_id) where state = 'pending';
create unique index scheduled_event_once on scheduled_event (tenant_id, subject_id, type, effective_date) where state = 'pending';
grant select, insert, update on scheduled_event to tenure_app;
grant select (tenant_id, id, employee_id, due_at, state) on scheduled_event to tenure_worker;
create policy queue on scheduled_event for select to tenure_worker using (true);

-- Employee numbers for whoever is not given one. Never reused; gaps mean nothing.
create sequence employee_number_sequence start 10001;
grant usage on sequence employee_number_sequence to tenure_app;

-- What the candidate was hired with, hashed: the same hire again answers the same employee, another one is a conflict.
alter table candidate add column hire_digest bytea;
