import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Fault } from '../kit/problem.ts'
import { COLUMNS, type ImportKind } from './columns.ts'
import { importColumnsNotValid, importFileNotReadable, importMappingNotValid } from './problems.ts'

const MAX_COLUMNS = 200
const name = Type.String({ minLength: 1, maxLength: 200 })

/** How the columns of a file become ours. A column of the file that is null is left out. */
export const ImportMapping = Type.Object(
  {
    columns: Type.Optional(Type.Record(name, Type.Union([name, Type.Array(name, { minItems: 1, maxItems: 10 }), Type.Null()]))),
    /** The same value in every row, for what the file does not say. */
    constants: Type.Optional(Type.Record(name, Type.String({ minLength: 1, maxLength: 500 }))),
    /** Texts that stand for "empty", such as 9999-01-01 or NULL. */
    null_values: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 20 })),
    delimiter: Type.Optional(Type.Enum([',', ';', '\t'])),
  },
  { additionalProperties: false },
)
export type ImportMapping = Static<typeof ImportMapping>

const validator = Compile(ImportMapping)

/** Reads the mapping from its header: JSON in base64url. It holds names and constants, so it stands outside the address and its logs. */
export function readMapping(header: string | undefined): ImportMapping {
  if (header === undefined) return {}
  const given = parse(Buffer.from(header, 'base64url').toString())
  if (validator.Check(given)) return given
  throw importMappingNotValid({
    detail: 'The header `tenure-import-map` must be base64url of a JSON object with `columns`, `constants`, `null_values` and `delimiter`.',
    errors: [...validator.Errors(given)].slice(0, 5).map(({ instancePath, message }) => ({
      pointer: /^[\w/.-]*$/.test(instancePath) ? `/mapping${instancePath}` : '/mapping',
      message,
    })),
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Which cell of a row goes where. */
export type ColumnPlan = {
  readonly width: number
  readonly cells: readonly { readonly index: number; readonly header: string; readonly columns: readonly string[] }[]
  readonly constants: Readonly<Record<string, string>>
  readonly nullValues: ReadonlySet<string>
  readonly ignored: readonly string[]
}

/** Fits the header of a file to the columns of the import, or names every column that is missing or stands twice. */
export function planColumns(kind: ImportKind, mapping: ImportMapping, header: readonly string[]): ColumnPlan {
  const known = COLUMNS[kind]
  const headers = header.map((cell) => cell.trim())
  if (headers.some((cell) => cell.includes('\uFFFD') || cell.includes('\0')))
    throw importFileNotReadable({ detail: 'The first line is not UTF-8 text. Save the file as "CSV UTF-8".' })
  if (headers.length > MAX_COLUMNS) throw importColumnsNotValid({ detail: `A file may have ${MAX_COLUMNS} columns, this one has more.` })
  const renamed = new Map(Object.entries(mapping.columns ?? {}))
  const cells = headers.map((cell, index) => ({ index, header: cell, columns: targetsOf(cell, renamed, known) }))
  const constants = mapping.constants ?? {}
  const faults = [...mappingFaults(mapping, headers, known), ...headerFaults(cells, constants, known)]
  if (faults.length > 0) throw importColumnsNotValid({ errors: faults.slice(0, 50) })
  return {
    width: headers.length,
    cells: cells.filter(({ columns }) => columns.length > 0),
    constants,
    nullValues: new Set(mapping.null_values ?? []),
    ignored: cells.filter((cell) => cell.columns.length === 0 && cell.header !== '').map((cell) => cell.header.slice(0, 100)),
  }
}

type Known = Readonly<Record<string, unknown>>

function targetsOf(header: string, renamed: ReadonlyMap<string, string | string[] | null>, known: Known): string[] {
  const given = renamed.get(header)
  if (given === null) return []
  if (given !== undefined) return [given].flat()
  return Object.hasOwn(known, header) ? [header] : []
}

function mappingFaults({ columns = {}, constants = {} }: ImportMapping, headers: readonly string[], known: Known): Fault[] {
  const mend = `The columns are ${Object.keys(known).join(', ')}.`
  const absent = Object.keys(columns)
    .filter((header) => !headers.includes(header))
    .map(() => ({ pointer: '/mapping/columns', message: 'names a column that the file does not have', mend: 'Look at the first line.' }))
  const unknown = [...Object.values(columns).flat(), ...Object.keys(constants)]
    .filter((target) => target !== null && !Object.hasOwn(known, target))
    .map(() => ({ pointer: '/mapping', message: 'names a column that this import does not have', mend }))
  return [...absent, ...unknown]
}

function headerFaults(cells: readonly { columns: readonly string[] }[], constants: Known, known: Known): Fault[] {
  const counts = new Map<string, number>()
  for (const target of [...cells.flatMap(({ columns }) => columns), ...Object.keys(constants)])
    counts.set(target, (counts.get(target) ?? 0) + 1)
  const mend = 'Name the column so in the first line, map another column to it, or give it as a constant.'
  const missing = Object.entries(known as Record<string, { required: boolean }>)
    .filter(([target, { required }]) => required && !counts.has(target))
    .map(([target]) => ({ pointer: `/columns/${target}`, message: 'is missing', mend }))
  const twice = [...counts]
    .filter(([target, count]) => count > 1 && Object.hasOwn(known, target))
    .map(([target]) => ({ pointer: `/columns/${target}`, message: 'is given more than once', mend: 'Map all but one of them to null.' }))
  return [...missing, ...twice]
}
