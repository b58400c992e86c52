import type { AttemptOutcome } from './failures.ts'

/** What the dispatcher counts. Kept this narrow so that any metrics library fits behind it. */
export type DeliveryMetrics = {
  attempted(outcome: AttemptOutcome, durationMs: number): void
  /** Deliveries that are due and not taken by anybody, and for how long the oldest has been. */
  backlog(state: { readonly due: number; readonly oldestDueSeconds: number }): void
}

export const NO_METRICS: DeliveryMetrics = { attempted: () => {}, backlog: () => {} }
