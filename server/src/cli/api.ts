import { randomUUID } from 'node:crypto'
import { CliError, EXIT, faultLine } from './exit.ts'
import type { Profile } from './profile.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>
export type Page<Item> = { readonly data: readonly Item[]; readonly next_cursor: string | null }

export type SendOptions = {
  readonly query?: Query
  readonly body?: unknown
  /** A body that is sent as it comes, with its type. */
  readonly stream?: { readonly bytes: ReadableStream<Uint8Array>; readonly type: string }
  readonly headers?: Readonly<Record<string, string>>
  /** Left out: 30 s. A streamed body takes as long as it takes. */
  readonly timeoutMs?: number
}

/** The public API, as the commands use it. What it refuses becomes a CliError with sentence, request id and exit code. */
export type Api = {
  readonly url: string
  send<Answer>(method: string, path: string, options?: SendOptions): Promise<Answer>
  get<Answer>(path: string, query?: Query): Promise<Answer>
  post<Answer>(path: string, body?: unknown): Promise<Answer>
  /** All items of a list, page by page, at most `limit`. */
  list<Item>(path: string, query?: Query, limit?: number): AsyncGenerator<Item>
}

const TIMEOUT_MS = 30_000
const PAGE = 200

export function connectApi({ url, key }: Profile): Api {
  const send = <Answer>(method: string, path: string, options: SendOptions = {}) => request<Answer>(url, key, method, path, options)
  return {
    url,
    send,
    get: (path, query) => send('GET', path, query ? { query } : {}),
    post: (path, body) => send('POST', path, { body, headers: { 'idempotency-key': randomUUID() } }),
    async *list<Item>(path: string, query: Query = {}, limit = Number.POSITIVE_INFINITY) {
      let left = limit
      let cursor: string | undefined
      do {
        const page: Page<Item> = await send('GET', path, { query: { ...query, limit: Math.min(PAGE, left), cursor } })
        yield* page.data
        left -= page.data.length
        cursor = page.next_cursor ?? undefined
      } while (cursor && left > 0)
    },
  }
}

async function request<Answer>(url: string, key: string, method: string, path: string, options: SendOptions): Promise<Answer> {
  const { query = {}, body, stream, headers = {}, timeoutMs = stream ? undefined : TIMEOUT_MS } = options
  const target = new URL(url + path)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, String(value))
  const type = stream?.type ?? (body === undefined ? undefined : 'application/json')
  try {
    const response = await fetch(target, {
      method,
      // A redirect would carry the key to a host that nobody named.
      redirect: 'error',
      headers: { authorization: `Bearer ${key}`, accept: 'application/json', ...(type ? { 'content-type': type } : {}), ...headers },
      ...(timeoutMs ? { signal: AbortSignal.timeout(timeoutMs) } : {}),
      ...(stream ? { body: stream.bytes, duplex: 'half' } : body === undefined ? {} : { body: JSON.stringify(body) }),
    } as RequestInit)
    const text = await response.text()
    if (!response.ok) throw refusal(response.status, text)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  } catch (error) {
    throw error instanceof CliError ? error : unanswered(url, error)
  }
}

function unanswered(url: string, error: unknown): CliError {
  if (error instanceof Error && error.name === 'TimeoutError') return new CliError(EXIT.timedOut, `${url} did not answer in time.`)
  const code = (error as { cause?: { code?: string } } | null)?.cause?.code
  if (code === 'ECONNREFUSED') {
    return new CliError(EXIT.failed, `Nothing answers at ${url}.`, [
      'Start the server (`npm start`, or `tenure start`), or name another with --url.',
    ])
  }
  return new CliError(EXIT.failed, `The request to ${url} failed${code ? ` (${code})` : ''}.`, [
    'Run `tenure doctor` to see what is wrong.',
  ])
}

type ProblemAnswer = {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly instance?: string
  readonly errors?: readonly { readonly pointer?: string; readonly message: string; readonly mend?: string }[]
}

/** A refusal in sentences: what, where, how to mend it, and the id under which the log speaks of it. */
function refusal(status: number, text: string): CliError {
  const problem = parseProblem(text)
  const message = [problem.title ?? `The API answered ${status}.`, problem.detail].filter(Boolean).join(' ')
  const lines = (problem.errors ?? []).map(faultLine)
  if (problem.code || problem.instance) {
    lines.push(
      [problem.code && `docs/errors/${problem.code}.md`, problem.instance && `request ${problem.instance}`].filter(Boolean).join(', '),
    )
  }
  return new CliError(exitCodeOf(status), message, lines, { status, code: problem.code, request: problem.instance, errors: problem.errors })
}

function parseProblem(text: string): ProblemAnswer {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as ProblemAnswer) : {}
  } catch {
    return {}
  }
}

function exitCodeOf(status: number) {
  if (status === 401 || status === 403) return EXIT.notAllowed
  if (status === 404) return EXIT.notFound
  return status === 408 || status === 504 ? EXIT.timedOut : EXIT.failed
}
