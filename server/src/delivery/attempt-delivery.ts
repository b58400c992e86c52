import type { LeasedDelivery, ReadyDelivery } from '../events/hand-over.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { Problem } from '../kit/problem.ts'
import type { DataKey } from '../privacy/sealed-value.ts'
import type { SendResult } from './egress/exchange.ts'
import type { Egress } from './egress/send.ts'
import type { EndpointView, EndpointViews } from './endpoints/endpoint-view.ts'
import { type ExchangeRecord, recordExchange } from './exchange-record.ts'
import { afterFailure, isStruggling, judge, type Verdict } from './judge-attempt.ts'
import type { Attempt, Settlement } from './settle-deliveries.ts'
import { type SignedRequest, signRequest } from './sign-request.ts'

/** What can be sent. The key that opened the event comes with it, unless the delivery was handed over. */
export type Sendable = ReadyDelivery & { readonly key?: DataKey }

/** How a lease ended in this process, before it is written down. */
export type Outcome = Omit<Settlement, 'attempt'> & {
  readonly attempt: Omit<Attempt, 'exchange'> | null
  readonly exchange: ExchangeRecord | null
  /** The key that seals the exchange, where reading the event has found it already. */
  readonly key: DataKey | undefined
  readonly disables: boolean
  readonly struggling: boolean
}

export type AttemptOptions = {
  readonly views: EndpointViews
  readonly egress: Pick<Egress, 'send'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/** Makes one attempt. It never rejects: whatever happens becomes an outcome. */
export async function attemptDelivery({ views, egress, clock, random, log }: AttemptOptions, delivery: Sendable): Promise<Outcome> {
  const startedAt = clock()
  let request: SignedRequest
  let endpoint: EndpointView
  try {
    endpoint = await views.get(delivery.tenantId, delivery.endpointId)
    if (endpoint.state === 'paused') return release(delivery, 0)
    if (endpoint.state === 'disabled') return bury(delivery, 'endpoint_disabled')
    request = signRequest(delivery, endpoint, startedAt)
  } catch (error) {
    // The database is gone for a moment: that says nothing about this delivery.
    if (error instanceof Problem) return release(delivery, 1)
    log.error({ err: error, tenant: delivery.tenantId, delivery: delivery.id }, 'delivery.not_sendable')
    return unsendable(delivery, startedAt, random)
  }
  const pool = `${delivery.tenantId}/${delivery.endpointId}`
  const result = await egress.send({ url: endpoint.url, method: 'POST', headers: request.headers, body: request.body, pool })
  return outcomeOf(delivery, startedAt, request, result, judge(result, delivery.failures, clock(), random))
}

/** Gives a lease back: nothing was sent. */
export function release(delivery: LeasedDelivery, waitSeconds: number): Outcome {
  return { ...UNATTEMPTED, delivery, verdict: 'released', waitSeconds }
}

/** Ends a delivery for which no request can be made any more. */
export function bury(delivery: LeasedDelivery, failure: NonNullable<Settlement['failure']>): Outcome {
  return { ...UNATTEMPTED, delivery, verdict: 'dead', failure, waitSeconds: 0 }
}

const UNATTEMPTED = { failure: null, attempt: null, exchange: null, key: undefined, disables: false, struggling: false } as const

function unsendable(delivery: ReadyDelivery, startedAt: Date, random: () => number): Outcome {
  const attempt = { startedAt, durationMs: 0, outcome: 'not_sendable', status: null, personId: delivery.personId } as const
  return { ...UNATTEMPTED, ...afterFailure('not_sendable', delivery.failures, random), delivery, attempt }
}

function outcomeOf(delivery: Sendable, startedAt: Date, request: SignedRequest, result: SendResult, verdict: Verdict): Outcome {
  return {
    ...verdict,
    delivery,
    key: delivery.key,
    struggling: isStruggling(result.failure),
    attempt: {
      startedAt,
      durationMs: result.durationMs,
      outcome: result.ok ? 'delivered' : (result.failure ?? 'response_invalid'),
      status: result.status ?? null,
      personId: delivery.personId,
    },
    exchange: recordExchange(request, result),
  }
}
