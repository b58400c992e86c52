import { identifier, internal, publicField, secret } from '@tenure/contract'
import Type from 'typebox'
import type { AccessChange } from '../access/access-change.ts'
import { SCOPES } from '../access/actor.ts'
import { CreateApiKey, createApiKey } from '../access/create-api-key.ts'
import { keyNotFound } from '../access/problems.ts'
import { type ApiKeyRow, findApiKey, listApiKeys } from '../access/queries.ts'
import { revokeApiKey } from '../access/revoke-api-key.ts'
import { audit } from '../audit/audit.ts'
import type { Change } from '../events/change.ts'
import { decodeCursor, limitOf, PageQuery, page, pageOf } from './paging.ts'
import type { RoutePlugin } from './route.ts'
import { runChange } from './run-change.ts'

const instant = () => Type.String({ format: 'date-time' })

const keyFields = {
  id: identifier('key'),
  name: internal(Type.String()),
  starts_with: internal(Type.String({ description: 'The first characters, to recognise the key by.' })),
  scopes: publicField(Type.Array(Type.String())),
  created_at: publicField(instant()),
  created_by: publicField(Type.String()),
  expires_at: publicField(instant()),
  revoked_at: publicField(Type.Union([instant(), Type.Null()])),
  last_used_at: publicField(Type.Union([instant(), Type.Null()], { description: 'To the minute.' })),
}
const ApiKey = Type.Object(keyFields, { additionalProperties: false })
const CreatedApiKey = Type.Object(
  {
    id: identifier('key'),
    key: secret(Type.String({ description: 'Shown this once. Nobody can read it again.' })),
    starts_with: internal(Type.String()),
    expires_at: publicField(instant()),
  },
  { additionalProperties: false },
)
const KeyId = Type.Object({ id: Type.String({ maxLength: 60 }) })

/** A place in the list of keys: milliseconds and id. */
const Position = Type.Tuple([Type.Integer(), Type.String()])

export const keyRoutes: RoutePlugin = (app, { ground }) => {
  const tags = ['Access']

  app.post(
    '/api_keys',
    {
      schema: {
        operationId: 'createApiKey',
        tags,
        summary: 'Make an API key',
        description: `The key is in the answer and nowhere else. Needs \`keys:write\`, and every scope that it gives: ${SCOPES.join(', ')}.`,
        body: CreateApiKey,
        response: { 201: CreatedApiKey },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        const { id, key, startsWith, expiresAt } = await createApiKey(accessChange(change), request.body)
        return {
          status: 201,
          body: { id, key, starts_with: startsWith, expires_at: expiresAt.toISOString() },
          headers: { location: `/v1/api_keys/${id}` },
        }
      }),
  )

  app.get(
    '/api_keys',
    {
      schema: {
        operationId: 'listApiKeys',
        tags,
        summary: 'List the API keys, newest first',
        querystring: PageQuery,
        response: { 200: page(ApiKey) },
      },
    },
    async ({ tenantId, actor, query }) => {
      const position = decodeCursor(query.cursor, Position)
      const limit = limitOf(query)
      const after = position && { createdAtMs: position[0], id: position[1] }
      const rows = await ground.database.withTenant(tenantId, (tx) =>
        listApiKeys(tx, actor, { limit: limit + 1, ...(after ? { after } : {}) }),
      )
      return pageOf(rows, limit, (row) => [row.created_at.getTime(), row.id], shown)
    },
  )

  app.get(
    '/api_keys/:id',
    { schema: { operationId: 'getApiKey', tags, summary: 'Show an API key', params: KeyId, response: { 200: ApiKey } } },
    async ({ tenantId, actor, params }) => {
      const row = await ground.database.withTenant(tenantId, (tx) => findApiKey(tx, actor, params.id))
      if (!row) throw keyNotFound()
      return shown(row)
    },
  )

  app.delete(
    '/api_keys/:id',
    {
      schema: {
        operationId: 'revokeApiKey',
        tags,
        summary: 'Revoke an API key',
        description: 'It stops working everywhere within a second. Revoking it again changes nothing.',
        params: KeyId,
        response: { 204: Type.Null({ description: 'Revoked.' }) },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        await revokeApiKey(accessChange(change), request.params.id)
        return { status: 204 }
      }),
  )
}

/** What the commands of access/ need of a change: they stand below the audit log and are handed the way to it. */
export function accessChange({ tx, vault, actor }: Change): AccessChange {
  return { tx, actor, record: (entry) => audit(tx, vault, actor, entry) }
}

function shown(row: ApiKeyRow) {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
  }
}
