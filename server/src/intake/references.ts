import type { Tx } from '../database/tenant-transaction.ts'
import type { Cells, RowFault } from './check-row.ts'
import type { WaitingRow } from './import-rows.ts'
import { unknownReference } from './row-outcome.ts'

const EXTERNAL = {
  name: 'external-employees',
  text: `select external_id as name, subject_id as id from external_id
          where tenant_id = $1 and system = $2 and subject_type = 'employee' and external_id = any($3)`,
}

/** Ids of the employees whom a system knows by these names. */
export async function findEmployees(tx: Tx, system: string, names: readonly string[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map()
  const rows = await tx.scope.run<{ name: string; id: string }>(EXTERNAL, [tx.scope.tenantId, system, names])
  return new Map(rows.map(({ name, id }) => [name, id]))
}

const ADD_EXTERNAL = {
  name: 'add-external-employees',
  text: `insert into external_id (tenant_id, system, subject_type, external_id, subject_id)
         select $1, $2, 'employee', * from unnest($3::text[], $4::text[])`,
}

/** Remembers what a system calls new employees. A name that somebody took meanwhile rolls all of it back. */
export async function nameEmployees(tx: Tx, system: string, named: readonly { name: string; id: string }[]): Promise<void> {
  if (named.length === 0) return
  await tx.scope.run(ADD_EXTERNAL, [tx.scope.tenantId, system, named.map(({ name }) => name), named.map(({ id }) => id)])
}

const CODES = {
  name: 'organisation-codes',
  text: `select 'department' as kind, code, id from department where tenant_id = $1 and code = any($2)
         union all select 'location', code, id from location where tenant_id = $1 and code = any($3)
         union all select 'legal_entity', code, id from legal_entity where tenant_id = $1 and code = any($4)`,
}

/** What codes stand for, of the rows of a batch. */
export type Codes = {
  id(column: 'department' | 'location' | 'legal_entity', cells: Cells): string | undefined
  /** The cells of a row whose code nobody has. */
  faults(cells: Cells): RowFault[]
}

const MENDS = { department: 'Import the department first.', location: 'Create the location first.', legal_entity: 'Create it first.' }

export async function findCodes(tx: Tx, rows: readonly WaitingRow[]): Promise<Codes> {
  const named = (column: string) => [...new Set(rows.flatMap(({ cells }) => cells[column] ?? []))]
  const values = [named('department'), named('location'), named('legal_entity')]
  const found = values.every((codes) => codes.length === 0)
    ? []
    : await tx.scope.run<{ kind: string; code: string; id: string }>(CODES, [tx.scope.tenantId, ...values])
  const ids = new Map(found.map(({ kind, code, id }) => [`${kind} ${code}`, id]))
  const id: Codes['id'] = (column, cells) => ids.get(`${column} ${cells[column]}`)
  const faults = (cells: Cells) =>
    (['department', 'location', 'legal_entity'] as const)
      .filter((column) => cells[column] !== undefined && !id(column, cells))
      .map((column) => unknownReference(cells, column, column.replace('_', ' '), MENDS[column]))
  return { id, faults }
}

export function unknownEmployee(cells: Cells, column = 'external_id'): RowFault[] {
  return [unknownReference(cells, column, 'employee', 'Import the employee first, under the same `system`.')]
}

const NUMBERS = {
  name: 'taken-employee-numbers',
  text: 'select employee_number as number from employee where tenant_id = $1 and employee_number = any($2)',
}

export async function takenNumbers(tx: Tx, numbers: readonly string[]): Promise<Set<string>> {
  if (numbers.length === 0) return new Set()
  const rows = await tx.scope.run<{ number: string }>(NUMBERS, [tx.scope.tenantId, numbers])
  return new Set(rows.map(({ number }) => number))
}
