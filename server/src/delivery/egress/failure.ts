/** Why an attempt failed: one closed list for log, API and screen. The key is the symbol, the text says it in a sentence. */
export const FAILURES = {
  url_refused: 'The URL is not allowed by the egress rules.',
  request_invalid: 'A header of the endpoint cannot be sent.',
  dns_failed: 'The host name could not be resolved.',
  blocked_address: 'The host name leads to an address that is not allowed.',
  connect_refused: 'The host refused the connection.',
  connect_failed: 'The host could not be reached.',
  connect_timeout: 'No connection came about in time.',
  tls_failed: 'The TLS handshake or the certificate failed.',
  timeout: 'No answer came in time.',
  connection_reset: 'The connection ended before an answer came.',
  response_invalid: 'The answer is not HTTP/1.1.',
  headers_too_large: 'The head of the answer is too large.',
  redirect_refused: 'The endpoint answered with a redirect; redirects are not followed.',
  status_4xx: 'The endpoint refused the event (4xx).',
  status_410: 'The endpoint is gone (410).',
  status_429: 'The endpoint asked for fewer requests (429).',
  status_5xx: 'The endpoint failed (5xx).',
  interrupted: 'Tenure stopped during the attempt.',
} as const

export type FailureSymbol = keyof typeof FAILURES

/** What a caller without the scope for network detail is told. Telling these apart would make a port scanner of the API. */
export type PublicFailure = Exclude<FailureSymbol, NetworkFailure> | 'unreachable'

type NetworkFailure = 'dns_failed' | 'blocked_address' | 'connect_refused' | 'connect_failed' | 'connect_timeout'

const NETWORK_FAILURES: ReadonlySet<FailureSymbol> = new Set([
  'dns_failed',
  'blocked_address',
  'connect_refused',
  'connect_failed',
  'connect_timeout',
] satisfies NetworkFailure[])

/** A failure as it may be shown to anybody who may see the endpoint. */
export function publicFailure(failure: FailureSymbol): PublicFailure {
  return isNetworkFailure(failure) ? 'unreachable' : failure
}

function isNetworkFailure(failure: FailureSymbol): failure is NetworkFailure {
  return NETWORK_FAILURES.has(failure)
}

/** An error of ours that already knows its symbol. */
export class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly code = 'EGRESS'
  readonly failure: FailureSymbol

  constructor(failure: FailureSymbol, cause?: unknown) {
    super(FAILURES[failure], { cause })
    this.failure = failure
  }
}

/** The failure that an answered status means, or undefined for success. Only 2xx is success. */
export function failureOfStatus(status: number): FailureSymbol | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 410) return 'status_410'
  if (status === 429) return 'status_429'
  if (status >= 300 && status < 400) return 'redirect_refused'
  if (status >= 400 && status < 500) return 'status_4xx'
  if (status >= 500 && status < 600) return 'status_5xx'
  return 'response_invalid'
}

/** The failure that an error of the connection or the parser means. */
export function failureOfError(error: unknown): FailureSymbol {
  if (error instanceof EgressError) return error.failure
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'headers_too_large'
  // The parser's errors have no code when their number is newer than undici's table of them.
  if ((error instanceof Error && error.name === 'HTTPParserError') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return 'response_invalid'
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'request_invalid'
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') return 'interrupted'
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls_failed'
  // undici words an interim or upgrading answer that it did not ask for like a broken socket.
  const message = error instanceof Error ? error.message : ''
  return message === 'bad response' || message === 'bad upgrade' ? 'response_invalid' : 'connection_reset'
}

/** The failure of an attempt to open a TCP connection. */
export function failureOfConnect(error: unknown): FailureSymbol {
  if (error instanceof EgressError) return error.failure
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'ECONNREFUSED') return 'connect_refused'
  return code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_failed'
}
