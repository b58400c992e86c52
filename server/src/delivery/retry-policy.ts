/** Seconds to wait after each failed attempt, as Standard Webhooks lists them: 75 hours in all. One failure more is the end. */
export const RETRY_WAITS_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const

const LONGEST_WAIT_SECONDS = 86_400
const JITTER = 0.2

export type RetryQuestion = {
  /** Failures so far, this one included. */
  readonly failures: number
  /** What the endpoint asked for, in seconds. */
  readonly retryAfterSeconds: number | undefined
  /** A number in [0, 1). */
  readonly random: () => number
}

/**
 * Seconds until the next attempt, or undefined to give up. Spread by ±20 %, so that one outage does not come back as one
 * burst. An endpoint that asks for more time gets it, up to 24 hours; asking for less changes nothing.
 */
export function nextWaitSeconds({ failures, retryAfterSeconds = 0, random }: RetryQuestion): number | undefined {
  const scheduled = RETRY_WAITS_SECONDS[failures - 1]
  if (scheduled === undefined) return undefined
  const spread = scheduled * (1 - JITTER + 2 * JITTER * random())
  return Math.max(spread, Math.min(retryAfterSeconds, LONGEST_WAIT_SECONDS))
}

/**
 * Seconds that a `Retry-After` header asks for (RFC 9110 §10.2.3: whole seconds, or an HTTP date), or undefined for
 * anything odd: a sign, a fraction, an exponent, a date in the past or in another form.
 */
export function readRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  const seconds = (Date.parse(text) - now.getTime()) / 1_000
  return seconds > 0 ? seconds : undefined
}
