/** Shows the first lines of a stretch and counts the others, so that an import of thousands can still be read. */
export type Bursts = {
  add(kind: string, line: string): void
  /** Ends the stretch: says how many of each kind were not shown. */
  flush(): void
}

export function createBursts({ most, print }: { readonly most: number; readonly print: (line: string) => void }): Bursts {
  let shown = 0
  const hidden = new Map<string, number>()
  return {
    add(kind, line) {
      if (shown++ < most) print(line)
      else hidden.set(kind, (hidden.get(kind) ?? 0) + 1)
    },
    flush() {
      if (hidden.size > 0) print(`          … and ${[...hidden].map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
      hidden.clear()
      shown = 0
    },
  }
}
