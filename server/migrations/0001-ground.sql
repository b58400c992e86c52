-- The ground: tenancy, keys, access, audit, idempotency. Every table is protected by row security from its first line.
create extension if not exists btree_gist;

create schema keys;
grant usage on schema public, keys to tenure_app, tenure_worker, tenure_auditor;

-- A value sealed by privacy/: version 1, algorithm 1 (AES-256-GCM), key id, nonce, commitment, ciphertext, tag. The check
-- keeps clear text out of a sealed column.
create domain sealed as bytea check (octet_length(value) >= 62 and get_byte(value, 0) = 1 and get_byte(value, 1) = 1);

-- The tenant of the transaction. Nobody set it: null, which equals nothing, so no row is seen.
create function current_tenant() returns text stable language sql as $$ select nullif(current_setting('tenure.tenant_id', true), '') $$;

-- Puts a table behind row security: the tenant's rows only, for its owner too.
create procedure protect(protected regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', protected);
  execute format('alter table %s force row level security', protected);
  execute format('create policy own_tenant on %s for all to tenure_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', protected);
  execute format('create policy own_tenant_read on %s for select to tenure_auditor using (tenant_id = current_tenant())', protected);
  execute format('grant select on %s to tenure_auditor', protected);
end $$;

create table tenant (
  tenant_id text primary key,
  name text not null,
  time_zone text not null,
  created_at timestamptz not null default now()
);
call protect('tenant');
grant select, insert, update on tenant to tenure_app;
grant select on tenant to tenure_worker;
create policy every_tenant on tenant for select to tenure_worker using (true);

-- Wrapped keys have a schema of their own, so that they are dumped, kept and destroyed apart from what they open.
create table keys.tenant_key (
  tenant_id text not null references tenant,
  key_id uuid not null,
  root_key_id text not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, key_id)
);
call protect('keys.tenant_key');
grant select, insert on keys.tenant_key to tenure_app;

create table keys.person_key (
  tenant_id text not null,
  key_id uuid not null,
  person_id text not null,
  tenant_key_id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, key_id),
  unique (tenant_id, person_id),
  foreign key (tenant_id, tenant_key_id) references keys.tenant_key
);
call protect('keys.person_key');
grant select, insert, delete on keys.person_key to tenure_app;

create table api_key (
  tenant_id text not null references tenant,
  id text not null,
  name text not null,
  -- The first characters, to recognise a key by. The key itself is stored nowhere.
  starts_with text not null,
  key_hash bytea not null,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (tenant_id, id),
  unique (key_hash)
);
call protect('api_key');
grant select, insert, update on api_key to tenure_app;
create policy find_credential on api_key for select to tenure_owner using (true);

-- The one question that is asked before a tenant is known: whose key is this? It tells one row, by the hash of a secret.
create function find_api_key(hash bytea) returns table (tenant_id text, id text, name text, scopes text[], expires_at timestamptz)
  stable security definer set search_path = pg_catalog, public language sql as $$
  select k.tenant_id, k.id, k.name, k.scopes, k.expires_at from public.api_key k
   where k.key_hash = hash and k.revoked_at is null and k.expires_at > now()
$$;
revoke all on function find_api_key(bytea) from public;
grant execute on function find_api_key(bytea) to tenure_app;

create table audit_entry (
  tenant_id text not null references tenant,
  position bigint generated always as identity,
  id text not null,
  recorded_at timestamptz not null default clock_timestamp(),
  actor_type text not null,
  actor_id text not null,
  source text not null,
  request_id text,
  remote_address text,
  action text not null,
  subject_type text not null,
  subject_id text not null,
  change_set_id text,
  -- Names of the fields touched, with keyed hashes of old and new values. Never a value.
  fields jsonb not null default '[]',
  primary key (tenant_id, position)
);
call protect('audit_entry');
create index audit_entry_subject on audit_entry (tenant_id, subject_id, position);
grant select, insert on audit_entry to tenure_app;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit entries are written once' using errcode = 'insufficient_privilege';
end $$;
create trigger written_once before update or delete or truncate on audit_entry for each statement execute function refuse_change();

create table idempotency_key (
  tenant_id text not null references tenant,
  credential_id text not null,
  key text not null,
  request_hash bytea not null,
  status int not null,
  reply sealed not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, credential_id, key)
);
call protect('idempotency_key');
create index idempotency_key_age on idempotency_key (tenant_id, created_at);
grant select, insert, delete on idempotency_key to tenure_app;
