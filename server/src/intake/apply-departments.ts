import { audit } from '../audit/audit.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import type { Change } from '../events/change.ts'
import { newId } from '../kit/ids.ts'
import type { WaitingRow } from './import-rows.ts'
import { type ApplyRows, type Outcome, unknownReference } from './row-outcome.ts'

type Department = { readonly id: string; readonly code: string; name: string; parentId: string | null; state: 'kept' | 'new' | 'changed' }

/** Departments by their code: new ones are made, known ones renamed or moved. A parent may stand below its children. */
export const applyDepartments: ApplyRows = async (change, _system, rows) => {
  const byCode = new Map((await loadDepartments(change.tx)).map((one) => [one.code, one]))
  const byId = new Map([...byCode.values()].map((one) => [one.id, one]))
  const outcomes = new Map<WaitingRow, Outcome>()
  let left = [...rows]
  for (let before = -1; left.length !== before; ) {
    before = left.length
    left = left.filter((row) => {
      const outcome = applyRow(row, byCode, byId)
      if (outcome) outcomes.set(row, outcome)
      return outcome === undefined
    })
  }
  for (const row of left)
    outcomes.set(row, [unknownReference(row.cells, 'parent_code', 'department', 'Add a row for it, without a circle of parents.')])
  await saveDepartments(change, [...byCode.values()])
  return outcomes
}

/** Undefined: the parent is not there yet. */
function applyRow({ cells }: WaitingRow, byCode: Map<string, Department>, byId: Map<string, Department>): Outcome | undefined {
  const { code, name, parent_code: parentCode } = cells as { code: string; name: string; parent_code?: string }
  const parent = parentCode === undefined ? undefined : byCode.get(parentCode)
  if (parentCode !== undefined && !parent) return undefined
  const known = byCode.get(code)
  if (!known) {
    const fresh: Department = { id: newId('dep'), code, name, parentId: parent?.id ?? null, state: 'new' }
    byCode.set(code, fresh)
    byId.set(fresh.id, fresh)
    return 'changed'
  }
  // An empty cell leaves the place in the tree as it is.
  const parentId = parent?.id ?? known.parentId
  if (known.name === name && known.parentId === parentId) return 'unchanged'
  if (isBelow(parentId, known.id, byId)) {
    const mend = 'Name a department that is not below this one.'
    return [{ column: 'parent_code', value_class: 'text', code: 'department-circle', message: 'is below the department itself', mend }]
  }
  known.name = name
  known.parentId = parentId
  if (known.state === 'kept') known.state = 'changed'
  return 'changed'
}

function isBelow(id: string | null, above: string, byId: ReadonlyMap<string, Department>): boolean {
  for (let at = id; at !== null; at = byId.get(at)?.parentId ?? null) if (at === above) return true
  return false
}

const LOAD = {
  name: 'load-departments',
  text: `select id, code, name, parent_id as "parentId", 'kept' as state from department where tenant_id = $1 for update`,
}

async function loadDepartments(tx: Tx): Promise<Department[]> {
  return tx.scope.run<Department>(LOAD, [tx.scope.tenantId])
}

const INSERT = {
  name: 'insert-departments',
  text: 'insert into department (tenant_id, id, code, name, parent_id) select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[])',
}
const UPDATE = {
  name: 'update-departments',
  text: `update department d set name = n.name, parent_id = n.parent_id from unnest($2::text[], $3::text[], $4::text[]) as n (id, name, parent_id)
          where d.tenant_id = $1 and d.id = n.id`,
}

async function saveDepartments(change: Change, departments: readonly Department[]): Promise<void> {
  const { tx, vault, actor, id } = change
  const { tenantId } = tx.scope
  const column = <Value>(those: readonly Department[], read: (one: Department) => Value) => those.map(read)
  const fresh = departments.filter(({ state }) => state === 'new')
  const moved = departments.filter(({ state }) => state === 'changed')
  const names = (those: readonly Department[]) => [column(those, (one) => one.name), column(those, (one) => one.parentId)]
  if (fresh.length > 0)
    await tx.scope.run(INSERT, [tenantId, column(fresh, (one) => one.id), column(fresh, (one) => one.code), ...names(fresh)])
  if (moved.length > 0) await tx.scope.run(UPDATE, [tenantId, column(moved, (one) => one.id), ...names(moved)])
  for (const one of [...fresh, ...moved]) {
    const action = one.state === 'new' ? 'department.create' : 'department.update'
    audit(tx, vault, actor, { action, subjectType: 'department', subjectId: one.id, changeSetId: id })
  }
}
