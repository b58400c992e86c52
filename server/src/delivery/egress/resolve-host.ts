import { lookup } from 'node:dns/promises'

export type Answer = { readonly address: string; readonly family: number }

/** All addresses of a name, in the order in which they should be tried. */
export type Resolver = (host: string) => Promise<readonly Answer[]>

/**
 * The system's own resolver (hosts file, search domains). Look-ups of one name that overlap are one look-up: a pool that
 * opens many connections at once must not fill the few threads that getaddrinfo runs on. Nothing is remembered afterwards.
 */
export function createSystemResolver(): Resolver {
  const underway = new Map<string, Promise<readonly Answer[]>>()
  return (host) => {
    let answers = underway.get(host)
    if (!answers) {
      answers = lookup(host, { all: true, order: 'verbatim' }).finally(() => underway.delete(host))
      underway.set(host, answers)
    }
    return answers
  }
}
