import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import type { HandOver, LeasedDelivery, ReadyDelivery } from '../events/hand-over.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { poll } from '../kit/poll.ts'
import type { Vault } from '../privacy/vault.ts'
import { createAppetite, listOf } from './appetite.ts'
import { attemptDelivery, bury, type Outcome, release } from './attempt-delivery.ts'
import { readBacklog } from './backlog.ts'
import { claimDeliveries, isUsedUp } from './claim-deliveries.ts'
import { type DeliveryMetrics, NO_METRICS } from './delivery-metrics.ts'
import type { Egress } from './egress/send.ts'
import { buryLatecomers } from './endpoints/disable-endpoint.ts'
import { createEndpointViews } from './endpoints/endpoint-view.ts'
import { createLaneLooks, nameOfLane } from './free-lanes.ts'
import { readEvents } from './read-events.ts'
import { createSettlementQueue } from './settlement-queue.ts'
import { createWaker } from './waker.ts'
import { createWorkQueue } from './work-queue.ts'
import { writeOutcomes } from './write-outcomes.ts'

export type DispatcherOptions = {
  readonly database: Database
  readonly vault: Vault
  readonly egress: Pick<Egress, 'send'>
  readonly log: Log
  readonly clock: Clock
  readonly metrics?: DeliveryMetrics
  /** Numbers in [0, 1): the jitter of the retry schedule. */
  readonly random: () => number
  readonly leaseSeconds?: number
  /** Attempts in flight to one endpoint, once it has shown that it can take them. */
  readonly perEndpoint?: number
  /** Attempts in flight in this process. */
  readonly total?: number
  /** Deliveries held in memory, waiting or unsettled. */
  readonly maxHeld?: number
  readonly idleMs?: number
  /** For how long an endpoint's settings are believed. */
  readonly endpointFreshMs?: number
  /** How long stopping waits for what is in the air and for the database. */
  readonly stopWithinMs?: number
}

export type Dispatcher = {
  /** Where committing changes send what they leased to this process. */
  readonly handOver: HandOver
  /** Claims what is due, as far as there is room, and starts on it. Says how much that was. */
  dispatchOnce(): Promise<number>
  /** Makes dead letters of what waits for disabled endpoints, and measures the backlog. */
  sweepOnce(): Promise<void>
  /** Works until the signal aborts; then stops. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves when nothing is held, in flight or unsettled. */
  idle(): Promise<void>
  /** Takes nothing new, gives back what waits, and lets what is in flight be settled. */
  stop(): Promise<void>
}

const SWEEP_MS = 5_000
const SETTLED_AT_ONCE = 500
const HELD_PER_ENDPOINT = 256
const WAIT_AFTER_FAULT_SECONDS = 30

type Held = { readonly delivery: ReadyDelivery; readonly leasedAt: number }

