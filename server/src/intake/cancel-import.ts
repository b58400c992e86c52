import { requireScope } from '../access/actor.ts'
import { audit } from '../audit/audit.ts'
import type { Change } from '../events/change.ts'
import { removeWaiting } from './import-rows.ts'
import { importNotFound, importSettled } from './problems.ts'

const CANCEL = {
  name: 'cancel-import',
  text: `update import set state = 'cancelled', settled_at = clock_timestamp(), lease_until = null
          where tenant_id = $1 and id = $2 and state in ('receiving', 'checking', 'applying') returning id`,
}
const STATE = { name: 'import-state', text: 'select state from import where tenant_id = $1 and id = $2' }

/** Stops an import after the batch that is being applied. What was applied stays; the other rows are forgotten. */
export async function cancelImport({ tx, vault, actor, id: changeSetId }: Change, id: string): Promise<void> {
  requireScope(actor, 'imports:write')
  const { tenantId } = tx.scope
  const cancelled = await tx.scope.run(CANCEL, [tenantId, id])
  if (cancelled.length === 0) {
    const [found] = await tx.scope.run<{ state: string }>(STATE, [tenantId, id])
    throw found ? importSettled({ detail: `It is ${found.state}.`, ids: { import_id: id } }) : importNotFound({ ids: { import_id: id } })
  }
  await removeWaiting(tx, id)
  audit(tx, vault, actor, { action: 'import.cancel', subjectType: 'import', subjectId: id, changeSetId })
}
