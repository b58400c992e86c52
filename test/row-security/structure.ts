import type { Connection } from './connection.ts'

/** Unique indexes that tenant_id does not lead, and why each may exist. */
const LED_BY_ANOTHER: Readonly<Record<string, string>> = {
  api_key_key_hash_key: 'asked before a tenant is known; the hash of a secret of 180 random bits tells nothing to whoever lacks it',
  migration_pkey: 'belongs to the schema, not to a tenant',
}
/** Tables without a tenant, and why. */
const WITHOUT_TENANT: Readonly<Record<string, string>> = { migration: 'the history of the schema' }

type Check = { readonly name: string; readonly text: string }

const OURS = `n.nspname in ('public', 'keys')`
const EXTENSION = `exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')`

/** Each statement answers the names of what is wrong; no row is good. They read pg_catalog, so a new table cannot be forgotten. */
const CHECKS: readonly Check[] = [
  {
    name: 'row security is not enabled',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and ${OURS} and not c.relrowsecurity`,
  },
  {
    name: 'row security is not forced',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and ${OURS} and not c.relforcerowsecurity`,
  },
  {
    name: 'no policy',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and ${OURS} and not exists (select 1 from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    name: 'a grant without a policy',
    text: `
      with grants as (
        select c.oid, c.relowner, a.grantee, a.privilege_type from pg_class c, aclexplode(c.relacl) a
        union
        select c.oid, c.relowner, a.grantee, a.privilege_type from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
      )
      select format('%s for %s on %s', g.privilege_type, g.grantee::regrole, c.oid::regclass) as found
        from grants g join pg_class c on c.oid = g.oid join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and ${OURS} and g.grantee <> g.relowner and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
         and not exists (select 1 from pg_policy p where p.polrelid = c.oid and (g.grantee = any (p.polroles) or 0 = any (p.polroles))
                          and p.polcmd::text in ('*', case g.privilege_type when 'SELECT' then 'r' when 'INSERT' then 'a' when 'UPDATE' then 'w' else 'd' end))`,
  },
  {
    name: 'a policy of the app that is not the equality of the tenant',
    text: `select format('%s on %s', p.polname, p.polrelid::regclass) as found from pg_policy p
            where ('tenure_app'::regrole = any (p.polroles) or 0 = any (p.polroles)) and p.polrelid <> 'migration'::regclass
              and (coalesce(pg_get_expr(p.polqual, p.polrelid), '') <> '(tenant_id = current_tenant())'
                or coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') <> '(tenant_id = current_tenant())')`,
  },
  {
    name: 'a privilege beyond rows',
    text: `select format('%s for %s on %s', a.privilege_type, a.grantee::regrole, c.oid::regclass) as found
             from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
            where ${OURS} and c.relkind in ('r', 'p', 'v', 'm') and a.grantee <> c.relowner
              and a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
  },
  {
    name: 'a grant to everybody',
    text: `
      select format('%s on %s', a.privilege_type, c.oid::regclass) as found
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a where ${OURS} and a.grantee = 0
      union all
      select format('%s on %s.%s', a.privilege_type, c.oid::regclass, t.attname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
       where ${OURS} and a.grantee = 0
      union all
      select format('CREATE in schema %s', n.nspname) from pg_namespace n, aclexplode(n.nspacl) a
       where ${OURS} and a.grantee = 0 and a.privilege_type = 'CREATE'`,
  },
  {
    name: 'a unique index that the tenant does not lead',
    text: `select i.indexrelid::regclass::text as found
             from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
             left join pg_attribute t on t.attrelid = c.oid and t.attnum = i.indkey[0]
            where ${OURS} and (i.indisunique or i.indisexclusion) and t.attname is distinct from 'tenant_id'
              -- Or one text that begins with the tenant, up to a character that no id has.
              and not (i.indkey[0] = 0 and pg_get_indexdef(i.indexrelid, 1, true) ~ '^[(]*tenant_id [|][|] ''/''::text')`,
  },
  {
    name: 'no primary key',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and ${OURS} and not exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
  },
  {
    name: 'a foreign key that could cross tenants',
    text: `select format('%s of %s', k.conname, k.conrelid::regclass) as found
             from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute child on child.attrelid = k.conrelid and child.attnum = k.conkey[1]
             join pg_attribute parent on parent.attrelid = k.confrelid and parent.attnum = k.confkey[1]
            where ${OURS} and k.contype = 'f' and (child.attname <> 'tenant_id' or parent.attname <> 'tenant_id')`,
  },
  {
    name: 'no tenant_id',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and ${OURS}
              and not exists (select 1 from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and t.attnotnull)`,
  },
  {
    name: 'a view that runs as its owner',
    text: `select c.oid::regclass::text as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where ${OURS} and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce(c.reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']))`,
  },
  {
    name: 'a definer function without a search path',
    text: `select c.oid::regprocedure::text as found from pg_proc c join pg_namespace n on n.oid = c.pronamespace
            where ${OURS} and c.prosecdef and not exists (select 1 from unnest(c.proconfig) s where s like 'search_path=%')`,
  },
  {
    name: 'a definer function for everybody',
    text: `select c.oid::regprocedure::text as found from pg_proc c join pg_namespace n on n.oid = c.pronamespace
            where ${OURS} and c.prosecdef and not ${EXTENSION}
              and exists (select 1 from aclexplode(coalesce(c.proacl, acldefault('f', c.proowner))) a where a.grantee = 0)`,
  },
  {
    name: 'a role above row security',
    text: `select rolname::text as found from pg_roles
            where rolname like 'tenure%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
  },
  {
    name: 'a login that inherits, or that may become more than app and worker',
    text: `
      select rolname::text as found from pg_roles where rolname in ('tenure_server', 'tenure_owner') and rolinherit
      union all
      select format('%s in %s', m.member::regrole, m.roleid::regrole) from pg_auth_members m
       where m.member = 'tenure_server'::regrole and m.roleid not in ('tenure_app'::regrole, 'tenure_worker'::regrole)
      union all
      select format('%s in %s', m.member::regrole, m.roleid::regrole) from pg_auth_members m
       where m.member in ('tenure_app'::regrole, 'tenure_worker'::regrole, 'tenure_auditor'::regrole)`,
  },
  {
    name: 'something owned by a role that serves requests',
    text: `
      with served as (select oid from pg_roles where rolname in ('tenure_app', 'tenure_worker', 'tenure_auditor', 'tenure_server'))
      select c.oid::regclass::text as found from pg_class c where c.relowner in (select oid from served)
      union all select oid::regprocedure::text from pg_proc where proowner in (select oid from served)
      union all select nspname::text from pg_namespace where nspowner in (select oid from served)
      union all select oid::regtype::text from pg_type where typowner in (select oid from served)`,
  },
  {
    name: 'a sealed or classed column that the worker can read',
    text: `select format('%s.%s', c.oid::regclass, t.attname) as found
             from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute t on t.attrelid = c.oid
            where ${OURS} and c.relkind in ('r', 'p') and t.attnum > 0 and not t.attisdropped
              and has_column_privilege('tenure_worker', c.oid, t.attnum, 'select')
              and (t.atttypid in ('sealed'::regtype, 'bytea'::regtype) or col_description(c.oid, t.attnum) is not null)`,
  },
]

/** What in the schema would let one tenant see another, in one line each: `what is wrong: where`. */
export async function structureFaults(superuser: Connection): Promise<string[]> {
  const faults: string[] = []
  for (const { name, text } of CHECKS) {
    const { rows } = await superuser.query<{ found: string }>(text)
    faults.push(...rows.filter(({ found }) => !isExcepted(name, found)).map(({ found }) => `${name}: ${found}`))
  }
  return faults
}

export const CHECK_COUNT = CHECKS.length

function isExcepted(name: string, found: string): boolean {
  if (name === 'a unique index that the tenant does not lead') return found in LED_BY_ANOTHER
  return name === 'no tenant_id' && found in WITHOUT_TENANT
}
