import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './log.ts'

export type PollOptions = {
  /** How long to wait when there was nothing to do. Spread by ±20 % so that processes do not march in step. */
  readonly idleMs: number
  readonly signal: AbortSignal
  readonly log: Log
  readonly name: string
  /** Ends a wait early: called with the function that does so. */
  readonly onWaker?: (wake: () => void) => void
}

/** Repeats `work` until `signal` aborts: at once while it finds something to do, else after `idleMs`. An error is logged and waited out. */
export async function poll(work: () => Promise<number>, { idleMs, signal, log, name, onWaker }: PollOptions): Promise<void> {
  let waiting = new AbortController()
  onWaker?.(() => waiting.abort())
  while (!signal.aborted) {
    waiting = new AbortController()
    const done = await work().catch((error: unknown) => {
      log.error({ err: error, loop: name }, 'poll.failed')
      return 0
    })
    if (done > 0 || signal.aborted) continue
    const ends = AbortSignal.any([signal, waiting.signal])
    await sleep(idleMs * (0.8 + 0.4 * Math.random()), undefined, { signal: ends }).catch(() => {})
  }
}
