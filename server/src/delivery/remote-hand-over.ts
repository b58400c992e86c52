import type { Database } from '../database/database.ts'
import type { HandOver } from '../events/hand-over.ts'
import type { Log } from '../kit/log.ts'
import { createLaneLooks } from './free-lanes.ts'

/** For a process that sends nothing itself: everything is left due, and workers hear of it from the database. */
export function createRemoteHandOver(database: Database, log: Log): HandOver {
  // What it frees, a worker's next look finds.
  const looks = createLaneLooks({ database, log, onFreed: () => {}, onEmpty: () => {} })
  return {
    room: () => 0,
    leaseSeconds: 0,
    accept: () => {},
    due: () => {},
    waiting: looks.add,
  }
}
