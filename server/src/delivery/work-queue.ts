/**
 * What waits in memory for its attempt, and how many attempts may be in flight: fair between lists (one list for each
 * endpoint), bounded for each and in total.
 *
 * A list starts slowly, gains one place with each success and loses half when its endpoint struggles. Beyond that, none may
 * hold more places than are still free for everybody: a handful of endpoints that hang cannot take them all.
 */
export type WorkQueueOptions<Item> = {
  readonly perList: number
  readonly total: number
  /** Starts one item. Its promise tells how the endpoint did and never rejects. */
  readonly start: (item: Item) => Promise<'well' | 'struggling' | 'neither'>
  /** Called after each end, so that more may be fetched. */
  readonly onPlaceFree: (list: string) => unknown
}

type List<Item> = { readonly items: Item[]; inFlight: number; allowed: number; parked: boolean }

export type WorkQueue<Item> = {
  add(list: string, item: Item): void
  /** How many more items of this list it is worth fetching, so that it never runs dry. */
  wanted(list: string): number
  /** Items of this list that wait. */
  waiting(list: string): number
  lists(): Iterable<string>
  size(): { readonly waiting: number; readonly inFlight: number }
  /** Takes out everything that waits. */
  drain(): Item[]
}

export const STARTING_PLACES = 8
/** Waiting items for each place: enough to bridge a fetch, few enough to be started while their lease is young. */
const WAITING_PER_PLACE = 8
const REMEMBERED_LISTS = 10_000

export function createWorkQueue<Item>({ perList, total, start, onPlaceFree }: WorkQueueOptions<Item>): WorkQueue<Item> {
  const lists = new Map<string, List<Item>>()
  const turn: string[] = []
  let waiting = 0
  let inFlight = 0

  function listOf(name: string): List<Item> {
    const known = lists.get(name)
    if (known) return known
    const fresh: List<Item> = { items: [], inFlight: 0, allowed: Math.min(STARTING_PLACES, perList), parked: true }
    lists.set(name, fresh)
    return fresh
  }

  /** Lets go of lists that have nothing to do, once there are many. */
  function forgetIdle(): void {
    if (lists.size <= REMEMBERED_LISTS) return
    for (const [name, list] of lists) if (list.inFlight === 0 && list.items.length === 0) lists.delete(name)
  }

  function unpark(name: string, list: List<Item>): void {
    if (!list.parked || list.items.length === 0) return
    list.parked = false
    turn.push(name)
  }

  function run(name: string, list: List<Item>, item: Item): void {
    waiting--
    inFlight++
    list.inFlight++
    void start(item).then((went) => {
      inFlight--
      list.inFlight--
      if (went === 'well') list.allowed = Math.min(perList, list.allowed + 1)
      if (went === 'struggling') list.allowed = Math.max(1, Math.floor(list.allowed / 2))
      unpark(name, list)
      pump()
      onPlaceFree(name)
      forgetIdle()
    })
  }

  function pump(): void {
    while (inFlight < total && turn.length > 0) {
      const name = turn.shift()!
      const list = listOf(name)
      if (list.items.length === 0 || list.inFlight >= Math.min(list.allowed, total - inFlight)) {
        list.parked = true
        continue
      }
      const item = list.items.shift()!
      if (list.items.length > 0) turn.push(name)
      else list.parked = true
      run(name, list, item)
    }
  }

  return {
    add(name, item) {
      const list = listOf(name)
      list.items.push(item)
      waiting++
      unpark(name, list)
      pump()
    },
    wanted(name) {
      const list = lists.get(name)
      if (!list) return Math.min(STARTING_PLACES, perList) * WAITING_PER_PLACE
      return Math.max(0, list.allowed * WAITING_PER_PLACE - list.inFlight - list.items.length)
    },
    waiting: (name) => lists.get(name)?.items.length ?? 0,
    lists: () => lists.keys(),
    size: () => ({ waiting, inFlight }),
    drain() {
      const drained: Item[] = []
      for (const list of lists.values()) drained.push(...list.items.splice(0))
      waiting = 0
      return drained
    },
  }
}
