/** Something that must end at its time. */
export type Deadlined = { readonly endsAt: number; expire(): void }

export type Deadlines = { add(item: Deadlined): void; remove(item: Deadlined): void }

/**
 * One timer for all requests in the air. All last equally long, so the order of arrival is the order of expiry and only the
 * oldest needs watching; a timer or an AbortSignal for each would cost more than the rest of the bookkeeping.
 */
export function createDeadlines(timeoutMs: number): Deadlines {
  const waiting = new Set<Deadlined>()
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    timer = undefined
    const now = performance.now()
    for (const item of waiting) {
      if (item.endsAt > now) {
        arm(item.endsAt - now)
        return
      }
      waiting.delete(item)
      item.expire()
    }
  }

  function arm(ms: number): void {
    // Timers have whole milliseconds; rounding up keeps a tick from coming just before its time.
    timer ??= setTimeout(tick, Math.ceil(ms))
    timer.ref()
  }

  return {
    add(item) {
      waiting.add(item)
      if (waiting.size === 1 || !timer) arm(timeoutMs)
    },
    remove(item) {
      // The timer stays armed for whoever comes next, but does not keep an idle process alive.
      if (waiting.delete(item) && waiting.size === 0) timer?.unref()
    },
  }
}
