/** How many requests somebody may make: `perSecond` for ever, and up to `burst` at once after a pause. */
export type Rate = { readonly perSecond: number; readonly burst: number }

export type Allowance = { readonly allowed: boolean; readonly remaining: number; readonly waitSeconds: number }

const MAX_BUCKETS = 20_000

/**
 * A bucket of tokens for each name. A window of fixed length would let twice its number through around its edge. The
 * buckets are those of one process; the least used are forgotten first, which can only let somebody through.
 */
export function createTokenBuckets({ perSecond, burst }: Rate, nowMs: () => number = () => performance.now()) {
  const buckets = new Map<string, { tokens: number; at: number }>()

  function refill(name: string): { tokens: number; at: number } {
    const at = nowMs()
    const bucket = buckets.get(name)
    if (!bucket) return { tokens: burst, at }
    return { tokens: Math.min(burst, bucket.tokens + ((at - bucket.at) / 1_000) * perSecond), at }
  }

  const allowance = (tokens: number): Allowance => ({
    allowed: tokens >= 1,
    remaining: Math.max(0, Math.floor(tokens)),
    waitSeconds: tokens >= 1 ? 0 : (1 - tokens) / perSecond,
  })

  return {
    /** Whether a request would be let through now. */
    look: (name: string): Allowance => allowance(refill(name).tokens),
    /** Takes a token where there is one; `remaining` is what is left then. */
    take(name: string): Allowance {
      const { tokens, at } = refill(name)
      const answer = allowance(tokens)
      buckets.delete(name)
      buckets.set(name, { tokens: answer.allowed ? tokens - 1 : tokens, at })
      const oldest = buckets.keys().next()
      if (buckets.size > MAX_BUCKETS && !oldest.done) buckets.delete(oldest.value)
      return answer.allowed ? { ...answer, remaining: Math.floor(tokens - 1) } : answer
    },
  }
}
