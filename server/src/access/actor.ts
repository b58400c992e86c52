import type { Source } from '@tenure/contract'
import { defineProblem } from '../kit/problem.ts'

/** What a credential may do: resource, action and, for reading, the class of field that it may see. */
export const SCOPES = [
  'candidates:read',
  'candidates:read:personal',
  'candidates:write',
  'employees:read',
  'employees:read:personal',
  'employees:read:secret',
  'employees:write',
  'organisation:read',
  'organisation:write',
  'endpoints:read',
  'endpoints:write',
  'events:read',
  'deliveries:read',
  'deliveries:read:personal',
  'deliveries:write',
  'imports:read',
  'imports:write',
  'keys:read',
  'keys:write',
  'audit:read',
] as const
export type Scope = (typeof SCOPES)[number]

/** Who acts, through what, and from where: carried from the request into the event and the audit entry. */
export type Actor = {
  readonly type: 'api_key' | 'user' | 'system'
  readonly id: string
  readonly source: Source
  readonly scopes: ReadonlySet<Scope>
  readonly requestId?: string
  readonly remoteAddress?: string
}

export const notAllowed = defineProblem('not-allowed', 403, 'This credential may not do that.')

/** Refuses an actor that lacks the scope, and names the scope. */
export function requireScope(actor: Actor, scope: Scope): void {
  if (!actor.scopes.has(scope)) throw notAllowed({ detail: `The scope \`${scope}\` is needed. Ask for a key that has it.` })
}

/** Tenure itself: the scheduler, an import that goes on, the demo company. */
export function systemActor(id: string, source: Source): Actor {
  return { type: 'system', id, source, scopes: new Set(SCOPES) }
}
