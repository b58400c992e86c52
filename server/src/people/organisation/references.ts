import type { Tx } from '../../database/tenant-transaction.ts'
import type { Fault } from '../../kit/problem.ts'
import { referenceNotFound } from '../problems.ts'

type Names = {
  readonly legal_entity_id?: string | undefined
  readonly assignment?:
    | {
        readonly department_id?: string | null | undefined
        readonly location_id?: string | null | undefined
        readonly manager_employee_id?: string | null | undefined
      }
    | undefined
}

const KNOWN = {
  name: 'known-references',
  text: `select id from department where tenant_id = $1 and id = any($2)
         union all select id from location where tenant_id = $1 and id = any($2)
         union all select id from employee where tenant_id = $1 and id = any($2)
         union all select id from legal_entity where tenant_id = $1 and id = any($2)`,
}

/** Refuses inputs that name a department, location, manager or legal entity which does not exist. */
export async function checkReferences(tx: Tx, inputs: readonly Names[]): Promise<void> {
  const named = inputs.flatMap(({ legal_entity_id, assignment }) => [
    { pointer: '/legal_entity_id', id: legal_entity_id },
    { pointer: '/assignment/department_id', id: assignment?.department_id },
    { pointer: '/assignment/location_id', id: assignment?.location_id },
    { pointer: '/assignment/manager_employee_id', id: assignment?.manager_employee_id },
  ])
  const wanted = named.filter((one): one is { pointer: string; id: string } => typeof one.id === 'string')
  if (wanted.length === 0) return
  const rows = await tx.scope.run<{ id: string }>(KNOWN, [tx.scope.tenantId, [...new Set(wanted.map(({ id }) => id))]])
  const known = new Set(rows.map(({ id }) => id))
  const errors = wanted
    .filter(({ id }) => !known.has(id))
    .map(({ pointer }): Fault => ({ pointer, message: 'names something that does not exist' }))
  if (errors.length > 0) throw referenceNotFound({ errors })
}

/** The code of the legal entity that every tenant begins with. */
export const FIRST_LEGAL_ENTITY = 'main'

/** The legal entity that is meant when none is named: the one that the tenant began with, whatever others came later. */
export async function defaultLegalEntity(tx: Tx): Promise<string> {
  const entities = await tx.selectFrom('legal_entity').select(['id', 'code']).orderBy('code').execute()
  const first = entities.find(({ code }) => code === FIRST_LEGAL_ENTITY) ?? entities[0]
  if (!first)
    throw referenceNotFound({
      errors: [
        { pointer: '/legal_entity_id', message: 'is left out, and there is no legal entity yet', mend: 'Create a legal entity first.' },
      ],
    })
  return first.id
}
