import { randomBytes } from 'node:crypto'
import { SECRET_PREFIX } from '@tenure/contract/signature'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Change } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { seal } from '../../privacy/sealed-value.ts'
import type { EgressPolicy } from '../egress/egress-policy.ts'
import { checkEgressUrl } from '../egress/egress-url.ts'
import { checkEndpointFields, normalHeaders, requireRead } from './endpoint-rules.ts'
import { endpointPlace } from './endpoint-view.ts'
import type { CreateEndpoint } from './inputs.ts'

const SECRET_BYTES = 32

/** Sets up an endpoint and answers its signing secret, which nobody can ask for again. */
export async function createEndpoint(change: Change, policy: EgressPolicy, input: CreateEndpoint): Promise<{ id: string; secret: string }> {
  const { tx, vault, actor } = change
  requireScope(actor, 'endpoints:write')
  checkEgressUrl(input.url, policy)
  checkEndpointFields(input)
  const { name, url, event_types, detail = 'changed', grants = [], custom_headers = {} } = input
  requireRead(actor, { event_types, detail, grants })
  const id = newId('end')
  const secret = input.secret ?? SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64')
  const key = await vault.tenantKey(tx)
  const { tenantId } = tx.scope
  await tx
    .insertInto('endpoint')
    .values({
      tenant_id: tenantId,
      id,
      name,
      url,
      event_types,
      detail,
      grants,
      secret: seal(key, endpointPlace(tenantId, id, 'secret'), secret),
      custom_headers: sealHeaders(custom_headers, (text) => seal(key, endpointPlace(tenantId, id, 'custom_headers'), text)),
      created_at: change.recordedAt,
      created_by: actor.id,
    })
    .execute()
  const fields = Object.entries({ name, url, event_types, detail, grants, custom_headers }).map(([path, after]) => ({ path, after }))
  audit(tx, vault, actor, { action: 'endpoint.create', subjectType: 'endpoint', subjectId: id, fields })
  return { id, secret }
}

export function sealHeaders(headers: Readonly<Record<string, string>>, sealText: (text: string) => Buffer): Buffer | null {
  return Object.keys(headers).length > 0 ? sealText(JSON.stringify(normalHeaders(headers))) : null
}
