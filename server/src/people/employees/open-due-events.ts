import { type Ground, inChange } from '../../events/change.ts'
import { Problem } from '../../kit/problem.ts'
import { dropScheduled } from './record-rows.ts'
import { openRecords } from './record-store.ts'
import { SCHEDULER } from './tell-due.ts'

const DUE = {
  name: 'due-scheduled-events',
  text: `select tenant_id as "tenantId", employee_id as "employeeId" from scheduled_event
          where state = 'pending' and due_at <= coalesce($1, now()) order by due_at limit $2`,
}

const AT_ONCE = 200

/**
 * Emits the past-tense events of facts whose day has come at their site. Two processes may both find an event; the lock of
 * the employee makes the second find it settled. An employee that cannot be told holds up nobody else. `now` stands in for
 * the database's clock in tests.
 */
export async function openDueEvents(ground: Ground, now?: Date): Promise<number> {
  const due = await ground.database.asWorker<{ tenantId: string; employeeId: string }>(DUE, [now ?? null, AT_ONCE])
  const failures: unknown[] = []
  let told = 0
  for (const [tenantId, its] of Map.groupBy(due, ({ tenantId }) => tenantId)) {
    const employeeIds = [...new Set(its.map(({ employeeId }) => employeeId))]
    told += await tellTogetherOrApart(ground, tenantId, employeeIds, now, failures)
  }
  if (failures.length > 0) throw failures[0]
  return told
}

async function tellTogetherOrApart(
  ground: Ground,
  tenantId: string,
  employeeIds: readonly string[],
  now: Date | undefined,
  failures: unknown[],
): Promise<number> {
  try {
    return await tellEmployees(ground, tenantId, employeeIds, now)
  } catch (error) {
    // A database that is gone is gone for everybody.
    if (error instanceof Problem) throw error
    if (employeeIds.length === 1) {
      failures.push(error)
      return 0
    }
    let told = 0
    for (const employeeId of employeeIds) told += await tellTogetherOrApart(ground, tenantId, [employeeId], now, failures)
    return told
  }
}

function tellEmployees(ground: Ground, tenantId: string, employeeIds: readonly string[], now: Date | undefined): Promise<number> {
  return inChange(ground, tenantId, SCHEDULER, async (change) => {
    const records = await openRecords(change, employeeIds, now)
    // Nothing can be told of somebody who was erased.
    const gone = employeeIds.filter((id) => !records.has(id))
    if (gone.length > 0) await dropScheduled(change.tx, gone)
    const settled = [...records.values()].flatMap(({ scheduled }) => scheduled.filter(({ state }) => state !== 'pending'))
    return settled.length + gone.length
  })
}
