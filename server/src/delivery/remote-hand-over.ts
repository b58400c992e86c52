import type { Database } from '../database/database.ts'
import { freeLanes } from '../events/fan-out.ts'
import type { HandOver } from '../events/hand-over.ts'
import type { Log } from '../kit/log.ts'

/** For a process that sends nothing itself: everything is left due, and workers hear of it from the database. */
export function createRemoteHandOver(database: Database, log: Log): HandOver {
  return {
    room: () => 0,
    leaseSeconds: 0,
    accept: () => {},
    due: () => {},
    waiting(lanes) {
      freeLanes(database, lanes).catch((error: unknown) => log.warn({ err: error }, 'delivery.lanes_not_freed'))
    },
  }
}
