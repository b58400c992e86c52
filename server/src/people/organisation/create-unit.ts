import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import { violates } from '../../database/database.ts'
import type { Change } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { codeTaken, referenceNotFound, unknownTimeZone } from '../problems.ts'
import { isTimeZone } from '../site-time.ts'
import type { CreateDepartment, CreateLegalEntity, CreateLocation } from './inputs.ts'

export async function createDepartment(change: Change, { code, name, parent_id }: CreateDepartment): Promise<{ id: string }> {
  const { tx } = change
  const row = { tenant_id: tx.scope.tenantId, id: newId('dep'), code, name, parent_id: parent_id ?? null }
  return createUnit(change, 'department', row.id, () => tx.insertInto('department').values(row).execute())
}

export async function createLocation(change: Change, { code, name, time_zone }: CreateLocation): Promise<{ id: string }> {
  const { tx } = change
  if (!isTimeZone(time_zone)) {
    throw unknownTimeZone({ errors: [{ pointer: '/time_zone', message: 'is not a time zone', mend: 'Use a name such as Europe/Berlin.' }] })
  }
  const row = { tenant_id: tx.scope.tenantId, id: newId('loc'), code, name, time_zone }
  return createUnit(change, 'location', row.id, () => tx.insertInto('location').values(row).execute())
}

export async function createLegalEntity(change: Change, { code, name, country }: CreateLegalEntity): Promise<{ id: string }> {
  const { tx } = change
  const row = { tenant_id: tx.scope.tenantId, id: newId('len'), code, name, country }
  return createUnit(change, 'legal_entity', row.id, () => tx.insertInto('legal_entity').values(row).execute())
}

/** The way that the three have in common: scope, insert, the two faults that the database finds, audit. */
async function createUnit(
  change: Change,
  kind: 'department' | 'location' | 'legal_entity',
  id: string,
  insert: () => Promise<unknown>,
): Promise<{ id: string }> {
  requireScope(change.actor, 'organisation:write')
  try {
    await insert()
  } catch (error) {
    if (violates(error, `${kind}_tenant_id_code_key`)) throw codeTaken({ errors: [{ pointer: '/code', message: 'is taken' }] })
    if (violates(error, 'department_tenant_id_parent_id_fkey')) {
      throw referenceNotFound({ errors: [{ pointer: '/parent_id', message: 'is no department' }] })
    }
    throw error
  }
  audit(change.tx, change.vault, change.actor, { action: `${kind}.create`, subjectType: kind, subjectId: id, changeSetId: change.id })
  return { id }
}
