import { internal, publicField } from '@tenure/contract'
import Type, { type Static } from 'typebox'
import { newId } from '../kit/ids.ts'
import type { AccessChange } from './access-change.ts'
import { type Actor, requireScope, SCOPES, type Scope } from './actor.ts'
import { beginningOf, ENVIRONMENTS, hashApiKey, newApiKey } from './api-key.ts'
import { expiryNotAllowed, scopeNotHeld } from './problems.ts'

const DEFAULT_DAYS = 90
const MAX_DAYS = 366
const DAY_MS = 86_400_000

export const CreateApiKey = Type.Object(
  {
    name: internal(Type.String({ minLength: 1, maxLength: 100, description: 'What the key is for, such as "payroll nightly".' })),
    scopes: publicField(Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length, uniqueItems: true })),
    environment: Type.Optional(publicField(Type.Enum([...ENVIRONMENTS], { description: 'Shown in the key. Left out: live.' }))),
    expires_at: Type.Optional(
      publicField(Type.String({ format: 'date-time', description: `Left out: in ${DEFAULT_DAYS} days. At most ${MAX_DAYS} days ahead.` })),
    ),
  },
  { additionalProperties: false },
)
export type CreateApiKey = Static<typeof CreateApiKey>

/** The new key with its text, which nobody can ask for again. */
export type CreatedApiKey = { readonly id: string; readonly key: string; readonly startsWith: string; readonly expiresAt: Date }

/** Makes an API key. It can do no more than its creator can. */
export async function createApiKey({ tx, actor, record }: AccessChange, input: CreateApiKey): Promise<CreatedApiKey> {
  requireScope(actor, 'keys:write')
  refuseMoreThanOwn(actor, input.scopes)
  const expiresAt = expiryOf(input, tx.scope.now)
  const id = newId('key')
  const key = newApiKey(input.environment)
  await tx
    .insertInto('api_key')
    .values({
      tenant_id: tx.scope.tenantId,
      id,
      name: input.name,
      starts_with: beginningOf(key),
      key_hash: hashApiKey(key),
      scopes: [...input.scopes],
      // Whole milliseconds, so that a cursor made of it names the row exactly.
      created_at: tx.scope.now,
      created_by: actor.id,
      expires_at: expiresAt,
    })
    .execute()
  record({
    action: 'api_key.create',
    subjectType: 'api_key',
    subjectId: id,
    fields: [
      { path: 'name', after: input.name },
      { path: 'scopes', after: input.scopes },
      { path: 'expires_at', after: expiresAt },
    ],
  })
  return { id, key, startsWith: beginningOf(key), expiresAt }
}

function refuseMoreThanOwn(actor: Actor, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !actor.scopes.has(scope))
  if (missing.length === 0) return
  throw scopeNotHeld({
    errors: missing.map((scope) => ({
      pointer: '/scopes',
      message: `\`${scope}\` is not among the scopes of your key`,
      mend: 'Leave it out, or ask somebody who has it to create the key.',
    })),
  })
}

function expiryOf({ expires_at: given }: CreateApiKey, now: Date): Date {
  if (given === undefined) return new Date(now.getTime() + DEFAULT_DAYS * DAY_MS)
  const expiresAt = new Date(given)
  const message = refusedExpiry(expiresAt.getTime() - now.getTime())
  if (message)
    throw expiryNotAllowed({ errors: [{ pointer: '/expires_at', message, mend: 'Choose a time between now and 366 days from now.' }] })
  return expiresAt
}

function refusedExpiry(aheadMs: number): string | undefined {
  if (Number.isNaN(aheadMs)) return 'is not a time'
  if (aheadMs <= 0) return 'is in the past'
  return aheadMs > MAX_DAYS * DAY_MS ? `is more than ${MAX_DAYS} days ahead` : undefined
}
