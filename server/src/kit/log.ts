import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/**
 * The one log of a process. It carries ids, counts, symbols and times; bodies and personal values never reach it. The
 * redaction below is the second line: names that could hold such a value are cut wherever they stand at the first levels.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: NEVER_LOGGED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    serializers: { err: describeError },
  }
  return destination ? pino(options, destination) : pino(options)
}

const NEVER_LOGGED = ['authorization', 'cookie', 'password', 'secret', 'body', 'payload', 'person', 'personal', 'parameters', 'key']

/** An error without what PostgreSQL or a parser may quote from the input: class, code, place. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code, constraint, table, routine } = error as Error & Record<string, unknown>
  const quotes = 'severity' in error || error instanceof SyntaxError
  return {
    type: error.name,
    code,
    constraint,
    table,
    routine,
    message: quotes ? undefined : error.message,
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
  }
}
