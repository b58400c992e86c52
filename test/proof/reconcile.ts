/** An event as HR's log has it, and an effect as the receiving system wrote it down, in its order. */
export type LoggedEvent = {
  readonly id: string
  readonly type: string
  readonly employee_id: string | null
  readonly sequence: number | null
}
export type Effect = { readonly event_id: string; readonly employee_id: string | null; readonly sequence: number | null }

export type Reconciliation = {
  readonly events: number
  readonly events_by_type: Record<string, number>
  readonly missing: number
  readonly duplicate: number
  readonly phantom: number
  readonly out_of_order: number
  readonly sequence_gaps: number
}

/** Holds what a receiving system did against what HR's log says it was sent: every event once, in order, and nothing else. */
export function reconcile(log: readonly LoggedEvent[], wanted: (type: string) => boolean, effects: readonly Effect[]): Reconciliation {
  const sent = new Map(log.filter(({ type }) => wanted(type)).map((event) => [event.id, event]))
  const done = new Map<string, number>()
  for (const { event_id } of effects) done.set(event_id, (done.get(event_id) ?? 0) + 1)
  const byType: Record<string, number> = {}
  for (const { type } of sent.values()) byType[type] = (byType[type] ?? 0) + 1
  return {
    events: sent.size,
    events_by_type: byType,
    missing: [...sent.keys()].filter((id) => !done.has(id)).length,
    duplicate: [...done.values()].reduce((sum, times) => sum + times - 1, 0),
    phantom: [...done.keys()].filter((id) => !sent.has(id)).length,
    out_of_order: inversions(effects),
    sequence_gaps: gaps(log),
  }
}

/** Effects of an employee that were done after one of a later event. */
function inversions(effects: readonly Effect[]): number {
  const last = new Map<string, number>()
  let found = 0
  for (const { employee_id, sequence } of effects) {
    if (!employee_id || sequence === null) continue
    if (sequence < (last.get(employee_id) ?? 0)) found++
    else last.set(employee_id, sequence)
  }
  return found
}

/** Numbers between 1 and the last of an employee that no event has, or that two have. */
function gaps(log: readonly LoggedEvent[]): number {
  let found = 0
  for (const [employeeId, events] of Map.groupBy(log, ({ employee_id }) => employee_id)) {
    if (employeeId === null) continue
    const numbers = new Set(events.map(({ sequence }) => sequence))
    found += Math.max(...events.map(({ sequence }) => sequence ?? 0)) - numbers.size + (events.length - numbers.size)
  }
  return found
}

/** Whether a type is one of those named, where `subject.*` names all of a subject. */
export function wants(types: readonly string[]): (type: string) => boolean {
  return (type) => types.includes(type) || types.includes(`${type.split('.')[0]}.*`)
}

/** A reconciliation that found nothing wrong. */
export function isClean({ missing, duplicate, phantom, out_of_order, sequence_gaps }: Reconciliation): boolean {
  return missing + duplicate + phantom + out_of_order + sequence_gaps === 0
}
