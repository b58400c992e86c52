import { FAILURES, type FailureSymbol, type PublicFailure, publicFailure } from './egress/failure.ts'

/** Why a delivery is late or dead where no request failed: the rest of the one closed list. */
const OWN_FAILURES = {
  erased: 'The person was erased: the event can no longer be read, and was not sent.',
  unreadable: 'The stored event cannot be opened: it was changed, or stands in the wrong place.',
  endpoint_disabled: 'The endpoint is disabled. Activate it and redrive.',
  not_sendable: 'Tenure could not prepare the request.',
} as const

export const DELIVERY_FAILURES = { ...FAILURES, ...OWN_FAILURES } as const
export type DeliveryFailure = keyof typeof DELIVERY_FAILURES

/** What became of one attempt. */
export type AttemptOutcome = 'delivered' | FailureSymbol | 'not_sendable'

/** A failure as anybody with `deliveries:read` may see it. Which network fault it was would make a port scanner of us. */
export function shownFailure(failure: string | null): string | null {
  if (failure === null || !Object.hasOwn(FAILURES, failure)) return failure
  return publicFailure(failure as FailureSymbol) satisfies PublicFailure
}
