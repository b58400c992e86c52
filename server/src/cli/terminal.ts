import picocolors from 'picocolors'

export type Stream = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }

/** Where a command speaks: results on `out`, everything about the way there on `err`. */
export type Terminal = {
  readonly json: boolean
  /** A person looks at it: progress may be drawn. Never with --json. */
  readonly interactive: boolean
  /** How wide a line may be; unlimited where the output goes to a file or another program. */
  readonly width: number
  readonly colors: ReturnType<typeof picocolors.createColors>
  /** A line of the result. */
  out(line: string): void
  /** Objects of the result, each on a line of its own. */
  data(...values: readonly unknown[]): void
  /** A line that is no result. */
  note(line: string): void
  readonly err: Stream
}

export type TerminalOptions = {
  readonly json?: boolean | undefined
  readonly stdout?: Stream
  readonly stderr?: Stream
  readonly env?: Readonly<Record<string, string | undefined>>
}

export function createTerminal({
  json = false,
  stdout = process.stdout,
  stderr = process.stderr,
  env = process.env,
}: TerminalOptions = {}): Terminal {
  const isTerminal = stdout.isTTY === true
  return {
    json,
    interactive: stderr.isTTY === true && !json && env.TERM !== 'dumb',
    width: isTerminal ? Math.max(40, stdout.columns ?? 80) : Number.POSITIVE_INFINITY,
    colors: picocolors.createColors(isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'),
    out: (line) => void stdout.write(`${printable(line)}\n`),
    data(...values) {
      for (const value of values) stdout.write(`${JSON.stringify(value)}\n`)
    },
    note: (line) => void stderr.write(`${printable(line)}\n`),
    err: stderr,
  }
}

/** Text of others (names, answers) must not move the cursor or recolour the screen: only our own colour codes and newlines pass. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to cut.
  return text.replaceAll(/\u001b\[\d{1,2}m|[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (found) => (found.length > 1 ? found : ''))
}
