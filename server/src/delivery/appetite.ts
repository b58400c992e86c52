import type { LeasedDelivery } from '../events/hand-over.ts'
import type { FreeSlots } from './claim-deliveries.ts'
import type { WorkQueue } from './work-queue.ts'

/** What one process asks a claim for, and whether an endpoint is worth another look. */
export type Appetite = {
  /** Free slots of the endpoints that the queue knows. */
  ask(): FreeSlots[]
  /** Notes what a claim brought: an endpoint that filled its slots may have more. */
  served(asked: readonly FreeSlots[], leased: readonly LeasedDelivery[]): void
  wantsMore(list: string): boolean
}

export const listOf = ({ tenantId, endpointId }: Pick<LeasedDelivery, 'tenantId' | 'endpointId'>) => `${tenantId}/${endpointId}`

/** Few and large claims: an endpoint is asked for again when half of what may wait for it has gone. */
export function createAppetite(queue: Pick<WorkQueue<never>, 'lists' | 'wanted' | 'waiting'>): Appetite {
  const mayHaveMore = new Set<string>()
  const isHalfEmpty = (list: string) => queue.wanted(list) > queue.waiting(list)
  return {
    ask: () => Array.from(queue.lists(), (list) => ({ ...idsOf(list), free: isHalfEmpty(list) ? queue.wanted(list) : 0 })),
    served(asked, leased) {
      const brought = Map.groupBy(leased, listOf)
      for (const slots of asked) {
        if (slots.free > (brought.get(listOf(slots))?.length ?? 0)) mayHaveMore.delete(listOf(slots))
      }
      for (const list of brought.keys()) mayHaveMore.add(list)
    },
    wantsMore: (list) => mayHaveMore.has(list) && isHalfEmpty(list),
  }
}

function idsOf(list: string): { tenantId: string; endpointId: string } {
  const [tenantId = '', endpointId = ''] = list.split('/')
  return { tenantId, endpointId }
}
