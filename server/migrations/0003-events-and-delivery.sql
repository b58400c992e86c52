-- The event log, and the deliveries that it sets off.
create table event (
  tenant_id text not null references tenant,
  position bigint generated always as identity,
  -- The transaction that wrote it: the feed shows only what lies below the oldest running one, so that it has no gaps.
  xid xid8 not null default pg_current_xact_id(),
  id text not null,
  type text not null,
  employee_id text,
  -- Whose order it keeps: the employee, else the candidate, else the event alone.
  order_key text not null,
  sequence bigint,
  recorded_at timestamptz not null,
  effective_date date,
  source text not null,
  correlation_id text not null,
  -- The person under whose key the body is sealed; null: the tenant's key.
  person_id text,
  body sealed not null,
  primary key (tenant_id, id),
  unique (tenant_id, position),
  unique (tenant_id, employee_id, sequence)
);
comment on column event.body is 'personal';
call protect('event');
create index event_feed on event (tenant_id, xid, position);
create index event_type on event (tenant_id, type, position);
create index event_correlation on event (tenant_id, correlation_id);
grant select, insert on event to tenure_app;

create table endpoint (
  tenant_id text not null references tenant,
  id text not null,
  name text not null,
  url text not null,
  event_types text[] not null check (cardinality(event_types) > 0),
  detail text not null check (detail in ('ids', 'changed', 'full')),
  grants text[] not null,
  state text not null default 'active' check (state in ('active', 'paused', 'disabled')),
  disabled_reason text,
  secret sealed not null,
  custom_headers sealed,
  version int not null default 1,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (tenant_id, id)
);
comment on column endpoint.secret is 'secret';
comment on column endpoint.custom_headers is 'secret';
call protect('endpoint');
grant select, insert, update on endpoint to tenure_app;
grant select (tenant_id, id, state) on endpoint to tenure_worker;
grant update (state, disabled_reason) on endpoint to tenure_worker;
create policy queue on endpoint for select to tenure_worker using (true);
create policy disable on endpoint for update to tenure_worker using (true) with check (true);

-- One event to one endpoint: work that is due at a time, leased by one process, settled or dead. It may be taken
-- from due_at on (now, or the next retry), never before lease_until, and never behind an unsettled earlier delivery of its
-- lane (endpoint, order key).
create table delivery (
  tenant_id text not null,
  id text not null,
  endpoint_id text not null,
  order_key text not null,
  event_position bigint not null,
  event_id text not null,
  event_type text not null,
  employee_id text,
  previous_event_id text,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  lease_epoch int not null default 0,
  attempts int not null default 0,
  -- Failures since it was last put to work: what the retry schedule counts.
  failures int not null default 0,
  failure text,
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant_id, id),
  constraint delivery_once unique (tenant_id, endpoint_id, order_key, event_position),
  foreign key (tenant_id, endpoint_id) references endpoint,
  foreign key (tenant_id, event_id) references event
) with (fillfactor = 80);
call protect('delivery');
-- The second condition holds for every row and is said by the claim alone: without it the planner, as long as the table has
-- no statistics, takes this index for a look at one lane, and reads the whole endpoint for it.
create index delivery_due on delivery (tenant_id, endpoint_id, due_at) where state = 'pending' and event_position > 0;
create index delivery_lane on delivery (tenant_id, endpoint_id, order_key, event_position) where state = 'pending';
create index delivery_event on delivery (tenant_id, event_id);
create index delivery_dead on delivery (tenant_id, endpoint_id, id) where state = 'dead';
grant select, insert, update on delivery to tenure_app;
grant select, update on delivery to tenure_worker;
create policy queue_read on delivery for select to tenure_worker using (true);
create policy queue_settle on delivery for update to tenure_worker using (true) with check (true);

-- What was tried, once for each attempt. Written once.
create table attempt (
  tenant_id text not null,
  id text not null,
  delivery_id text not null,
  endpoint_id text not null,
  number int not null,
  started_at timestamptz not null,
  duration_ms int,
  -- delivered, interrupted, or the symbol of a failure.
  outcome text not null,
  status int,
  person_id text,
  -- The request's and the answer's head, and the first 8 KiB of the answer's body, as they went over the wire.
  exchange sealed,
  primary key (tenant_id, delivery_id, number),
  foreign key (tenant_id, delivery_id) references delivery
);
comment on column attempt.exchange is 'personal';
call protect('attempt');
grant select, insert on attempt to tenure_app;
grant insert on attempt to tenure_worker;
create policy queue_log on attempt for insert to tenure_worker with check (true);
