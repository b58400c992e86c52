import type { Connection } from './connection.ts'

/** A table or view, as pg_catalog has it, with one row of each tenant. */
export type Relation = {
  /** Quoted, with its schema: fit to stand in a statement. */
  readonly name: string
  readonly kind: 'table' | 'view'
  /** Columns that an insert may name. */
  readonly columns: readonly string[]
  /** A column that the app may update; where there is none, the first: the attempt must then be refused. */
  readonly updatable: string
  readonly mayRead: boolean
  readonly mayInsert: boolean
  readonly mayUpdate: boolean
  readonly rows: ReadonlyMap<string, Readonly<Record<string, unknown>>>
}

const RELATIONS = `
  select format('%I.%I', n.nspname, c.relname) as name, case when c.relkind in ('r', 'p') then 'table' else 'view' end as kind,
         array(select quote_ident(t.attname) from pg_attribute t where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
                  and t.attgenerated = '' order by t.attnum) as columns,
         coalesce((select quote_ident(t.attname) from pg_attribute t where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
                      and t.attgenerated = '' and t.attidentity = '' and t.attname <> 'tenant_id'
                      and has_column_privilege('tenure_app', c.oid, t.attnum, 'update') order by t.attnum limit 1), 'tenant_id') as updatable,
         has_table_privilege('tenure_app', c.oid, 'select') as "mayRead",
         has_table_privilege('tenure_app', c.oid, 'insert') as "mayInsert",
         has_any_column_privilege('tenure_app', c.oid, 'update') as "mayUpdate"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('public', 'keys') and c.relkind in ('r', 'p', 'v', 'm')
     and exists (select 1 from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id')
   order by 1`

/** Every table and view that has a tenant. One without a row for each of `tenants` is an error: nothing could leak from it. */
export async function readRelations(superuser: Connection, tenants: readonly string[]): Promise<Relation[]> {
  // So that statistics of every table exist, and could be read where nothing forbids it.
  await superuser.query('analyze')
  const { rows } = await superuser.query<Omit<Relation, 'rows'>>(RELATIONS)
  const relations: Relation[] = []
  for (const relation of rows) {
    const found = await superuser.query(
      `select distinct on (tenant_id) to_jsonb(r) as row from ${relation.name} r where tenant_id = any($1)`,
      [tenants],
    )
    const byTenant = new Map(found.rows.map(({ row }) => [row.tenant_id as string, row]))
    const missing = tenants.filter((tenant) => !byTenant.has(tenant))
    if (missing.length > 0) throw new Error(`${relation.name} holds no row of ${missing.length} tenants: fill it in two-tenants.ts.`)
    relations.push({ ...relation, rows: byTenant })
  }
  return relations
}
