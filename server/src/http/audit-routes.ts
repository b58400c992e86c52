import { internal, personal, publicField } from '@tenure/contract'
import Type from 'typebox'
import { requireScope } from '../access/actor.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { decodeCursor, limitOf, page, pageFields, pageOf } from './paging.ts'
import type { RoutePlugin } from './route.ts'

const AuditEntry = Type.Object(
  {
    id: publicField(Type.String()),
    recorded_at: publicField(Type.String({ format: 'date-time' })),
    actor: Type.Object({ type: publicField(Type.String()), id: publicField(Type.String()) }, { additionalProperties: false }),
    source: publicField(Type.String()),
    request_id: publicField(Type.Union([Type.String(), Type.Null()])),
    remote_address: personal(Type.Union([Type.String(), Type.Null()])),
    action: publicField(Type.String()),
    subject: Type.Object({ type: publicField(Type.String()), id: publicField(Type.String()) }, { additionalProperties: false }),
    change_set_id: publicField(Type.Union([Type.String(), Type.Null()])),
    fields: internal(Type.Array(Type.String(), { description: 'The paths that were touched. The log holds no values.' })),
  },
  { additionalProperties: false },
)

const AuditQuery = Type.Object(
  { ...pageFields, subject_id: Type.Optional(publicField(Type.String({ maxLength: 60, description: 'Only what was done to this.' }))) },
  { additionalProperties: false },
)

const Position = Type.Tuple([Type.Integer()])

export const auditRoutes: RoutePlugin = (app, { ground }) => {
  app.get(
    '/audit_entries',
    {
      schema: {
        operationId: 'listAuditEntries',
        tags: ['Access'],
        summary: 'List who did what, newest first',
        description: 'Needs `audit:read`.',
        querystring: AuditQuery,
        response: { 200: page(AuditEntry) },
      },
    },
    async ({ tenantId, actor, query }) => {
      requireScope(actor, 'audit:read')
      const before = decodeCursor(query.cursor, Position)?.[0]
      const limit = limitOf(query)
      const rows = await ground.database.withTenant(tenantId, (tx) =>
        selectEntries(tx, { before, subjectId: query.subject_id, limit: limit + 1 }),
      )
      return pageOf(rows, limit, ({ position }) => [position], shown)
    },
  )
}

type Filter = { readonly before: number | undefined; readonly subjectId: string | undefined; readonly limit: number }
type Row = Awaited<ReturnType<typeof selectEntries>>[number]

function selectEntries(tx: Tx, { before, subjectId, limit }: Filter) {
  return tx
    .selectFrom('audit_entry')
    .selectAll()
    .where('tenant_id', '=', tx.scope.tenantId)
    .$if(before !== undefined, (query) => query.where('position', '<', before!))
    .$if(subjectId !== undefined, (query) => query.where('subject_id', '=', subjectId!))
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()
}

function shown(row: Row) {
  return {
    id: row.id,
    recorded_at: row.recorded_at.toISOString(),
    actor: { type: row.actor_type, id: row.actor_id },
    source: row.source,
    request_id: row.request_id,
    remote_address: row.remote_address,
    action: row.action,
    subject: { type: row.subject_type, id: row.subject_id },
    change_set_id: row.change_set_id,
    fields: (row.fields as unknown as readonly { readonly path: string }[]).map(({ path }) => path),
  }
}
