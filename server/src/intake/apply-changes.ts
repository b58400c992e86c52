import type { Change } from '../events/change.ts'
import { applyAssignmentChange } from '../people/employees/change-assignment.ts'
import { applyCompensationChange } from '../people/employees/change-compensation.ts'
import type { EmployeeRecord } from '../people/employees/employee-record.ts'
import type { ChangeAssignment, ChangeCompensation } from '../people/employees/inputs.ts'
import { openRecords, saveRecords } from '../people/employees/record-store.ts'
import type { Cells } from './check-row.ts'
import type { WaitingRow } from './import-rows.ts'
import { type Codes, findCodes, findEmployees, unknownEmployee } from './references.ts'
import { type ApplyRows, type Outcome, outcomeOf } from './row-outcome.ts'

export const applyAssignments: ApplyRows = async (change, system, rows) => {
  const codes = await findCodes(change.tx, rows)
  const managers = rows.flatMap(({ cells }) => cells['manager'] ?? [])
  const managerIds = await findEmployees(change.tx, system, [...new Set(managers)])
  return applyToRecords(change, system, rows, (record, { cells }) => {
    const unknownManager = cells['manager'] !== undefined && !managerIds.has(cells['manager'])
    const faults = [...codes.faults(cells), ...(unknownManager ? unknownEmployee(cells, 'manager') : [])]
    if (faults.length > 0) return faults
    return outcomeOf(cells, () => applyAssignmentChange(change, record, assignmentOf(cells, codes, managerIds)))
  })
}

function assignmentOf(cells: Cells, codes: Codes, managerIds: ReadonlyMap<string, string>): ChangeAssignment {
  const { effective_date, title, cost_center, grade, fte, weekly_hours, manager } = cells
  const given = {
    effective_date,
    title,
    cost_center,
    grade,
    fte,
    weekly_hours,
    department_id: codes.id('department', cells),
    location_id: codes.id('location', cells),
    manager_employee_id: manager && managerIds.get(manager),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ChangeAssignment
}

export const applyCompensation: ApplyRows = (change, system, rows) =>
  applyToRecords(change, system, rows, (record, { cells }) =>
    outcomeOf(cells, () => applyCompensationChange(change, record, compensationOf(cells))),
  )

function compensationOf({ effective_date, amount, currency, period, pay_frequency, pay_group }: Cells): ChangeCompensation {
  return {
    effective_date,
    components: [{ kind: 'base', amount, currency, period }],
    pay_frequency,
    ...(pay_group === undefined ? {} : { pay_group }),
  } as ChangeCompensation
}

/** Opens the employees of all rows at once, applies the rows in their order, and saves at once what they changed. */
async function applyToRecords(
  change: Change,
  system: string,
  rows: readonly WaitingRow[],
  apply: (record: EmployeeRecord, row: WaitingRow) => Outcome,
): Promise<Map<WaitingRow, Outcome>> {
  const names = new Set(rows.flatMap(({ cells }) => cells['external_id'] ?? []))
  const ids = await findEmployees(change.tx, system, [...names])
  const records = await openRecords(change, [...ids.values()])
  const changed = new Set<EmployeeRecord>()
  const outcomes = new Map<WaitingRow, Outcome>()
  for (const row of rows) {
    const record = records.get(ids.get(row.cells['external_id'] ?? '') ?? '')
    const outcome = record ? apply(record, row) : unknownEmployee(row.cells)
    if (record && outcome === 'changed') changed.add(record)
    outcomes.set(row, outcome)
  }
  await saveRecords(change, changed)
  return outcomes
}
