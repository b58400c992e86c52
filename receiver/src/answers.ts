/** What goes back to the sender. Any status but 2xx makes it try again; 410 makes it stop. */
export type WebhookAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function accepted(outcome: Readonly<Record<string, boolean>>): WebhookAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(outcome) }
}

/** An RFC 9457 problem. `code` is a symbol to count by, `detail` a sentence for the person who reads the sender's log. */
export function problem(
  status: number,
  code: string,
  title: string,
  detail?: string,
  headers: Readonly<Record<string, string>> = {},
): WebhookAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ title, status, code, ...(detail === undefined ? {} : { detail }) }),
  }
}

export function methodNotAllowed(): WebhookAnswer {
  return problem(405, 'method_not_allowed', 'Webhooks arrive by POST.', undefined, { allow: 'POST' })
}

export function bodyTooLarge(limit: number): WebhookAnswer {
  return problem(413, 'body_too_large', 'The body is too large.', `This receiver takes up to ${limit} bytes.`)
}

/** A mistake in how the receiver is mounted: 500, so that the sender keeps trying until it is mended. */
export function bodyParsedBefore(): WebhookAnswer {
  return problem(500, 'body_not_raw', 'The receiver is mounted in the wrong place.', PARSED_BEFORE)
}

export const PARSED_BEFORE =
  'The body was parsed before verifying: mount the receiver before express.json() and whatever else reads the body, so that it gets the raw bytes.'
