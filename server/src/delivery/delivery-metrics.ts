import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { AttemptOutcome } from './failures.ts'

/** What the dispatcher counts. Kept this narrow so that any metrics library fits behind it. */
export type DeliveryMetrics = {
  attempted(outcome: AttemptOutcome, durationMs: number): void
  /** Deliveries that are due and not taken by anybody, and for how long the oldest has been. */
  backlog(state: { readonly due: number; readonly oldestDueSeconds: number }): void
}

export const NO_METRICS: DeliveryMetrics = { attempted: () => {}, backlog: () => {} }

/** The same as Prometheus series. Labels are symbols of a closed list, never ids. */
export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const registers = [registry]
  const attempts = new Counter({ name: 'tenure_delivery_attempts_total', help: 'Attempts by outcome.', labelNames: ['outcome'], registers })
  const duration = new Histogram({
    name: 'tenure_delivery_attempt_seconds',
    help: 'How long an attempt took, from the call to the last byte of the answer.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers,
  })
  const due = new Gauge({
    name: 'tenure_deliveries_due',
    help: 'Deliveries that are due and not taken (up to 10,000 of each endpoint).',
    registers,
  })
  const oldest = new Gauge({
    name: 'tenure_delivery_oldest_due_seconds',
    help: 'For how long the oldest due delivery has been due.',
    registers,
  })
  return {
    attempted(outcome, durationMs) {
      attempts.inc({ outcome })
      duration.observe(durationMs / 1_000)
    },
    backlog(state) {
      due.set(state.due)
      oldest.set(state.oldestDueSeconds)
    },
  }
}
