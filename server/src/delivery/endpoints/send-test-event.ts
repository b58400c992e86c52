import { webhookTest } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { getEndpoint } from './queries.ts'

/** Sends `webhook.test` to one endpoint, by the same way as any event. An endpoint that is disabled is sent nothing. */
export async function sendTestEvent(change: Change, endpointId: string): Promise<{ state: string }> {
  const { tx, vault, actor } = change
  requireScope(actor, 'endpoints:write')
  const { state } = await getEndpoint(tx, actor, endpointId)
  emit(change, webhookTest, {
    data: { endpoint_id: endpointId, message: 'This is a test delivery.' },
    personId: null,
    onlyEndpointId: endpointId,
  })
  audit(tx, vault, actor, { action: 'endpoint.test', subjectType: 'endpoint', subjectId: endpointId })
  return { state }
}
