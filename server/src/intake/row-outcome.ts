import type { Change } from '../events/change.ts'
import type { Fault } from '../kit/problem.ts'
import { Problem } from '../kit/problem.ts'
import { type Cells, classifyValue, type RowFault } from './check-row.ts'
import type { WaitingRow } from './import-rows.ts'

/** What became of a part of a row: something changed, nothing was different, or what is wrong with it. */
export type Outcome = 'changed' | 'unchanged' | readonly RowFault[]

/** Applies rows inside a change, and says of each what became of it. A bad row takes nothing else with it. */
export type ApplyRows = (change: Change, system: string, rows: readonly WaitingRow[]) => Promise<Map<WaitingRow, Outcome>>

/** Runs the rule of one row. What the domain refuses is the row's fault; anything else is ours. */
export function outcomeOf(cells: Cells, apply: () => boolean): Outcome {
  try {
    return apply() ? 'changed' : 'unchanged'
  } catch (error) {
    if (error instanceof Problem && error.status < 500) return problemFaults(error, cells)
    throw error
  }
}

const COLUMN_OF: Readonly<Record<string, string>> = { end_date: 'termination_date', legal_entity_id: 'legal_entity' }

/** A problem of the domain as faults of the row: its fields are our columns. */
export function problemFaults({ code, title, details }: Problem, cells: Cells): RowFault[] {
  const faults: readonly Partial<Fault>[] = details.errors ?? [{}]
  return faults.map(({ pointer, message, mend }) => {
    const field = pointer?.split('/').at(-1)
    const named = field && (COLUMN_OF[field] ?? field)
    const column = named && cells[named] !== undefined ? named : null
    return {
      column,
      value_class: column ? classifyValue(cells[column]) : 'row',
      code,
      message: message ?? details.detail ?? title,
      mend: mend ?? (message ? (details.detail ?? title) : `See docs/errors/${code}.md.`),
    }
  })
}

/** The cell names something that does not exist. */
export function unknownReference(cells: Cells, column: string, thing: string, mend: string): RowFault {
  return {
    column,
    value_class: classifyValue(cells[column]),
    code: 'reference-not-found',
    message: `names no ${thing} that is known`,
    mend,
  }
}
