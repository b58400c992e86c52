import { setTimeout as sleep } from 'node:timers/promises'

/** A generator of repeatable chance (mulberry32): the seed is reported, so that a run can be looked at again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Victim = { kill(): Promise<void>; start(): Promise<void> }

export type Nemesis = { readonly kills: () => number; stop(): Promise<void> }

/** Kills a process with -9 at random moments, `times` in all, and starts it again each time. */
export function torment(
  victim: Victim,
  { times, chance, meanMs, name }: { times: number; chance: () => number; meanMs: number; name: string },
): Nemesis {
  let stopped = false
  let done = 0
  const work = (async () => {
    while (!stopped && done < times) {
      await sleep(meanMs * (0.2 + 1.6 * chance()))
      if (stopped) return
      await victim.kill()
      done++
      process.stderr.write(`killed ${name} (${done}/${times})\n`)
      await victim.start()
    }
  })()
  return {
    kills: () => done,
    async stop() {
      stopped = true
      await work
    },
  }
}
