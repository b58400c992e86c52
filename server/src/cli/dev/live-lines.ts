import { LEVEL, type LogLine } from '../log-lines.ts'
import type { Terminal } from '../terminal.ts'
import { clockTime, duration } from '../times.ts'

const TYPE_WIDTH = 32

/** The log line of an attempt as a line for people, or a warning as one; undefined for what is no news to them. */
export function liveLine(
  line: LogLine,
  { colors, nameOf }: { colors: Terminal['colors']; nameOf: (endpointId: string) => string },
): string | undefined {
  if (line.msg === 'delivery.attempted' || line.msg === 'delivery.dead') {
    const { mark, paint, end } = verdictOf(line, colors)
    const type = String(line.type).padEnd(TYPE_WIDTH)
    return [colors.dim(clockTime(String(line.time))), paint(mark), type, `→ ${nameOf(String(line.endpoint))}`, paint(end)].join('  ')
  }
  if (line.level < LEVEL.warn || QUIET.has(String(line.msg))) return undefined
  const { sentence, err } = line as { sentence?: string; err?: { message?: string } }
  const paint = line.level >= LEVEL.error ? colors.red : colors.yellow
  return paint(`! ${[line.msg, sentence ?? err?.message].filter(Boolean).join(': ')}`)
}

/** Said for operators; the attempt is told by its own line. */
const QUIET = new Set(['delivery.lease_lost'])

function verdictOf({ verdict, outcome, status, ms, retry_in_s, attempt }: LogLine, colors: Terminal['colors']) {
  const why = [outcome, status].filter((part) => part !== undefined && part !== null).join(' ')
  if (verdict === 'delivered')
    return { mark: '✓', paint: colors.green, end: `${status}  ${ms} ms${Number(attempt) > 1 ? `  (try ${attempt})` : ''}` }
  if (verdict === 'retry')
    return { mark: '↻', paint: colors.yellow, end: `${why}; try ${Number(attempt) + 1} in ${duration(Number(retry_in_s))}` }
  return { mark: '✗', paint: colors.red, end: `${why}; dead letter` }
}
