/** Ends the wait of a poll loop: once for each look, however often it is asked. */
export type Waker = {
  wake(): void
  /** A look begins: what is asked from now on means the next one. */
  looking(): void
  /** For the poll loop: takes the function that ends its wait. */
  attach(end: () => void): void
}

export function createWaker(): Waker {
  let end = () => {}
  let asked = false
  return {
    wake() {
      if (asked) return
      asked = true
      end()
    },
    looking() {
      asked = false
    },
    attach(given) {
      end = given
    },
  }
}
