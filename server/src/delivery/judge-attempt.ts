import type { SendResult } from './egress/exchange.ts'
import type { FailureSymbol } from './egress/failure.ts'
import type { DeliveryFailure } from './failures.ts'
import { nextWaitSeconds, readRetryAfter } from './retry-policy.ts'

export type Verdict = {
  readonly verdict: 'delivered' | 'retry' | 'dead'
  readonly failure: DeliveryFailure | null
  readonly waitSeconds: number
  /** The endpoint said that it is gone for good. */
  readonly disables: boolean
}

/** What an endpoint's trouble says about its capacity: these mean "fewer at a time", where a refused event does not. */
const STRUGGLING: ReadonlySet<FailureSymbol> = new Set([
  'dns_failed',
  'connect_refused',
  'connect_failed',
  'connect_timeout',
  'timeout',
  'connection_reset',
  'status_429',
  'status_5xx',
])

export function isStruggling(failure: FailureSymbol | undefined): boolean {
  return failure !== undefined && STRUGGLING.has(failure)
}

/** Decides from one result what becomes of the delivery. Only 2xx delivers; 410 ends it and the endpoint; the rest is tried again until the schedule is used up. */
export function judge(result: SendResult, failuresBefore: number, now: Date, random: () => number): Verdict {
  if (result.ok) return { verdict: 'delivered', failure: null, waitSeconds: 0, disables: false }
  const failure = result.failure ?? 'response_invalid'
  if (failure === 'status_410') return { verdict: 'dead', failure, waitSeconds: 0, disables: true }
  const retryAfterSeconds = readRetryAfter(result.headers?.['retry-after'], now)
  return { ...afterFailure(failure, failuresBefore, random, retryAfterSeconds), disables: false }
}

export function afterFailure(
  failure: DeliveryFailure,
  failuresBefore: number,
  random: () => number,
  retryAfterSeconds?: number,
): Omit<Verdict, 'disables'> {
  const waitSeconds = nextWaitSeconds({ failures: failuresBefore + 1, retryAfterSeconds, random })
  return waitSeconds === undefined ? { verdict: 'dead', failure, waitSeconds: 0 } : { verdict: 'retry', failure, waitSeconds }
}
