export type Column<Row> = {
  readonly title: string
  readonly value: (row: Row) => string
  /** Numbers stand right. */
  readonly right?: boolean
  /** Where the line is too long, this column gives way; ids never do. */
  readonly gives?: boolean
}

const GAP = 2
const LEAST = 6

/** Rows under their titles, at most `width` wide as far as the columns that give way allow it. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => value(row)))]
  const widths = fit(
    columns,
    columns.map((_, at) => Math.max(...cells.map((line) => line[at]!.length))),
    width,
  )
  return cells.map((line) =>
    line
      .map((text, at) => {
        const cut = shorten(text, widths[at]!)
        if (columns[at]!.right) return cut.padStart(widths[at]!)
        return at === line.length - 1 ? cut : cut.padEnd(widths[at]!)
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
}

function fit<Row>(columns: readonly Column<Row>[], wanted: readonly number[], width: number): number[] {
  const widths = [...wanted]
  const total = () => widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1))
  while (total() > width) {
    const widest = columns.reduce((best, { gives }, at) => (gives && widths[at]! > (widths[best] ?? LEAST) ? at : best), -1)
    if (widest === -1) return widths
    widths[widest]!--
  }
  return widths
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Names and values of one thing, a line each. */
export function formatFields(fields: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}
