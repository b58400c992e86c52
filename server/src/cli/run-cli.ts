import { CommanderError } from 'commander'
import { CliError, EXIT, faultLine } from './exit.ts'
import { buildProgram } from './program.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** Runs a command and answers its exit code. Whatever went wrong is said in sentences, or as one JSON object with --json. */
export async function runCli(given: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) ends the command, and is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed))
  try {
    await buildProgram().parseAsync(given, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return report(error, createTerminal({ json: given.includes('--json') }))
  }
}

function report(error: unknown, terminal: Terminal): number {
  const known = error instanceof CliError ? error : asCliError(error)
  if (terminal.json) {
    terminal.note(JSON.stringify({ error: { message: known.message, ...known.facts } }))
  } else {
    terminal.note(known.message)
    for (const line of known.lines) terminal.note(`  ${line}`)
  }
  if (process.env.TENURE_DEBUG && error instanceof Error) terminal.note(error.stack ?? '')
  return known.exitCode
}

type ProblemLike = {
  readonly details?: { readonly errors?: readonly { readonly pointer: string; readonly message: string; readonly mend?: string }[] }
}

/** A command on the ground fails with a Problem, or with a sentence of its own. */
function asCliError(error: unknown): CliError {
  if (!(error instanceof Error)) return new CliError(EXIT.failed, String(error))
  const lines = ((error as ProblemLike).details?.errors ?? []).map(faultLine)
  const bug = error instanceof SyntaxError || error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError
  return new CliError(EXIT.failed, error.message, bug ? [...lines, 'This is a fault of Tenure: TENURE_DEBUG=1 shows where.'] : lines)
}
