import type { Readable } from 'node:stream'
import { identifier, internal, publicField } from '@tenure/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Ground } from '../events/change.ts'
import { idempotencyKeyOf, keyReused, requestInFlight } from '../http/idempotency-key.ts'
import { decodeCursor, limitOf, PageQuery, page, pageOf } from '../http/paging.ts'
import type { RouteContext, TypedApp } from '../http/route.ts'
import { runChange } from '../http/run-change.ts'
import { cancelImport } from './cancel-import.ts'
import { IMPORT_KINDS } from './columns.ts'
import { readMapping } from './mapping.ts'
import { getImport, listBadRows, listImports } from './queries.ts'
import { hashOnce, type ImportOrder, isSameKey, receiveImport } from './receive-import.ts'

const flag = (description: string) => Type.Optional(publicField(Type.Boolean({ default: false, description })))
const StartImport = Type.Object(
  {
    kind: publicField(Type.Enum([...IMPORT_KINDS])),
    system: Type.Optional(
      internal(
        Type.String({
          pattern: '^[a-z0-9][a-z0-9_.-]{0,59}$',
          default: 'csv',
          description: 'The system whose external ids the file uses. Lower-case letters, digits, `_`, `.` and `-`.',
        }),
      ),
    ),
    dry_run: flag('Checks everything and changes nothing.'),
    all_or_nothing: flag('Applies the file only if every row is good, in one transaction.'),
    silent: flag('Emits no events: for a history that receivers have already.'),
  },
  { additionalProperties: false },
)
const STATES = ['receiving', 'checking', 'applying', 'done', 'failed', 'cancelled']
const state = publicField(Type.Enum(STATES))
const Started = Type.Object({ id: identifier('imp'), state })
const count = internal(Type.Integer())
const moment = internal(Type.Union([Type.String({ format: 'date-time' }), Type.Null()]))
const Import = Type.Object({
  id: identifier('imp'),
  kind: publicField(Type.Enum([...IMPORT_KINDS])),
  state,
  system: internal(Type.String()),
  dry_run: internal(Type.Boolean()),
  all_or_nothing: internal(Type.Boolean()),
  silent: internal(Type.Boolean()),
  ignored_columns: internal(Type.Array(Type.String(), { description: 'Columns of the file that nothing was made of.' })),
  rows: Type.Object({ total: count, applied: count, unchanged: count, bad: count }),
  progress: internal(Type.Number({ description: 'From 0 to 1.' })),
  rows_per_second: internal(Type.Union([Type.Integer(), Type.Null()])),
  failure: internal(Type.Union([Type.String(), Type.Null()], { description: 'not-received-whole, rows-are-bad or not-applied.' })),
  created_at: moment,
  started_at: moment,
  settled_at: moment,
  created_by: internal(Type.String()),
})
const nullableText = internal(Type.Union([Type.String(), Type.Null()]))
const BadRow = Type.Object({
  line: internal(Type.Integer({ description: 'The line of the file on which the row begins; the first line is 1.' })),
  faults: Type.Array(
    Type.Object({
      column: nullableText,
      value_class: internal(Type.String({ description: 'What kind of thing stands there. Never the value.' })),
      code: internal(Type.String()),
      message: internal(Type.String()),
      mend: internal(Type.String()),
    }),
  ),
})
const ImportId = Type.Object({ import_id: identifier('imp') })
const tags = ['Imports']

export function importRoutes(app: TypedApp, { ground }: RouteContext): void {
  startRoute(app, ground)
  readRoutes(app, ground)
  app.post(
    '/imports/:import_id/cancel',
    {
      schema: {
        operationId: 'cancelImport',
        tags,
        summary: 'Stop an import',
        description: 'What was applied stays; the other rows are forgotten.',
        params: ImportId,
        response: { 200: Import },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        await cancelImport(change, request.params.import_id)
        return { status: 200, body: await getImport(change.tx, request.actor, request.params.import_id) }
      }),
  )
}

/** In a scope of its own, which takes CSV as a stream: no limit on the whole, but on each row. */
function startRoute(app: TypedApp, ground: Ground): void {
  app.register(async (scope: TypedApp) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('text/csv', async (_request: FastifyRequest, body: unknown) => body)
    scope.post(
      '/imports',
      {
        bodyLimit: Number.MAX_SAFE_INTEGER,
        config: { slowBody: true },
        schema: {
          operationId: 'startImport',
          tags,
          summary: 'Import a CSV file of any size',
          description:
            'The body is the file (text/csv, UTF-8), streamed. The header `tenure-import-map` may carry the column mapping: JSON in base64url. ' +
            'Answered when the file is received whole; it is applied after that. See docs/imports.md.',
          querystring: StartImport,
          body: { content: { 'text/csv': { schema: internal(Type.Unsafe<unknown>({ description: 'The file.' })) } } },
          response: { 202: Started },
        },
      },
      (request, reply) => start(ground, request, reply, request.query) as Promise<never>,
    )
  })
}

