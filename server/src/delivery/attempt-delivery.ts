import type { LeasedDelivery, ReadyDelivery } from '../events/hand-over.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { Problem } from '../kit/problem.ts'
import { seal } from '../privacy/sealed-value.ts'
import type { SendResult } from './egress/exchange.ts'
import type { Egress } from './egress/send.ts'
import type { EndpointViews } from './endpoints/endpoint-view.ts'
import { exchangePlace, recordExchange } from './exchange-record.ts'
import { afterFailure, isStruggling, judge, type Verdict } from './judge-attempt.ts'
import type { Settlement } from './settle-deliveries.ts'
import { type SignedRequest, signRequest } from './sign-request.ts'

/** How a lease ended in this process, before it is written down. */
export type Outcome = Settlement & { readonly disables: boolean; readonly struggling: boolean }

export type AttemptOptions = {
  readonly views: EndpointViews
  readonly egress: Pick<Egress, 'send'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/**
 * Makes one attempt. It never rejects: whatever happens becomes an outcome. `isTooLate` is asked right before sending, since
 * the wait for a connection to the database may have used up the lease.
 */
export async function attemptDelivery(options: AttemptOptions, delivery: ReadyDelivery, isTooLate: () => boolean): Promise<Outcome> {
  const { views, egress, clock, random, log } = options
  const startedAt = clock()
  try {
    const endpoint = await views.get(delivery.tenantId, delivery.endpointId)
    if (endpoint.state === 'paused') return release(delivery, 0)
    if (endpoint.state === 'disabled') return bury(delivery, 'endpoint_disabled')
    if (isTooLate()) return release(delivery, 0)
    const request = signRequest(delivery, endpoint, startedAt)
    const pool = `${delivery.tenantId}/${delivery.endpointId}`
    const result = await egress.send({ url: endpoint.url, method: 'POST', headers: request.headers, body: request.body, pool })
    return outcomeOf(delivery, startedAt, request, result, judge(result, delivery.failures, clock(), random))
  } catch (error) {
    // The database is gone for a moment: that says nothing about this delivery.
    if (error instanceof Problem) return release(delivery, 1)
    log.error({ err: error, tenant: delivery.tenantId, delivery: delivery.id }, 'delivery.not_sendable')
    return unsendable(delivery, startedAt, random)
  }
}

/** Gives a lease back: nothing was sent. */
export function release(delivery: LeasedDelivery, waitSeconds: number): Outcome {
  return { ...UNATTEMPTED, delivery, verdict: 'released', waitSeconds }
}

/** Ends a delivery for which no request can be made any more. */
export function bury(delivery: LeasedDelivery, failure: NonNullable<Settlement['failure']>): Outcome {
  return { ...UNATTEMPTED, delivery, verdict: 'dead', failure, waitSeconds: 0 }
}

const UNATTEMPTED = { failure: null, attempt: null, disables: false, struggling: false } as const

function unsendable(delivery: ReadyDelivery, startedAt: Date, random: () => number): Outcome {
  const attempt = { startedAt, durationMs: 0, outcome: 'not_sendable', status: null, personId: delivery.personId, exchange: null } as const
  return { ...UNATTEMPTED, ...afterFailure('not_sendable', delivery.failures, random), delivery, attempt }
}

function outcomeOf(delivery: ReadyDelivery, startedAt: Date, request: SignedRequest, result: SendResult, verdict: Verdict): Outcome {
  const { tenantId, id, attempts, key, personId } = delivery
  return {
    ...verdict,
    delivery: leaseOf(delivery),
    struggling: isStruggling(result.failure),
    attempt: {
      startedAt,
      durationMs: result.durationMs,
      outcome: result.ok ? 'delivered' : (result.failure ?? 'response_invalid'),
      status: result.status ?? null,
      personId,
      // Under the key of the event's person, so that erasing the person erases this too.
      exchange: seal(key, exchangePlace(tenantId, id, attempts), JSON.stringify(recordExchange(request, result))),
    },
  }
}

/** What settling needs. The event in clear is let go of here, not when the outcome has been written. */
function leaseOf({ event: _event, key: _key, personId: _personId, ...lease }: ReadyDelivery): LeasedDelivery {
  return lease
}
