import { systemActor } from '../../access/actor.ts'
import { type Ground, inChange } from '../../events/change.ts'
import { tellScheduled } from './announce.ts'
import { openRecords, saveRecords } from './record-store.ts'

const DUE = {
  name: 'due-scheduled-events',
  text: `select tenant_id as "tenantId", employee_id as "employeeId" from scheduled_event
          where state = 'pending' and due_at <= coalesce($1, now()) order by due_at limit $2`,
}

const AT_ONCE = 200

/**
 * Emits the past-tense events of facts whose day has come at their site. Two processes may both find an event; the lock of
 * the employee makes the second find it settled. `now` stands in for the database's clock in tests.
 */
export async function openDueEvents(ground: Ground, now?: Date): Promise<number> {
  const due = await ground.database.asWorker<{ tenantId: string; employeeId: string }>(DUE, [now ?? null, AT_ONCE])
  let told = 0
  for (const [tenantId, its] of Map.groupBy(due, ({ tenantId }) => tenantId)) {
    told += await inChange(ground, tenantId, systemActor('scheduler', 'scheduler'), async (change) => {
      const records = await openRecords(
        change,
        its.map(({ employeeId }) => employeeId),
      )
      const moment = now ?? change.recordedAt
      const ripe = [...records.values()]
        .flatMap((record) => record.scheduled.filter(({ dueAt }) => dueAt <= moment).map((scheduled) => ({ record, scheduled })))
        .sort((a, b) => a.scheduled.dueAt.getTime() - b.scheduled.dueAt.getTime())
      for (const { record, scheduled } of ripe) scheduled.state = tellScheduled(change, record, scheduled) ? 'emitted' : 'cancelled'
      await saveRecords(change, new Set(ripe.map(({ record }) => record)))
      return ripe.length
    })
  }
  return told
}
