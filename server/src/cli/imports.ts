import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, EXIT } from './exit.ts'
import { createProgress, type Progress } from './progress.ts'
import { type ApiFlags, openSession, type Session } from './session.ts'
import { formatFields, formatTable } from './table.ts'
import { moment } from './times.ts'

export type Import = {
  readonly id: string
  readonly kind: string
  readonly state: 'receiving' | 'checking' | 'applying' | 'done' | 'failed' | 'cancelled'
  readonly dry_run: boolean
  readonly ignored_columns: readonly string[]
  readonly rows: { readonly total: number; readonly applied: number; readonly unchanged: number; readonly bad: number }
  readonly rows_per_second: number | null
  readonly failure: string | null
  readonly created_at: string
}
type BadRow = {
  readonly line: number
  readonly faults: readonly {
    readonly column: string | null
    readonly value_class: string
    readonly code: string
    readonly message: string
    readonly mend: string
  }[]
}

const POLL_MS = 300
const SHOWN_BAD_ROWS = 20
const ENDED: ReadonlySet<Import['state']> = new Set(['done', 'failed', 'cancelled'])

/** Waits until the import has ended. Ctrl-C leaves it to the server, and says so. */
export async function awaitImport({ api, terminal }: Session, id: string, progress: Progress): Promise<Import> {
  const detach = () => {
    progress.end()
    terminal.note(`The import goes on without this command. Look at it: tenure imports show ${id} --wait`)
    process.exit(EXIT.failed)
  }
  process.once('SIGINT', detach)
  try {
    for (;;) {
      const state = await api.get<Import>(pathOf(id))
      const { total, applied, unchanged, bad } = state.rows
      progress.update(state.state === 'checking' ? 'Checking' : 'Applying', applied + unchanged + bad, total)
      if (ENDED.has(state.state)) return state
      await sleep(POLL_MS)
    }
  } finally {
    process.off('SIGINT', detach)
  }
}

/** What became of the rows. Fails where one was bad, or the whole was. */
export async function reportImport(session: Session, settled: Import, all = false): Promise<void> {
  const { terminal } = session
  const shown = await Array.fromAsync(badRows(session, settled, all || terminal.json ? Number.POSITIVE_INFINITY : SHOWN_BAD_ROWS))
  if (terminal.json) terminal.data(...shown.map((row) => ({ bad_row: row })), { import: settled })
  else reportToPeople(session, settled, shown)
  if (settled.rows.bad > 0 || settled.state !== 'done') throw failure(settled)
}

async function* badRows({ api }: Session, { id, rows }: Import, limit: number): AsyncGenerator<BadRow> {
  if (rows.bad > 0) yield* api.list<BadRow>(`${pathOf(id)}/bad_rows`, {}, limit)
}

function reportToPeople(
  { terminal }: Session,
  { id, dry_run, rows, rows_per_second, ignored_columns }: Import,
  shown: readonly BadRow[],
): void {
  const { colors } = terminal
  for (const { line, faults } of shown) {
    for (const { column, value_class, message, mend } of faults) {
      terminal.out(`${colors.red(`line ${line}`)}${column ? `, ${column}` : ''}: ${message} (there is: ${value_class})`)
      if (mend) terminal.out(`    ${mend}`)
    }
  }
  if (rows.bad > shown.length) terminal.note(`… and ${rows.bad - shown.length} more bad rows: tenure imports show ${id} --bad-rows`)
  const counts: [string, string][] = [
    ['import', id],
    [dry_run ? 'would apply' : 'applied', String(rows.applied)],
    ['unchanged', String(rows.unchanged)],
    ['bad', String(rows.bad)],
    ...(rows_per_second && rows.total >= 1_000 ? [['rows per s', String(rows_per_second)] as [string, string]] : []),
    ...(ignored_columns.length > 0 ? [['ignored', ignored_columns.join(', ')] as [string, string]] : []),
  ]
  for (const line of formatFields(counts)) terminal.out(line)
}

function failure({ id, state, failure: why, rows, dry_run }: Import): CliError {
  const facts = { import: id, state, failure: why, bad: rows.bad }
  if (state === 'cancelled') return new CliError(EXIT.failed, 'The import was cancelled. What was applied stays.', [], facts)
  if (why === 'rows-are-bad') return new CliError(EXIT.failed, 'Nothing was applied, because rows are bad.', [], facts)
  if (state === 'failed') return new CliError(EXIT.failed, `The import failed (${why ?? 'unknown'}).`, [], facts)
  const rest = dry_run
    ? 'Nothing was changed: it was a dry run.'
    : 'The other rows are applied. Mend these and import the file again: what is there already stays as it is.'
  return new CliError(EXIT.failed, `${rows.bad} of ${rows.total} rows are bad. ${rest}`, [], facts)
}

export async function listImports({ limit, ...flags }: ApiFlags & { readonly limit: number }): Promise<void> {
  const { api, terminal } = openSession(flags)
  const imports = await Array.fromAsync(api.list<Import>('/v1/imports', {}, limit))
  if (terminal.json) return terminal.data(...imports)
  if (imports.length === 0) return terminal.note('No imports yet. `tenure import --help` shows how to start one.')
  const count = (title: string, value: (rows: Import['rows']) => number) => ({
    title,
    value: ({ rows }: Import) => String(value(rows)),
    right: true,
  })
  const columns = [
    { title: 'IMPORT', value: ({ id }: Import) => id },
    { title: 'KIND', value: ({ kind }: Import) => kind, gives: true },
    { title: 'STATE', value: ({ state }: Import) => state },
    count('ROWS', ({ total }) => total),
    count('BAD', ({ bad }) => bad),
    { title: 'BEGUN (UTC)', value: ({ created_at }: Import) => moment(created_at).slice(5, 16) },
  ]
  for (const line of formatTable(columns, imports, terminal.width)) terminal.out(line)
}

export async function showImport(
  id: string,
  { wait, badRows: all, ...flags }: ApiFlags & { wait?: boolean; badRows?: boolean },
): Promise<void> {
  const session = openSession(flags)
  const progress = createProgress(session.terminal)
  const settled = wait ? await awaitImport(session, id, progress).finally(progress.end) : await session.api.get<Import>(pathOf(id))
  if (ENDED.has(settled.state)) return reportImport(session, settled, all)
  if (session.terminal.json) return session.terminal.data({ import: settled })
  const { total, applied, unchanged, bad } = settled.rows
  session.terminal.out(`${id} is ${settled.state}: ${applied + unchanged + bad} of ${total} rows. To wait for its end: --wait`)
}

export async function cancelImport(id: string, flags: ApiFlags): Promise<void> {
  const { api, terminal } = openSession(flags)
  const settled = await api.post<Import>(`${pathOf(id)}/cancel`)
  if (terminal.json) return terminal.data({ import: settled })
  terminal.out(`${id} is ${settled.state}. The ${settled.rows.applied} rows that were applied stay.`)
}

function pathOf(id: string): string {
  return `/v1/imports/${encodeURIComponent(id)}`
}
