/** What a check found: one line, and how to mend it where there is something to mend. */
export type Finding = {
  readonly check: string
  readonly level: 'ok' | 'warn' | 'fail'
  readonly message: string
  readonly mend?: string
}

export function ok(check: string, message: string): Finding {
  return { check, level: 'ok', message }
}

export function warn(check: string, message: string, mend: string): Finding {
  return { check, level: 'warn', message, mend }
}

export function fail(check: string, message: string, mend: string): Finding {
  return { check, level: 'fail', message, mend }
}
