import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../kit/log.ts'

export type SettlementQueue<Item> = {
  add(item: Item): void
  size(): number
}

export type SettlementQueueOptions<Item> = {
  /** Writes a batch. What it throws is waited out and tried again: an outcome is never dropped while we live. */
  readonly write: (items: readonly Item[]) => Promise<void>
  readonly maxBatch: number
  readonly log: Log
  /** Called when everything has been written. */
  readonly onEmpty: () => void
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000

/**
 * Writes outcomes in batches, one batch at a time: while one is under way the next one fills. Few outcomes go out at once;
 * many share a statement and a commit.
 */
export function createSettlementQueue<Item>({ write, maxBatch, log, onEmpty }: SettlementQueueOptions<Item>): SettlementQueue<Item> {
  let pending: Item[] = []
  let writing: readonly Item[] = []
  let running = false

  async function writeAll(): Promise<void> {
    let waitMs = FIRST_WAIT_MS
    // What ends in the same turn of the event loop belongs in the same batch.
    await new Promise(setImmediate)
    while (pending.length > 0) {
      writing = pending.slice(0, maxBatch)
      pending = pending.slice(maxBatch)
      try {
        await write(writing)
        waitMs = FIRST_WAIT_MS
      } catch (error) {
        log.error({ err: error, outcomes: writing.length }, 'delivery.settle_failed')
        pending = [...writing, ...pending]
        await sleep(waitMs)
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
      }
      writing = []
    }
    running = false
    onEmpty()
  }

  return {
    add(item) {
      pending.push(item)
      if (running) return
      running = true
      void writeAll()
    },
    size: () => pending.length + writing.length,
  }
}
