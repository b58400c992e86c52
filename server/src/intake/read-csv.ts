/** The most that one row may hold, in characters. It bounds the memory that a file of any size takes. */
export const MAX_ROW_CHARACTERS = 65_536
const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** Why a row could not be told into cells. */
export type Malformed = 'quotes' | 'too-long'

/** A row with the number of the line in the file on which it begins. */
export type CsvRow = { readonly line: number; readonly cells: readonly string[] } | { readonly line: number; readonly malformed: Malformed }

/**
 * Reads CSV (RFC 4180; UTF-8 with or without a byte order mark) as it comes in, a list of rows for each piece of it.
 *
 * A row that cannot be read costs that row alone: reading goes on at the next line. csv-parse, tried first, gives up the
 * rest of the file at an open quote or a row that is too long, and counts a CRLF inside quotes as two lines.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>, delimiter?: Delimiter): AsyncGenerator<CsvRow[]> {
  const reader = createReader(delimiter)
  // Not fatal: bytes that are not UTF-8 become U+FFFD, which makes their own row a bad one instead of ending the import.
  const decoder = new TextDecoder('utf-8')
  for await (const bytes of source) {
    const rows = reader.read(decoder.decode(bytes, { stream: true }), false)
    if (rows.length > 0) yield rows
  }
  const rows = reader.read(decoder.decode(), true)
  if (rows.length > 0) yield rows
}

function createReader(given: Delimiter | undefined) {
  let rest = ''
  let line = 1
  let delimiter: string | undefined = given
  let width: number | undefined
  let skipping = false

  /** Everything that can be told into rows; what is left waits for the next piece. */
  function read(piece: string, atEnd: boolean): CsvRow[] {
    const text = rest + piece
    const rows: CsvRow[] = []
    let at = 0
    while (at < text.length) {
      const found = text.indexOf('\n', at)
      const end = found === -1 ? text.length : found
      const whole = found !== -1 || atEnd
      if (skipping || end - at > MAX_ROW_CHARACTERS) {
        if (!skipping) rows.push({ line, malformed: 'too-long' })
        skipping = !whole
        at = end + 1
        if (whole) line++
        continue
      }
      if (!whole) break
      const taken = takeRow(text, at, end, atEnd)
      if (taken === 'wait') break
      if (taken.row) rows.push(taken.row)
      at = taken.next
      line += taken.lines
    }
    rest = text.slice(Math.min(at, text.length))
    return rows
  }

  function takeRow(text: string, at: number, end: number, atEnd: boolean): Taken | 'wait' {
    const physical = text.slice(at, text[end - 1] === '\r' && end - 1 >= at ? end - 1 : end)
    if (physical.trim() === '') return { row: undefined, next: end + 1, lines: 1 }
    delimiter ??= detectDelimiter(physical)
    if (!physical.includes('"')) {
      const cells = physical.split(delimiter)
      width ??= cells.length
      return { row: { line, cells }, next: end + 1, lines: 1 }
    }
    const parsed = parseQuoted(text, at, delimiter)
    const tooLong = text.length - at > MAX_ROW_CHARACTERS
    const unfinished = parsed === 'open' || (parsed !== 'malformed' && parsed.next >= text.length && text.at(-1) !== '\n')
    if (unfinished && !atEnd && !tooLong) return 'wait'
    const bad: Taken = { row: { line, malformed: 'quotes' }, next: end + 1, lines: 1 }
    if (parsed === 'open' || parsed === 'malformed') return bad
    // A quote that was never closed swallows lines until some other quote: then the number of cells tells it.
    if (parsed.lines > 1 && (parsed.next - at > MAX_ROW_CHARACTERS || (width !== undefined && parsed.cells.length !== width))) return bad
    width ??= parsed.cells.length
    return { row: { line, cells: parsed.cells }, next: parsed.next, lines: parsed.lines }
  }

  return { read }
}

type Taken = { readonly row: CsvRow | undefined; readonly next: number; readonly lines: number }
type Parsed = { readonly cells: string[]; readonly next: number; readonly lines: number }

/** One row that has quotes in it. `open`: the text ends inside quotes. */
function parseQuoted(text: string, start: number, delimiter: string): Parsed | 'open' | 'malformed' {
  const cells: string[] = []
  let at = start
  let lines = 1
  for (;;) {
    let cell: string
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1)
      if (close === -1) return 'open'
      cell = text.slice(at + 1, close).replaceAll('""', '"')
      lines += cell.split('\n').length - 1
      at = close + 1
    } else {
      const begin = at
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n') {
        if (text[at] === '"') return 'malformed'
        at++
      }
      cell = text.slice(begin, text[at] === '\n' && text[at - 1] === '\r' && at > begin ? at - 1 : at)
    }
    cells.push(cell)
    if (text[at] === delimiter) at++
    else if (at >= text.length) return { cells, next: at, lines }
    else if (text[at] === '\n') return { cells, next: at + 1, lines }
    else if (text[at] === '\r' && (text[at + 1] === '\n' || at + 1 >= text.length)) return { cells, next: at + 2, lines }
    else return 'malformed'
  }
}

/** The quote that ends a cell: one that is not doubled. */
function closingQuote(text: string, from: number): number {
  let at = from
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1 || text[quote + 1] !== '"') return quote
    at = quote + 2
  }
}

/** What separates the cells of the header: the candidate that stands there most often, outside quotes. */
function detectDelimiter(header: string): string {
  const bare = header.replaceAll(/"[^"]*"/g, '')
  const counted = DELIMITERS.map((delimiter) => ({ delimiter, count: bare.split(delimiter).length }))
  return counted.reduce((best, one) => (one.count > best.count ? one : best)).delimiter
}
