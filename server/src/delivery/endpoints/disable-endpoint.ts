import { systemActor } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Database } from '../../database/database.ts'
import type { Statement, Tx } from '../../database/tenant-transaction.ts'
import type { Vault } from '../../privacy/vault.ts'
import { BUSY_ENDPOINTS } from '../claim-deliveries.ts'
import type { DeliveryFailure } from '../failures.ts'

/**
 * Ends an endpoint that said it is gone. What still waits for it becomes dead letters with that reason: kept, and redriven
 * when somebody activates the endpoint again.
 */
export async function disableEndpoint(tx: Tx, vault: Vault, endpointId: string, reason: DeliveryFailure): Promise<void> {
  const disabled = await tx
    .updateTable('endpoint')
    .set((row) => ({ state: 'disabled', disabled_reason: reason, version: row('version', '+', 1) }))
    .where('id', '=', endpointId)
    .where('state', '<>', 'disabled')
    .returning('id')
    .executeTakeFirst()
  await tx.scope.run(BURY, [tx.scope.tenantId, endpointId])
  if (!disabled) return
  audit(tx, vault, systemActor('delivery', 'scheduler'), {
    action: 'endpoint.disable',
    subjectType: 'endpoint',
    subjectId: endpointId,
    fields: [{ path: 'state', after: 'disabled' }],
  })
}

const BURY: Statement = {
  name: 'bury-deliveries',
  text: `
    update delivery
       set state = 'dead', failure = 'endpoint_disabled', lease_until = null, due_at = clock_timestamp(), settled_at = clock_timestamp()
     where tenant_id = $1 and endpoint_id = $2 and state = 'pending' and lease_until is null`,
}

/**
 * Makes dead letters of what still waits for a disabled endpoint: a change may have written it while the endpoint was being
 * disabled, and nobody would ever take it.
 */
const BURY_LATECOMERS: Statement = {
  name: 'bury-latecomers',
  text: `
    with recursive ${BUSY_ENDPOINTS}, late as (
      select d.tenant_id, d.id from busy b
        join endpoint e on e.tenant_id = b.tenant_id and e.id = b.endpoint_id and e.state = 'disabled'
        join delivery d on d.tenant_id = b.tenant_id and d.endpoint_id = b.endpoint_id and d.state = 'pending'
         and (d.lease_until is null or d.lease_until <= now())
       limit 1000 for update of d skip locked
    )
    update delivery d
       set state = 'dead', failure = 'endpoint_disabled', lease_until = null, due_at = clock_timestamp(), settled_at = clock_timestamp()
      from late l where d.tenant_id = l.tenant_id and d.id = l.id`,
}

export async function buryLatecomers(database: Database): Promise<void> {
  await database.asWorker(BURY_LATECOMERS)
}
