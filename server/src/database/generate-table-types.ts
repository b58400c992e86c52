import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import type { DatabaseAddress } from './database.ts'

const FILE = join(import.meta.dirname, 'tables.ts')

type Column = {
  table: string
  column: string
  type: string
  nullable: boolean
  hasDefault: boolean
  generated: boolean
  fieldClass: string | null
}

const COLUMNS = `
  select case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end as "table", a.attname as "column",
         format_type(a.atttypid, null) as type, not a.attnotnull as nullable, a.atthasdef or a.attidentity <> '' as "hasDefault",
         a.attgenerated <> '' or a.attidentity = 'a' as generated, col_description(c.oid, a.attnum) as "fieldClass"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
   where c.relkind in ('r', 'p') and n.nspname in ('public', 'keys') and a.attnum > 0 and not a.attisdropped
   order by 1, a.attnum`

const TYPES: Record<string, string> = {
  text: 'string',
  uuid: 'string',
  date: 'string',
  numeric: 'string',
  daterange: 'string',
  xid8: 'string',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  boolean: 'boolean',
  bytea: 'Buffer',
  jsonb: 'Json',
  'text[]': 'string[]',
  'timestamp with time zone': 'Date',
}

/** The text of tables.ts as the migrated database at `address` asks for it. */
export async function tableTypes(address: DatabaseAddress): Promise<string> {
  const client = new Client(address)
  await client.connect()
  try {
    const { rows } = await client.query<Column>(COLUMNS)
    return render(rows)
  } finally {
    await client.end()
  }
}

function render(columns: readonly Column[]): string {
  const tables = [...Map.groupBy(columns, ({ table }) => table)]
  const body = tables.map(([table, its]) => `  '${table}': {\n${its.map(renderColumn).join('\n')}\n  }`)
  return [
    '// Generated from the migrated database by `npm run generate`. Do not edit.',
    "import type { ColumnType, Generated } from 'kysely'",
    '',
    '/** A value sealed by privacy/, of the field class that the column comment names. */',
    "export type Sealed<_Class extends 'internal' | 'personal' | 'secret'> = Buffer",
    '',
    '/** Written as text, read as the value. */',
    'export type Json = ColumnType<unknown, string, string>',
    '',
    'export type Tables = {',
    ...body,
    '}',
    '',
  ].join('\n')
}

function renderColumn({ column, type, nullable, hasDefault, generated, fieldClass }: Column): string {
  const base = type === 'sealed' ? `Sealed<'${fieldClass ?? 'internal'}'>` : TYPES[type]
  if (!base) throw new Error(`The column ${column} has the type ${type}, which has no TypeScript type yet: add it to TYPES.`)
  const value = nullable ? `${base} | null` : base
  if (generated) return `    ${column}: ColumnType<${value}, never, never>`
  return `    ${column}: ${hasDefault ? `Generated<${value}>` : value}`
}

/** Writes tables.ts, or with `check` answers whether it is current. */
export async function generateTableTypes(address: DatabaseAddress, { check }: { check: boolean }): Promise<boolean> {
  const text = await tableTypes(address)
  const current = (await readFile(FILE, 'utf8').catch(() => '')) === text
  if (!check && !current) await writeFile(FILE, text)
  return current
}
