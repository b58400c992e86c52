import { newTimeOrderedId } from '../../kit/ids.ts'

/** Values that hold from a date (inclusive) to a date (exclusive; null: open), as we believe now. */
export type Fact<Values> = {
  readonly id: string
  readonly from: string
  readonly to: string | null
  readonly values: Values
  readonly recordedAt: Date
}

/** The believed facts of one subject, in order and without overlap, and what they were when they were read. */
export type Timeline<Values> = { readonly subjectId: string; readonly loaded: readonly Fact<Values>[]; facts: readonly Fact<Values>[] }

export function timeline<Values>(subjectId: string, loaded: readonly Fact<Values>[] = []): Timeline<Values> {
  return { subjectId, loaded, facts: [...loaded].sort((a, b) => (a.from < b.from ? -1 : 1)) }
}

export function factOn<Values>({ facts }: Pick<Timeline<Values>, 'facts'>, date: string): Fact<Values> | undefined {
  return facts.find(({ from, to }) => from <= date && (to === null || date < to))
}

/**
 * Lets `values` hold from a date until the next known change. The fact that covered the date ends there; later facts stay as
 * they are, so that entering something between them never loses them.
 */
export function setFrom<Values>(line: Timeline<Values>, from: string, values: Values, recordedAt: Date): void {
  const covering = factOn(line, from)
  const next = line.facts.find((fact) => fact.from > from)
  const fresh = newFact(from, covering ? covering.to : (next?.from ?? null), values, recordedAt)
  const others = line.facts.filter((fact) => fact !== covering)
  const before = covering && covering.from < from ? [newFact(covering.from, from, covering.values, recordedAt)] : []
  line.facts = [...others, ...before, fresh].sort((a, b) => (a.from < b.from ? -1 : 1))
}

/** Puts a whole fact in place of another one. */
export function replaceFact<Values>(line: Timeline<Values>, old: Fact<Values>, to: string | null, values: Values, recordedAt: Date): void {
  line.facts = line.facts.map((fact) => (fact === old ? newFact(old.from, to, values, recordedAt) : fact))
}

/** What must be written: facts no longer believed, and new ones. A fact that came and went meanwhile was never believed. */
export function unwritten<Values>({ loaded, facts }: Timeline<Values>): { superseded: Fact<Values>[]; added: Fact<Values>[] } {
  return { superseded: loaded.filter((fact) => !facts.includes(fact)), added: facts.filter((fact) => !loaded.includes(fact)) }
}

function newFact<Values>(from: string, to: string | null, values: Values, recordedAt: Date): Fact<Values> {
  return { id: newTimeOrderedId('fct', recordedAt.getTime()), from, to, values, recordedAt }
}
