import { requireScope } from '../../access/actor.ts'
import { audit, type TouchedField } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import type { Detail } from '../../events/cut-event.ts'
import { seal } from '../../privacy/sealed-value.ts'
import type { EgressPolicy } from '../egress/egress-policy.ts'
import { checkEgressUrl } from '../egress/egress-url.ts'
import { notifyDue } from '../notify-due.ts'
import { endpointNotFound } from '../problems.ts'
import { sealHeaders } from './create-endpoint.ts'
import { checkEndpointFields, requireRead } from './endpoint-rules.ts'
import { endpointPlace } from './endpoint-view.ts'
import type { UpdateEndpoint } from './inputs.ts'

export type UpdateEndpointOptions = {
  readonly policy: EgressPolicy
  /** Refuses a version that is not the one the caller read. Called under the lock of the row. */
  readonly requireVersion: (version: number) => void
}

/** Changes settings of an endpoint. They hold from the next attempt on, also for what is waiting already. */
export async function updateEndpoint(
  change: Change,
  endpointId: string,
  input: UpdateEndpoint,
  { policy, requireVersion }: UpdateEndpointOptions,
): Promise<{ version: number }> {
  const { tx, vault, actor } = change
  requireScope(actor, 'endpoints:write')
  if (input.url !== undefined) checkEgressUrl(input.url, policy)
  checkEndpointFields(input)
  // Not `for update`: every delivery that is being written refers to this row, and a long import would keep us waiting.
  const before = await tx.selectFrom('endpoint').selectAll().where('id', '=', endpointId).forNoKeyUpdate().executeTakeFirst()
  if (!before) throw endpointNotFound({ ids: { endpoint_id: endpointId } })
  requireVersion(before.version)
  // Whoever changes what is sent, or where to, answers for all of it: else a URL could be swapped under another's grants.
  const { url, event_types, detail, grants } = input
  if ([url, event_types, detail, grants].some((field) => field !== undefined)) {
    requireRead(actor, {
      event_types: event_types ?? before.event_types,
      detail: (detail ?? before.detail) as Detail,
      grants: grants ?? before.grants,
    })
  }
  const { custom_headers: headers, ...plain } = input
  const version = before.version + 1
  const key = await vault.tenantKey(tx)
  const place = endpointPlace(tx.scope.tenantId, endpointId, 'custom_headers')
  await tx
    .updateTable('endpoint')
    .set({
      ...plain,
      version,
      ...(headers ? { custom_headers: sealHeaders(headers, (text) => seal(key, place, text)) } : {}),
      ...(input.state === 'active' ? { disabled_reason: null } : {}),
    })
    .where('id', '=', endpointId)
    .execute()
  const fields: TouchedField[] = Object.entries(plain).map(([path, after]) => ({ path, before: before[path as keyof typeof plain], after }))
  if (headers) fields.push({ path: 'custom_headers', after: Object.keys(headers) })
  audit(tx, vault, actor, { action: 'endpoint.update', subjectType: 'endpoint', subjectId: endpointId, fields })
  // What was kept while it was paused is due now.
  if (input.state === 'active') await notifyDue(tx)
  return { version }
}