/** Sends what is due. It holds no state that matters: whatever it forgets becomes due again when its lease ends. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { database, vault, egress, log, clock, metrics = NO_METRICS, random } = options
  const {
    leaseSeconds = 40,
    perEndpoint = 32,
    total = 256,
    maxHeld = 2_048,
    idleMs = 500,
    endpointFreshMs = 1_000,
    stopWithinMs = 20_000,
  } = options
  const views = createEndpointViews({ database, vault, freshMs: endpointFreshMs })
  /** Later than this the request could outlast the lease. */
  const startWithinMs = (leaseSeconds * 1_000) / 2
  const idlers: (() => void)[] = []
  let stopping = false
  let fetching = 0

  const waker = createWaker()
  const queue = createWorkQueue<Held>({
    perList: perEndpoint,
    total,
    start,
    onPlaceFree: (list) => appetite.wantsMore(list) && waker.wake(),
  })
  const appetite = createAppetite(queue)
  const settlements = createSettlementQueue<Outcome>({ write, maxBatch: SETTLED_AT_ONCE, log, onEmpty: checkIdle })

  const looks = createLaneLooks({ database, log, onFreed: waker.wake, onEmpty: checkIdle })

  const held = () => queue.size().waiting + queue.size().inFlight + settlements.size()

  async function start({ delivery, leasedAt }: Held): Promise<'well' | 'struggling' | 'neither'> {
    const isTooLate = () => stopping || performance.now() - leasedAt > startWithinMs
    const outcome = isTooLate() ? release(delivery, 0) : await attemptDelivery({ views, egress, clock, random, log }, delivery, isTooLate)
    settlements.add(outcome)
    return outcome.struggling ? 'struggling' : outcome.verdict === 'delivered' ? 'well' : 'neither'
  }

  async function write(outcomes: readonly Outcome[]): Promise<void> {
    const leasedAt = performance.now()
    const promoted = await writeOutcomes({ database, vault, log, metrics }, outcomes, { leaseSeconds, promote: !stopping })
    void take(promoted, leasedAt)
    const goesOn = new Set(promoted.map(nameOfLane))
    // Only where a lane has become free: a delivery that was given back for a while has to wait for that while.
    const hasEnded = ({ verdict, delivery }: Outcome) =>
      (verdict === 'delivered' || verdict === 'dead') && !goesOn.has(nameOfLane(delivery))
    looks.add(outcomes.filter(hasEnded).map(({ delivery }) => delivery))
  }

  /** Reads what was leased and puts it in line. Never rejects: what cannot be read now is given back for a while. */
  async function take(leased: readonly LeasedDelivery[], leasedAt: number): Promise<void> {
    fetching++
    for (const [tenantId, ofTenant] of Map.groupBy(leased, (delivery) => delivery.tenantId)) {
      try {
        for (const read of await database.withTenant(tenantId, (tx) => readEvents(tx, vault, ofTenant))) {
          if ('failure' in read) settlements.add(bury(read.delivery, read.failure))
          else if (isUsedUp(read.ready)) settlements.add(bury(read.ready, 'interrupted'))
          else queue.add(listOf(read.ready), { delivery: read.ready, leasedAt })
        }
      } catch (error) {
        log.error({ err: error, tenant: tenantId, deliveries: ofTenant.length }, 'delivery.read_failed')
        for (const delivery of ofTenant) settlements.add(release(delivery, WAIT_AFTER_FAULT_SECONDS))
      }
    }
    fetching--
    checkIdle()
  }

  async function dispatchOnce(): Promise<number> {
    waker.looking()
    const limit = maxHeld - held()
    if (stopping || limit <= 0) return 0
    const free = appetite.ask()
    const leasedAt = performance.now()
    const leased = await claimDeliveries(database, { free, freeByDefault: queue.wanted(''), limit, leaseSeconds })
    appetite.served(free, leased)
    await take(leased, leasedAt)
    return leased.length
  }

  async function sweepOnce(): Promise<void> {
    await buryLatecomers(database)
    metrics.backlog(await readBacklog(database))
  }

  function checkIdle(): void {
    if (held() + fetching === 0 && !looks.isBusy()) for (const resolve of idlers.splice(0)) resolve()
  }

  const idle = () =>
    new Promise<void>((resolve) => {
      idlers.push(resolve)
      checkIdle()
    })

  async function stop(): Promise<void> {
    stopping = true
    for (const { delivery } of queue.drain()) settlements.add(release(delivery, 0))
    await Promise.race([idle(), sleep(stopWithinMs, undefined, { ref: false })])
    // What is still unwritten then is left to the end of its lease: trying on would keep the process alive for ever.
    settlements.abandon()
  }

  const handOver: HandOver = {
    leaseSeconds,
    // Half of what may be held: the other half is for claims, so that a few hanging endpoints cannot shut out the rest.
    room: () => (stopping ? 0 : Math.max(0, maxHeld / 2 - held())),
    accept(deliveries, leasedAt) {
      for (const delivery of deliveries) {
        if (stopping || queue.waiting(listOf(delivery)) >= HELD_PER_ENDPOINT) settlements.add(release(delivery, 0))
        else queue.add(listOf(delivery), { delivery, leasedAt })
      }
    },
    due: waker.wake,
    waiting: looks.add,
  }

  async function run(signal: AbortSignal): Promise<void> {
    const unlisten = database.listen('delivery_due', waker.wake)
    await Promise.all([
      poll(dispatchOnce, { idleMs, signal, log, name: 'delivery', onWaker: waker.attach }),
      poll(() => sweepOnce().then(() => 0), { idleMs: SWEEP_MS, signal, log, name: 'delivery-sweep' }),
    ])
    unlisten()
    await stop()
  }

  return { handOver, dispatchOnce, sweepOnce, run, idle, stop }
}
