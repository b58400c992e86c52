import type { Connection } from './connection.ts'

/** Everything that the worker may do, one statement a line. Whoever adds one says here what the queue needs it for. */
export const WORKER_MAY: readonly string[] = [
  'insert into public.attempt',
  ...[
    'attempts',
    'created_at',
    'due_at',
    'employee_id',
    'endpoint_id',
    'event_id',
    'event_position',
    'event_type',
    'failure',
    'failures',
    'id',
  ]
    .concat('lease_epoch', 'lease_until', 'order_key', 'previous_event_id', 'settled_at', 'state', 'tenant_id')
    .flatMap((column) => [`select ${column} of public.delivery`, `update ${column} of public.delivery`]),
  ...['id', 'state', 'tenant_id'].map((column) => `select ${column} of public.endpoint`),
  ...['disabled_reason', 'state'].map((column) => `update ${column} of public.endpoint`),
  ...['created_at', 'id', 'lease_until', 'state', 'tenant_id'].map((column) => `select ${column} of public.import`),
  ...['due_at', 'employee_id', 'id', 'state', 'tenant_id'].map((column) => `select ${column} of public.scheduled_event`),
  ...['created_at', 'name', 'tenant_id', 'time_zone'].map((column) => `select ${column} of public.tenant`),
].sort()

/** Tries to read and write each column of every table as the worker, and answers what it was not refused. */
export async function workerMatrix(superuser: Connection, worker: Connection): Promise<{ cases: number; allowed: string[] }> {
  const { rows } = await superuser.query<{ table: string; columns: string[]; settable: string[] }>(`
    select format('%I.%I', n.nspname, c.relname) as "table", array_agg(a.attname::text) as columns,
           coalesce(array_agg(a.attname::text) filter (where a.attgenerated = '' and a.attidentity = ''), '{}') as settable
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
     where n.nspname in ('public', 'keys') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped group by 1`)
  const allowed: string[] = []
  let cases = 0
  const attempt = async (name: string, text: string) => {
    cases++
    await worker.query('begin')
    try {
      await worker.query(text)
      allowed.push(name)
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== '42501') allowed.push(name)
    } finally {
      await worker.query('rollback')
    }
  }
  for (const { table, columns, settable } of rows) {
    for (const column of columns) await attempt(`select ${column} of ${table}`, `select ${column} from ${table} limit 1`)
    for (const column of settable) await attempt(`update ${column} of ${table}`, `update ${table} set ${column} = null where false`)
    await attempt(`insert into ${table}`, `insert into ${table} default values`)
    await attempt(`delete from ${table}`, `delete from ${table} where false`)
    await attempt(`truncate ${table}`, `truncate ${table}`)
  }
  return { cases, allowed: allowed.sort() }
}
