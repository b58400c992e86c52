import { COLUMNS, type ImportKind } from './columns.ts'
import type { ColumnPlan } from './mapping.ts'
import type { CsvRow, Malformed } from './read-csv.ts'

/** What is wrong with a row, and how to mend it. It says what kind of thing stands there and never the value itself. */
export type RowFault = {
  readonly column: string | null
  readonly value_class: ValueClass
  readonly code: string
  readonly message: string
  readonly mend: string
}
export type ValueClass = 'row' | 'empty' | 'integer' | 'decimal' | 'date' | 'text'

/** The cells of a row by our names; what was empty is left out. */
export type Cells = Readonly<Record<string, string>>

/** A row that can be applied. One that also ends an employment has two parts, each with a date of its own. */
export type GoodRow = { readonly line: number; readonly cells: Cells; readonly dates: readonly string[]; readonly key: string }
export type BadRow = { readonly line: number; readonly faults: readonly RowFault[] }
export type CheckedRow = GoodRow | BadRow

export function classifyValue(value: string | undefined): ValueClass {
  if (value === undefined || value === '') return 'empty'
  if (/^-?\d+$/.test(value)) return 'integer'
  if (/^-?[\d.,]+$/.test(value)) return 'decimal'
  return /^\d{4}-\d{2}-\d{2}/.test(value) ? 'date' : 'text'
}

const MALFORMED: Record<Malformed, Pick<RowFault, 'message' | 'mend'>> = {
  quotes: {
    message: 'has a quote that is not closed or stands inside a cell',
    mend: 'Put the whole cell in quotes and double the quotes inside it.',
  },
  'too-long': { message: 'is longer than 65,536 characters', mend: 'Look for a quote that is not closed, or shorten the cells.' },
}

/** Departments hold on no date: they are applied in the order of the file. */
export const DATELESS = '-infinity'

/** Everything about a row that can be told from the row alone. */
export function checkRow(kind: ImportKind, plan: ColumnPlan, row: CsvRow): CheckedRow {
  const { line } = row
  if ('malformed' in row)
    return { line, faults: [{ column: null, value_class: 'row', code: 'malformed-row', ...MALFORMED[row.malformed] }] }
  if (row.cells.length !== plan.width) {
    const message = `has ${row.cells.length} cells where the first line has ${plan.width}`
    const mend = 'Put cells that contain the delimiter in quotes.'
    return { line, faults: [{ column: null, value_class: 'row', code: 'malformed-row', message, mend }] }
  }
  const headers = new Map<string, string>()
  const cells = cellsOf(plan, row.cells, headers)
  const faults = [...cellFaults(kind, cells), ...acrossFaults(kind, cells)].map((fault) => ({
    ...fault,
    column: (fault.column && headers.get(fault.column)) ?? fault.column,
  }))
  return faults.length > 0 ? { line, faults } : { line, cells, dates: datesOf(kind, cells), key: keyOf(kind, cells) }
}

function cellsOf({ cells: planned, constants, nullValues }: ColumnPlan, row: readonly string[], headers: Map<string, string>): Cells {
  const cells: Record<string, string> = { ...constants }
  for (const { index, header, columns } of planned) {
    const value = row[index]?.trim() ?? ''
    for (const column of columns) {
      headers.set(column, header)
      if (value !== '' && !nullValues.has(value)) cells[column] = value
    }
  }
  return cells
}

function cellFaults(kind: ImportKind, cells: Cells): RowFault[] {
  const faults: RowFault[] = []
  for (const [name, { required, validator, message, mend, isDate }] of Object.entries(COLUMNS[kind])) {
    const value = cells[name]
    const tell = (code: string, says: string, how: string) =>
      faults.push({ column: name, value_class: classifyValue(value), code, message: says, mend: how })
    if (value === undefined) {
      if (required) tell('value-missing', 'is empty', 'Fill it in.')
    } else if (value.includes('\0')) tell('text-not-valid', 'contains a NUL character', 'Remove the character U+0000.')
    else if (value.includes('\uFFFD')) tell('text-not-valid', 'is not UTF-8', 'Save the file as "CSV UTF-8".')
    else if (!validator.Check(value)) tell(isDate ? 'invalid-date' : 'value-not-valid', message, mend)
  }
  return faults
}

/** What cells say about each other. */
function acrossFaults(kind: ImportKind, cells: Cells): RowFault[] {
  const tell = (column: string, code: string, message: string, mend: string): RowFault[] => [
    { column, value_class: classifyValue(cells[column]), code, message, mend },
  ]
  if (kind === 'departments')
    return cells['parent_code'] !== undefined && cells['parent_code'] === cells['code']
      ? tell('parent_code', 'department-circle', 'names the department itself', 'Name the department above it, or leave it empty.')
      : []
  if (kind === 'assignments') {
    const says = Object.keys(cells).some((name) => name !== 'external_id' && name !== 'effective_date')
    return says ? [] : [{ column: null, value_class: 'row', code: 'value-missing', message: 'changes nothing', mend: 'Fill in a column.' }]
  }
  if (kind !== 'employees') return []
  const { start_date: start, termination_date: end } = cells
  return [
    ...(end !== undefined && start !== undefined && end <= start
      ? tell('termination_date', 'invalid-date', 'is not after the start date', 'It is the first day without the employment.')
      : []),
    ...(end === undefined && cells['termination_type'] !== undefined
      ? tell('termination_date', 'value-missing', 'is empty beside a termination type', 'Fill in the first day without the employment.')
      : []),
    ...togetherFaults(cells, ['national_id', 'national_id_country', 'national_id_type']),
    ...togetherFaults(cells, ['tax_country', 'tax_form']),
  ]
}

/** Columns that mean something only together. */
function togetherFaults(cells: Cells, names: readonly string[]): RowFault[] {
  // Country and type alone may be constants of the file, for a person who has no number.
  if (cells[names[0]!] === undefined) return []
  return names
    .filter((name) => cells[name] === undefined)
    .map((column) => ({
      column,
      value_class: 'empty',
      code: 'value-missing',
      message: 'is empty',
      mend: `Fill in ${names.join(', ')} together.`,
    }))
}

function datesOf(kind: ImportKind, cells: Cells): string[] {
  if (kind === 'departments') return [DATELESS]
  if (kind !== 'employees') return [cells['effective_date']!]
  return cells['termination_date'] === undefined ? [cells['start_date']!] : [cells['start_date']!, cells['termination_date']]
}

/** What must not stand twice in a file: the later row would undo the earlier one, at every run again. */
function keyOf(kind: ImportKind, cells: Cells): string {
  if (kind === 'departments') return JSON.stringify([cells['code']])
  if (kind === 'employees') return JSON.stringify([cells['external_id'], cells['start_date']])
  const set = kind === 'assignments' ? Object.keys(cells).sort().join() : ''
  return JSON.stringify([cells['external_id'], cells['effective_date'], set])
}
