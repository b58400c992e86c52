import { InProgress } from './handler-errors.ts'
import type { Inbox } from './inbox.ts'

export type OnceInMemoryOptions = {
  /** How long an id is remembered: 30 days by default. */
  readonly keepForMs?: number
  readonly now?: () => Date
}

/** An inbox for tests and trials. It forgets with the process, so that a restart lets a repeated event through again. */
export function onceInMemory({ keepForMs = 30 * 86_400_000, now = () => new Date() }: OnceInMemoryOptions = {}): Inbox {
  const processed = new Map<string, number>()
  const working = new Set<string>()

  return {
    async process({ id }, work) {
      forgetBefore(processed, now().getTime() - keepForMs)
      if (processed.has(id)) return 'duplicate'
      if (working.has(id)) throw new InProgress()
      working.add(id)
      try {
        await work(undefined)
        processed.set(id, now().getTime())
        return 'processed'
      } finally {
        working.delete(id)
      }
    },
  }
}

/** A Map keeps the order in which ids came in, so the oldest stand first. */
function forgetBefore(processed: Map<string, number>, moment: number): void {
  for (const [id, at] of processed) {
    if (at >= moment) return
    processed.delete(id)
  }
}
