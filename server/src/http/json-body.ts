import { isUtf8 } from 'node:buffer'
import type { Fault, Problem } from '../kit/problem.ts'
import { invalidJson, invalidRequest } from './problems.ts'

/** How deep objects and lists may stand in each other. */
const MAX_DEPTH = 64

/**
 * Reads a body that may be anything. What is refused here can hurt whatever comes later: depth that exhausts a stack,
 * names that reach an object's prototype, text that PostgreSQL or UTF-8 cannot hold. No message quotes the input.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalidJson({ detail: 'The body is not UTF-8.' })
  // V8 reads JSON without recursion, so depth is no danger before the walk below.
  const value = parse(bytes.toString())
  inspect(value, '', 0)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidJson({ detail: 'The body does not follow the grammar of JSON (RFC 8259).' })
  }
}

function inspect(value: unknown, pointer: string, depth: number): void {
  if (typeof value === 'string') inspectText(value, pointer)
  if (typeof value !== 'object' || value === null) return
  if (depth >= MAX_DEPTH) throw invalidJson({ detail: `Objects and lists stand more than ${MAX_DEPTH} deep in each other.` })
  const isList = Array.isArray(value)
  for (const [name, field] of Object.entries(value)) {
    const at = `${pointer}/${isList ? name : pointerToken(name)}`
    if (reachesPrototype(name, field)) throw refusal(invalidJson, at, 'is a name that no field has', 'Leave it out.')
    inspectText(name, at)
    inspect(field, at, depth + 1)
  }
}

function reachesPrototype(name: string, field: unknown): boolean {
  return (
    name === '__proto__' || (name === 'constructor' && typeof field === 'object' && field !== null && Object.hasOwn(field, 'prototype'))
  )
}

/** Refuses text that cannot be stored as it is: NUL, and halves of a character. */
export function inspectText(text: string, pointer: string): void {
  if (text.includes('\0')) throw refusal(invalidRequest, pointer, 'contains a NUL character', 'Remove the character U+0000.')
  if (!text.isWellFormed()) throw refusal(invalidRequest, pointer, 'contains half a surrogate pair', 'Send whole Unicode characters.')
}

function refusal(kind: typeof invalidJson, pointer: string, message: string, mend: string): Problem {
  return kind({ errors: [{ pointer, message, mend } satisfies Fault] })
}

/** A field's name in a JSON pointer (RFC 6901). A name that no field of ours could have may be anything, and is not repeated. */
export function pointerToken(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name) ? name : '(name)'
}
