import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Statement, Tx } from '../../database/tenant-transaction.ts'
import type { Change } from '../../events/change.ts'
import { notifyDue } from '../notify-due.ts'
import { deliveryNotDead, deliveryNotFound, deliveryNotPending, endpointNotValid } from '../problems.ts'

/** Tries a waiting delivery at once instead of at its time. One that is being attempted right now stays as it is. */
export async function retryDelivery({ tx, vault, actor }: Change, deliveryId: string): Promise<void> {
  requireScope(actor, 'deliveries:write')
  const { state, lease_until } = await lockDelivery(tx, deliveryId)
  if (state !== 'pending') throw deliveryNotPending({ detail: `It is ${state}.`, ids: { delivery_id: deliveryId } })
  if (lease_until === null) await tx.scope.run(MAKE_DUE, [tx.scope.tenantId, deliveryId])
  audit(tx, vault, actor, { action: 'delivery.retry', subjectType: 'delivery', subjectId: deliveryId })
  await notifyDue(tx)
}

/**
 * Puts a dead letter to work again, from the start of the schedule. It is sent as the endpoint's grants are then. Later
 * events of its employee have gone before it: receivers tell by `sequence`.
 */
export async function redriveDelivery({ tx, vault, actor }: Change, deliveryId: string): Promise<void> {
  requireScope(actor, 'deliveries:write')
  const { state, endpoint_id } = await lockDelivery(tx, deliveryId)
  if (state !== 'dead') throw deliveryNotDead({ detail: `It is ${state}.`, ids: { delivery_id: deliveryId } })
  const endpoint = await tx.selectFrom('endpoint').select('state').where('id', '=', endpoint_id).executeTakeFirstOrThrow()
  if (endpoint.state === 'disabled') {
    throw endpointNotValid({ detail: 'Its endpoint is disabled. Activate it first.', ids: { endpoint_id } })
  }
  await tx.scope.run(REVIVE, [tx.scope.tenantId, deliveryId])
  audit(tx, vault, actor, { action: 'delivery.redrive', subjectType: 'delivery', subjectId: deliveryId })
  await notifyDue(tx)
}

/** What stands before it in its lane has to go first, so that one is brought forward as well. */
const MAKE_DUE: Statement = {
  name: 'make-delivery-due',
  text: `
    update delivery d set due_at = clock_timestamp()
      from delivery asked
     where asked.tenant_id = $1 and asked.id = $2
       and d.tenant_id = $1 and d.endpoint_id = asked.endpoint_id and d.order_key = asked.order_key and d.state = 'pending'
       and d.event_position <= asked.event_position and d.lease_until is null`,
}

const REVIVE: Statement = {
  name: 'revive-delivery',
  text: `
    update delivery set state = 'pending', due_at = clock_timestamp(), failures = 0, settled_at = null, lease_until = null
     where tenant_id = $1 and id = $2`,
}

async function lockDelivery(tx: Tx, deliveryId: string) {
  const row = await tx
    .selectFrom('delivery')
    .select(['state', 'lease_until', 'endpoint_id'])
    .where('tenant_id', '=', tx.scope.tenantId)
    .where('id', '=', deliveryId)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw deliveryNotFound({ ids: { delivery_id: deliveryId } })
  return row
}
