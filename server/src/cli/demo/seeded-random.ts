/** The same numbers for the same seed, on every machine: what is planned with them can be planned again. */
export type SeededRandom = {
  /** At least 0, below 1. */
  readonly next: () => number
  /** A whole number of `from` to `to`, both included. */
  readonly between: (from: number, to: number) => number
  readonly pick: <Item>(items: readonly Item[]) => Item
  readonly shuffled: <Item>(items: readonly Item[]) => Item[]
}

/** A counter whose bits are mixed (the finaliser of MurmurHash3). For demonstrations, never for ids or secrets. */
export function seededRandom(seed: number): SeededRandom {
  let counter = seed >>> 0
  const next = () => {
    counter = (counter + 0x9e37_79b9) >>> 0
    let bits = counter
    bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    between,
    pick: (items) => items[between(0, items.length - 1)]!,
    shuffled(items) {
      const mixed = [...items]
      for (let at = mixed.length - 1; at > 0; at--) {
        const other = between(0, at)
        const kept = mixed[at]!
        mixed[at] = mixed[other]!
        mixed[other] = kept
      }
      return mixed
    },
  }
}
