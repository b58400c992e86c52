/** How the command line tells a script what happened. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notAllowed: 3, notFound: 4, timedOut: 5 } as const

type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends the command with a sentence for people, how to mend it, and a code for scripts. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly lines: readonly string[]
  /** What a script may want to know beyond the sentence. */
  readonly facts: Readonly<Record<string, unknown>>

  constructor(exitCode: ExitCode, message: string, lines: readonly string[] = [], facts: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.exitCode = exitCode
    this.lines = lines
    this.facts = facts
  }
}

type FaultLike = { readonly pointer?: string; readonly message: string; readonly mend?: string }

/** A fault of a problem as one line: where, what, and how to mend it. */
export function faultLine({ pointer = '', message, mend }: FaultLike): string {
  const what = `${pointer} ${message}`.trim()
  return mend ? `${what.replace(/\.$/, '')}. ${mend}` : what
}
