import { CANDIDATE_STATUSES, Candidate, identifier, publicField } from '@tenure/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { requireScope } from '../../access/actor.ts'
import type { Change } from '../../events/change.ts'
import { etagOf, requireMatch } from '../../http/conditional.ts'
import { decodeCursor, limitOf, page, pageFields, pageOf } from '../../http/paging.ts'
import type { RouteContext, TypedApp } from '../../http/route.ts'
import { runChange } from '../../http/run-change.ts'
import { HireCandidate } from '../employees/inputs.ts'
import { Changed, Hired, IdCursor, Record, version } from '../shown.ts'
import { lockCandidate } from './candidate-row.ts'
import { changeCandidateStatus } from './change-status.ts'
import { createCandidate } from './create-candidate.ts'
import { hireCandidate } from './hire-candidate.ts'
import { ChangeCandidateStatus, CreateCandidate } from './inputs.ts'
import { getCandidate, listCandidates } from './queries.ts'

const CandidateId = Type.Object({ candidate_id: identifier('can') })

export function candidateRoutes(app: TypedApp, { ground }: RouteContext): void {
  const tags = ['Candidates']
  app.post(
    '/candidates',
    {
      schema: {
        operationId: 'createCandidate',
        tags,
        summary: 'Record a candidate',
        body: CreateCandidate,
        response: { 201: Type.Object({ id: identifier('can') }) },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        const { id } = await createCandidate(change, request.body)
        return { status: 201, body: { id }, headers: { location: `/v1/candidates/${id}` } }
      }),
  )
  const listQuery = Type.Object(
    { ...pageFields, status: Type.Optional(publicField(Type.Enum([...CANDIDATE_STATUSES]))) },
    { additionalProperties: false },
  )
  const item = Type.Object({ ...Candidate.properties, version })
  app.get(
    '/candidates',
    { schema: { operationId: 'listCandidates', tags, summary: 'List candidates', querystring: listQuery, response: { 200: page(item) } } },
    (request) =>
      ground.database.withTenant(request.tenantId, async (tx) => {
        const limit = limitOf(request.query)
        const [after] = decodeCursor(request.query.cursor, IdCursor) ?? []
        const { status } = request.query
        const rows = await listCandidates(tx, request.actor, {
          limit: limit + 1,
          ...(after ? { after } : {}),
          ...(status ? { status } : {}),
        })
        return pageOf(
          rows,
          limit,
          ({ id }) => [id],
          (row) => row,
        )
      }),
  )
  app.get(
    '/candidates/:candidate_id',
    { schema: { operationId: 'getCandidate', tags, summary: 'Read a candidate', params: CandidateId, response: { 200: Record } } },
    async (request, reply) => {
      const view = await ground.database.withTenant(request.tenantId, (tx) =>
        getCandidate(tx, ground.vault, request.actor, request.params.candidate_id),
      )
      reply.header('etag', etagOf(view.version))
      return view as never
    },
  )
  app.post(
    '/candidates/:candidate_id/status',
    {
      schema: {
        operationId: 'changeCandidateStatus',
        tags,
        summary: 'Move a candidate to another status or stage',
        params: CandidateId,
        body: ChangeCandidateStatus,
        response: { 200: Changed },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        await requireCandidateMatch(change, request, request.params.candidate_id)
        return { status: 200, body: { changed: await changeCandidateStatus(change, request.params.candidate_id, request.body) } }
      }),
  )
  app.post(
    '/candidates/:candidate_id/hire',
    {
      schema: {
        operationId: 'hireCandidate',
        tags,
        summary: 'Hire a candidate',
        description:
          'Opens employee, employment, assignment and pay together. The same hire again answers 200 with the same employee, and sends nothing.',
        params: CandidateId,
        body: HireCandidate,
        response: { 200: Hired, 201: Hired },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        await requireCandidateMatch(change, request, request.params.candidate_id)
        const { employeeId, employmentId, repeated } = await hireCandidate(change, request.params.candidate_id, request.body)
        const body = { employee_id: employeeId, employment_id: employmentId }
        return { status: repeated ? 200 : 201, body, headers: { location: `/v1/employees/${employeeId}` } }
      }),
  )
}

/** Only who may change a candidate learns whether the version is another. */
async function requireCandidateMatch(change: Change, request: Pick<FastifyRequest, 'headers'>, candidateId: string): Promise<void> {
  if (request.headers['if-match'] === undefined) return
  requireScope(change.actor, 'candidates:write')
  requireMatch(request, (await lockCandidate(change.tx, candidateId)).version)
}
