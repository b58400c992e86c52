/** One fault in what was sent: where it is, what is wrong, how to mend it. Never the value itself. */
export type Fault = { readonly pointer: string; readonly message: string; readonly mend?: string }

export type ProblemDetails = {
  readonly detail?: string
  readonly errors?: readonly Fault[]
  /** Seconds after which the caller may try again. */
  readonly retryAfterSeconds?: number
  /** Ids of the things that the problem speaks of. Never a personal value: they reach answers and logs. */
  readonly ids?: Readonly<Record<string, string>>
}

/** Something that the caller may know (RFC 9457). Whatever else is thrown is a bug and answered with 500. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly details: ProblemDetails

  constructor(code: string, status: number, title: string, details: ProblemDetails = {}) {
    super(details.detail ?? title)
    this.code = code
    this.status = status
    this.title = title
    this.details = details
  }
}

export type ProblemKind = {
  (details?: ProblemDetails): Problem
  readonly code: string
  readonly status: number
  readonly title: string
}

const kinds = new Map<string, ProblemKind>()

/** Declares a kind of problem. Its code is the name of a page in docs/errors/. */
export function defineProblem(code: string, status: number, title: string): ProblemKind {
  if (kinds.has(code)) throw new Error(`The problem '${code}' is declared twice.`)
  const kind = Object.assign((details?: ProblemDetails) => new Problem(code, status, title, details), { code, status, title })
  kinds.set(code, kind)
  return kind
}

/** Every kind declared by the modules loaded so far, for the documents and the test that each has its page. */
export function problemKinds(): readonly ProblemKind[] {
  return [...kinds.values()]
}
