import type { Database } from '../database/database.ts'
import type { LeasedDelivery } from '../events/hand-over.ts'
import type { Log } from '../kit/log.ts'
import type { Vault } from '../privacy/vault.ts'
import type { Outcome } from './attempt-delivery.ts'
import type { DeliveryMetrics } from './delivery-metrics.ts'
import { disableEndpoint } from './endpoints/disable-endpoint.ts'
import { pushFollowers, type SettleOptions, settleDeliveries } from './settle-deliveries.ts'

export type WriteOptions = { readonly database: Database; readonly vault: Vault; readonly log: Log; readonly metrics: DeliveryMetrics }

/** Writes a batch of outcomes and answers the deliveries that it leased in their place. What it throws left everything as it was. */
export async function writeOutcomes(
  options: WriteOptions,
  outcomes: readonly Outcome[],
  settle: SettleOptions,
): Promise<readonly LeasedDelivery[]> {
  const { accepted, promoted } = await settleDeliveries(options.database, outcomes, settle)
  for (const outcome of outcomes) report(options, outcome, accepted.has(outcome.delivery.id))
  await followUp(
    options,
    outcomes.filter(({ delivery }) => accepted.has(delivery.id)),
  )
  return promoted
}

/** What can be made good later: a fault here must not make the outcomes, which are written, be written again. */
async function followUp({ database, vault, log }: WriteOptions, written: readonly Outcome[]): Promise<void> {
  try {
    await pushFollowers(
      database,
      written.flatMap(({ verdict, delivery }) => (verdict === 'retry' ? [delivery] : [])),
    )
    const gone = new Map(written.flatMap(({ disables, delivery }) => (disables ? [[delivery.endpointId, delivery.tenantId] as const] : [])))
    for (const [endpointId, tenantId] of gone) {
      await database.withTenant(tenantId, (tx) => disableEndpoint(tx, vault, endpointId, 'status_410'))
    }
  } catch (error) {
    log.error({ err: error }, 'delivery.follow_up_failed')
  }
}

function report({ log, metrics }: WriteOptions, { delivery, attempt, verdict, failure, waitSeconds }: Outcome, accepted: boolean): void {
  const line = {
    tenant: delivery.tenantId,
    endpoint: delivery.endpointId,
    delivery: delivery.id,
    event: delivery.eventId,
    type: delivery.eventType,
    attempt: delivery.attempts,
    verdict,
    outcome: attempt?.outcome ?? failure,
    status: attempt?.status,
    ms: attempt && Math.round(attempt.durationMs),
    ...(verdict === 'retry' ? { retry_in_s: Math.round(waitSeconds) } : {}),
  }
  if (!accepted) {
    log.warn(line, 'delivery.lease_lost')
    return
  }
  if (attempt) metrics.attempted(attempt.outcome, attempt.durationMs)
  if (verdict === 'dead') log.warn(line, 'delivery.dead')
  else if (attempt) log.info(line, 'delivery.attempted')
  else log.debug(line, 'delivery.released')
}
