import { randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'

type ForeignKey = {
  readonly name: string
  readonly child: string
  readonly parent: string
  readonly columns: readonly string[]
  readonly parentColumns: readonly string[]
  readonly insertable: readonly string[]
  readonly keyColumns: readonly { readonly name: string; readonly type: string }[]
  /** What drops the uniqueness that a copied row would meet before the foreign key is asked. */
  readonly inTheWay: readonly string[]
}

const FOREIGN_KEYS = `
  select k.conname as name, k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,
         array(select a.attname::text from unnest(k.conkey) with ordinality x (num, at) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.num order by x.at) as columns,
         array(select a.attname::text from unnest(k.confkey) with ordinality x (num, at) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = x.num order by x.at) as "parentColumns",
         array(select a.attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as insertable,
         (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null)))
            from pg_constraint p cross join unnest(p.conkey) num join pg_attribute a on a.attrelid = p.conrelid and a.attnum = num
           where p.conrelid = k.conrelid and p.contype = 'p') as "keyColumns",
         array(select case when u.oid is null then format('drop index %s cascade', i.indexrelid::regclass)
                           else format('alter table %s drop constraint %I cascade', k.conrelid::regclass, u.conname) end
                 from pg_index i left join pg_constraint u on u.conindid = i.indexrelid and u.contype in ('u', 'x')
                where i.indrelid = k.conrelid and not i.indisprimary and (i.indisunique or i.indisexclusion)) as "inTheWay"
    from pg_constraint k
   where k.contype = 'f' and cardinality(k.conkey) > 1 order by 1`

export type ProbeResult = { readonly probes: number; readonly leaks: readonly string[] }

/**
 * Tries to make a row of `own` point at a row of `victim`, and asks whether the answer tells that there is one: an id that
 * exists elsewhere and one that exists nowhere must be refused alike.
 */
export async function probeForeignKeys(superuser: Connection, { own, victim }: { own: string; victim: string }): Promise<ProbeResult> {
  const { rows: keys } = await superuser.query<ForeignKey>(FOREIGN_KEYS)
  const leaks: string[] = []
  for (const key of keys) {
    const existing = await superuser.query(`select to_jsonb(p) as row from ${key.parent} p where tenant_id = $1 limit 1`, [victim])
    const row = existing.rows[0]?.row as Record<string, unknown>
    const answers = [await probe(superuser, key, own, (column) => row[column]), await probe(superuser, key, own, () => randomUUID())]
    if (answers[0] !== answers[1]) leaks.push(`${key.name} of ${key.child} answers ${answers.join(' and ')}`)
    if (!answers.every((answer) => answer === '23503' || answer === '42501'))
      leaks.push(`${key.name} of ${key.child} answers ${answers[0]}`)
  }
  return { probes: keys.length * 2, leaks }
}

/** Uniqueness steps aside inside the transaction, so that it is the foreign key that answers. */
async function probe(superuser: Connection, key: ForeignKey, own: string, valueFor: (parentColumn: string) => unknown): Promise<string> {
  await superuser.query('begin')
  try {
    const { rows } = await superuser.query(`select to_jsonb(c) as row from ${key.child} c where tenant_id = $1 limit 1`, [own])
    const copy = { ...(rows[0]?.row as Record<string, unknown>) }
    for (const { name, type } of key.keyColumns) if (!key.columns.includes(name)) copy[name] = fresh(type)
    for (const [at, column] of key.columns.entries()) if (column !== 'tenant_id') copy[column] = valueFor(key.parentColumns[at]!)
    for (const drop of key.inTheWay) await superuser.query(drop)
    await superuser.query(`select set_config('tenure.tenant_id', $1, true)`, [own])
    await superuser.query('set local role tenure_app')
    const columns = key.insertable.join(', ')
    await superuser.query(
      `insert into ${key.child} (${columns}) overriding system value select ${columns} from jsonb_populate_record(null::${key.child}, $1::jsonb)`,
      [JSON.stringify(copy)],
    )
    return 'nothing against it'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await superuser.query('rollback')
  }
}

function fresh(type: string): unknown {
  if (type === 'uuid') return randomUUID()
  return type === 'text' ? randomUUID() : 30_000
}
