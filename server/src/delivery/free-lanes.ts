import type { Database } from '../database/database.ts'
import { freeLanes } from '../events/fan-out.ts'
import type { Lane } from '../events/hand-over.ts'
import type { Log } from '../kit/log.ts'

export type LaneLooks = {
  /** Looks at these lanes once more, after now. */
  add(lanes: readonly Lane[]): void
  isBusy(): boolean
}

export type LaneLooksOptions = {
  readonly database: Database
  readonly log: Log
  /** Something became due. */
  readonly onFreed: () => void
  /** There is nothing left to look at. */
  readonly onEmpty: () => void
}

/**
 * Looks at lanes one batch at a time: while one look is under way the next one fills, so that a burst of changes asks the
 * database once. Nothing depends on it but time: a delivery that is missed here becomes due by itself.
 */
export function createLaneLooks({ database, log, onFreed, onEmpty }: LaneLooksOptions): LaneLooks {
  let waiting = new Map<string, Lane>()
  let running = false

  async function lookAtAll(): Promise<void> {
    while (waiting.size > 0) {
      const lanes = [...waiting.values()]
      waiting = new Map()
      try {
        if (await freeLanes(database, lanes)) onFreed()
      } catch (error) {
        log.warn({ err: error, lanes: lanes.length }, 'delivery.lanes_not_freed')
      }
    }
    running = false
    onEmpty()
  }

  return {
    add(lanes) {
      for (const lane of lanes) waiting.set(nameOfLane(lane), lane)
      if (running || waiting.size === 0) return
      running = true
      void lookAtAll()
    },
    isBusy: () => running,
  }
}

export const nameOfLane = ({ tenantId, endpointId, orderKey }: Lane) => `${tenantId}/${endpointId}/${orderKey}`
