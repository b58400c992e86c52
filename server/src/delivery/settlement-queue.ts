import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../kit/log.ts'
import { Problem } from '../kit/problem.ts'

export type SettlementQueue<Item> = {
  add(item: Item): void
  size(): number
  /** Lets go of what could not be written so far. */
  abandon(): void
}

export type SettlementQueueOptions<Item> = {
  /** Writes a batch. What it throws is waited out and tried again. */
  readonly write: (items: readonly Item[]) => Promise<void>
  readonly maxBatch: number
  readonly log: Log
  /** Called when everything has been written. */
  readonly onEmpty: () => void
  readonly firstWaitMs?: number
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000
const TRIES_ALONE = 5

/**
 * Writes outcomes in batches, one batch at a time: while one is under way the next one fills. Few outcomes go out at once;
 * many share a statement and a commit.
 *
 * A batch that cannot be written is tried again in halves, so that one outcome that the database will not take cannot hold
 * up those of everybody else. Such a one is let go of, alone, after some tries: its lease ends, and it counts as interrupted.
 */
export function createSettlementQueue<Item>(options: SettlementQueueOptions<Item>): SettlementQueue<Item> {
  const { write, maxBatch, log, onEmpty, firstWaitMs = FIRST_WAIT_MS } = options
  let pending: Item[] = []
  let writing: readonly Item[] = []
  let running = false
  let abandoned = false
  let batch = maxBatch
  let waitMs = firstWaitMs
  let failedAlone = 0

  function afterFailure(error: unknown): void {
    log.error({ err: error, outcomes: writing.length }, 'delivery.settle_failed')
    batch = Math.ceil(writing.length / 2)
    // A database that is gone says nothing about an outcome.
    failedAlone = writing.length > 1 || error instanceof Problem ? 0 : failedAlone + 1
    if (failedAlone < TRIES_ALONE) {
      pending = [...writing, ...pending]
    } else {
      failedAlone = 0
      log.error({ err: error }, 'delivery.outcome_dropped')
    }
    writing = []
  }

  async function writeAll(): Promise<void> {
    // What ends in the same turn of the event loop belongs in the same batch.
    await new Promise(setImmediate)
    while (pending.length > 0 && !abandoned) {
      writing = pending.slice(0, batch)
      pending = pending.slice(batch)
      try {
        await write(writing)
        batch = Math.min(maxBatch, batch * 2)
        waitMs = firstWaitMs
        failedAlone = 0
        writing = []
      } catch (error) {
        afterFailure(error)
        await sleep(waitMs)
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
      }
    }
    running = false
    onEmpty()
  }

  return {
    add(item) {
      if (abandoned) return
      pending.push(item)
      if (running) return
      running = true
      void writeAll()
    },
    size: () => pending.length + writing.length,
    abandon() {
      abandoned = true
      pending = []
    },
  }
}