async function start(ground: Ground, request: FastifyRequest, reply: FastifyReply, query: Static<typeof StartImport>) {
  const header = request.headers['tenure-import-map']
  const order: ImportOrder = {
    kind: query.kind,
    system: query.system ?? 'csv',
    dryRun: query.dry_run ?? false,
    allOrNothing: query.all_or_nothing ?? false,
    silent: query.silent ?? false,
    mapping: readMapping(typeof header === 'string' ? header : undefined),
  }
  const body = request.body as unknown as Readable
  try {
    const { id, state } = await receiveOnce(ground, request, reply, order, body.iterator({ destroyOnReturn: false }))
    reply.code(202).header('location', `/v1/imports/${id}`)
    return { id, state }
  } finally {
    // What was refused is read to its end and dropped: a sender that is cut off while it sends never reads the answer.
    body.resume()
  }
}

/**
 * A stream cannot be hashed before it is read, so an idempotency key stands for the import that it made: the same key with
 * the same address and mapping answers that import again, unread. While its file is coming in it is a conflict; one that
 * was not received whole has given its key back.
 */
async function receiveOnce(
  ground: Ground,
  request: FastifyRequest,
  reply: FastifyReply,
  order: ImportOrder,
  body: AsyncIterable<Uint8Array>,
) {
  const { tenantId, actor } = request
  const key = idempotencyKeyOf(request)
  if (!key) return receiveImport(ground, tenantId, actor, order, body)
  const asked = `${key.request} ${request.headers['tenure-import-map'] ?? ''}`
  const find = () =>
    ground.database.withTenant(tenantId, async (tx) => {
      const once = await hashOnce(tx, ground, key.key, asked)
      const found = await tx
        .selectFrom('import')
        .select(['id', 'state', 'request_hash'])
        .where('created_by', '=', actor.id)
        .where('idempotency_key', '=', once.key)
        .executeTakeFirst()
      return { once, found }
    })
  const { once, found } = await find()
  const made =
    found ??
    (await receiveImport(ground, tenantId, actor, { ...order, once }, body).catch(async (error: unknown) => {
      if (!isSameKey(error)) throw error
      return (await find()).found
    }))
  if (!made) throw requestInFlight({ retryAfterSeconds: 1 })
  if (!('request_hash' in made)) return made
  if (!made.request_hash?.equals(once.requestHash)) throw keyReused({ detail: 'Address and mapping must be the same as the first time.' })
  if (made.state === 'receiving') throw requestInFlight({ retryAfterSeconds: 5 })
  reply.header('idempotency-replayed', 'true')
  return made
}

function readRoutes(app: TypedApp, ground: Ground): void {
  app.get(
    '/imports',
    { schema: { operationId: 'listImports', tags, summary: 'List imports', querystring: PageQuery, response: { 200: page(Import) } } },
    (request) =>
      ground.database.withTenant(request.tenantId, async (tx) => {
        const limit = limitOf(request.query)
        const [createdAtMs, id] = decodeCursor(request.query.cursor, Type.Tuple([Type.Integer(), Type.String()])) ?? []
        const after = createdAtMs === undefined || id === undefined ? undefined : { createdAtMs, id }
        const rows = await listImports(tx, request.actor, after, limit + 1)
        return pageOf(
          rows,
          limit,
          (row) => [Date.parse(row.created_at), row.id],
          (row) => row,
        ) as never
      }),
  )
  app.get(
    '/imports/:import_id',
    { schema: { operationId: 'getImport', tags, summary: 'Read how far an import is', params: ImportId, response: { 200: Import } } },
    (request) =>
      ground.database.withTenant(request.tenantId, (tx) => getImport(tx, request.actor, request.params.import_id)) as Promise<never>,
  )
  app.get(
    '/imports/:import_id/bad_rows',
    {
      schema: {
        operationId: 'listBadImportRows',
        tags,
        summary: 'List the rows of an import that were not applied',
        params: ImportId,
        querystring: PageQuery,
        response: { 200: page(BadRow) },
      },
    },
    (request) =>
      ground.database.withTenant(request.tenantId, async (tx) => {
        const limit = limitOf(request.query)
        const [line] = decodeCursor(request.query.cursor, Type.Tuple([Type.Integer()])) ?? []
        const rows = await listBadRows(tx, request.actor, request.params.import_id, line ?? 0, limit + 1)
        return pageOf(
          rows,
          limit,
          (row) => [row.line],
          (row) => row,
        ) as never
      }),
  )
}
