/**
 * Paths name fields as receivers see them: `person.email`, `compensation.components[base].amount`. An element of a list
 * is named by its `kind`, so that a path means the same before and after others came or went.
 */
export type Difference = { readonly path: string; readonly before: unknown; readonly after: unknown }

/** The fields in which two values of the same shape differ, down to the leaves. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isRecord(before) || isRecord(after)) {
    const [old, fresh] = [asRecord(before), asRecord(after)]
    return unionOf(Object.keys(old), Object.keys(fresh)).flatMap((key) => differences(old[key], fresh[key], path ? `${path}.${key}` : key))
  }
  if (isKeyedList(before) || isKeyedList(after)) {
    const [old, fresh] = [byKind(before), byKind(after)]
    return unionOf([...old.keys()], [...fresh.keys()]).flatMap((kind) => differences(old.get(kind), fresh.get(kind), `${path}[${kind}]`))
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
}

/** The old values of the changed fields, nested like the data; a field that was not there before is left out. */
export function previousAttributes(changes: readonly Difference[]): Record<string, unknown> {
  const previous: Record<string, unknown> = {}
  for (const { path, before } of changes) {
    if (before === undefined) continue
    let at = previous
    const steps = path.split('.')
    for (const step of steps.slice(0, -1)) at = descend(at, step)
    at[steps.at(-1)!] = before
  }
  return previous
}

function descend(at: Record<string, unknown>, step: string): Record<string, unknown> {
  const [, name, kind] = /^([^[]+)(?:\[(.+)\])?$/.exec(step) ?? []
  if (!name) throw new Error(`'${step}' is not a step of a path.`)
  if (!Object.hasOwn(at, name)) at[name] = kind ? [] : {}
  if (!kind) return at[name] as Record<string, unknown>
  const list = at[name] as Record<string, unknown>[]
  const found = list.find((element) => element['kind'] === kind)
  if (found) return found
  const fresh = { kind }
  list.push(fresh)
  return fresh
}

/** A path without the names of list elements: what a grant is compared with. */
export function withoutElements(path: string): string {
  return path.replace(/\[[^\]]*\]/g, '')
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

type Keyed = Record<string, unknown> & { kind: string }

export function isKeyedList(value: unknown): value is Keyed[] {
  return Array.isArray(value) && value.length > 0 && value.every((element) => isRecord(element) && typeof element['kind'] === 'string')
}

function byKind(value: unknown): Map<string, Keyed> {
  return new Map(isKeyedList(value) ? value.map((element) => [element.kind, element]) : [])
}

function unionOf(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])]
}
