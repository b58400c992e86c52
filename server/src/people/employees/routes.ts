import { CalendarDate, identifier, internal, Moment, publicField } from '@tenure/contract'
import type { FastifyRequest } from 'fastify'
import Type, { type Static, type TObject } from 'typebox'
import { requireScope } from '../../access/actor.ts'
import type { Change } from '../../events/change.ts'
import { etagOf, requireMatch } from '../../http/conditional.ts'
import { decodeCursor, limitOf, PageQuery, page, pageOf } from '../../http/paging.ts'
import type { RouteContext, TypedApp } from '../../http/route.ts'
import { runChange } from '../../http/run-change.ts'
import { Changed, Hired, IdCursor, Record, version } from '../shown.ts'
import { changeAssignment } from './change-assignment.ts'
import { changeCompensation } from './change-compensation.ts'
import { createEmployee } from './create-employees.ts'
import {
  CancelTermination,
  ChangeAssignment,
  ChangeCompensation,
  CreateEmployee,
  StartEmployment,
  TerminateEmployment,
  UpdatePerson,
} from './inputs.ts'
import { getEmployee, getEmployeeHistory, listEmployees } from './queries.ts'
import { startEmployment } from './start-employment.ts'
import { cancelTermination, terminateEmployment } from './terminate-employment.ts'
import { updatePerson } from './update-person.ts'
import { employeeVersion } from './version.ts'

const EmployeeId = Type.Object({ employee_id: identifier('emp') })

export function employeeRoutes(app: TypedApp, { ground }: RouteContext): void {
  const tags = ['Employees']
  app.post(
    '/employees',
    {
      schema: {
        operationId: 'createEmployee',
        tags,
        summary: 'Enter an employee who was never a candidate',
        body: CreateEmployee,
        response: { 201: Hired },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        const { employeeId, employmentId } = await createEmployee(change, request.body)
        const body = { employee_id: employeeId, employment_id: employmentId }
        return { status: 201, body, headers: { location: `/v1/employees/${employeeId}` } }
      }),
  )
  const listQuery = Type.Object(
    { ...PageQuery.properties, employee_number: Type.Optional(internal(Type.String({ maxLength: 60 }))) },
    { additionalProperties: false },
  )
  const item = Type.Object({ id: identifier('emp'), employee_number: internal(Type.String()), version })
  app.get(
    '/employees',
    { schema: { operationId: 'listEmployees', tags, summary: 'List employees', querystring: listQuery, response: { 200: page(item) } } },
    (request) =>
      ground.database.withTenant(request.tenantId, async (tx) => {
        const limit = limitOf(request.query)
        const [after] = decodeCursor(request.query.cursor, IdCursor) ?? []
        const { employee_number: employeeNumber } = request.query
        const rows = await listEmployees(tx, request.actor, {
          limit: limit + 1,
          ...(after ? { after } : {}),
          ...(employeeNumber ? { employeeNumber } : {}),
        })
        return pageOf(
          rows,
          limit,
          ({ id }) => [id],
          (row) => row,
        )
      }),
  )
  const asOf = Type.Optional(internal(Type.Union([CalendarDate], { description: 'On this date at the site. Left out: today.' })))
  const knownAt = Type.Optional(internal(Type.Union([Moment], { description: 'As it was known at this moment. Left out: now.' })))
  app.get(
    '/employees/:employee_id',
    {
      schema: {
        operationId: 'getEmployee',
        tags,
        summary: 'Read an employee, on any date, as known at any moment',
        params: EmployeeId,
        querystring: Type.Object({ as_of: asOf, known_at: knownAt }, { additionalProperties: false }),
        response: { 200: Record },
      },
    },
    async (request, reply) => {
      const { as_of, known_at } = request.query
      const query = { ...(as_of ? { asOf: as_of } : {}), ...(known_at ? { knownAt: new Date(known_at) } : {}) }
      const view = await ground.database.withTenant(request.tenantId, (tx) =>
        getEmployee(tx, ground.vault, request.actor, request.params.employee_id, query),
      )
      reply.header('etag', etagOf(view.version))
      return view as never
    },
  )
  const fact = Type.Object({ subject: publicField(Type.String()), subject_id: publicField(Type.String()) }, { additionalProperties: true })
  app.get(
    '/employees/:employee_id/history',
    {
      schema: {
        operationId: 'getEmployeeHistory',
        tags,
        summary: 'Every fact about an employee, also those no longer believed',
        params: EmployeeId,
        response: { 200: Type.Object({ data: Type.Array(fact) }) },
      },
    },
    async (request) => {
      const data = await ground.database.withTenant(request.tenantId, (tx) =>
        getEmployeeHistory(tx, ground.vault, request.actor, request.params.employee_id),
      )
      return { data } as never
    },
  )
  employeeChanges(app, { ground })
}

type EmployeeCommand<Body> = (change: Change, employeeId: string, body: Body) => Promise<boolean>

/** The changes of an employee: alike as routes, each a command of its own. `If-Match` guards every one of them. */
function employeeChanges(app: TypedApp, { ground }: RouteContext): void {
  const tags = ['Employees']
  const changeRoute = <Body extends TObject>(
    path: string,
    operationId: string,
    summary: string,
    body: Body,
    command: EmployeeCommand<Static<Body>>,
  ) =>
    app.post(
      `/employees/:employee_id/${path}`,
      { schema: { operationId, tags, summary, params: EmployeeId, body, response: { 200: Changed } } },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => {
          const { employee_id } = request.params as Static<typeof EmployeeId>
          await requireEmployeeMatch(change, request, employee_id)
          return { status: 200, body: { changed: await command(change, employee_id, request.body as Static<Body>) } }
        }),
    )
  changeRoute('person', 'updatePerson', 'Change personal data, from a date on', UpdatePerson, updatePerson)
  changeRoute('assignment', 'changeAssignment', 'Change the job, from a date on', ChangeAssignment, changeAssignment)
  changeRoute('compensation', 'changeCompensation', 'Change the pay, from a date on', ChangeCompensation, changeCompensation)
  changeRoute('termination', 'terminateEmployment', 'End an employment, now or on a later date', TerminateEmployment, terminateEmployment)
  changeRoute(
    'termination/cancel',
    'cancelTermination',
    'Withdraw a scheduled termination',
    CancelTermination,
    async (change, id, body) => {
      await cancelTermination(change, id, body)
      return true
    },
  )
  app.post(
    '/employees/:employee_id/employments',
    {
      schema: {
        operationId: 'startEmployment',
        tags,
        summary: 'Open another employment: a rehire, or a second legal entity',
        params: EmployeeId,
        body: StartEmployment,
        response: { 201: Type.Object({ employment_id: identifier('ept') }) },
      },
    },
    (request, reply) =>
      runChange(ground, request, reply, async (change) => {
        await requireEmployeeMatch(change, request, request.params.employee_id)
        const { employmentId } = await startEmployment(change, request.params.employee_id, request.body)
        return { status: 201, body: { employment_id: employmentId } }
      }),
  )
}

/** Only who may change an employee learns whether the version is another. */
async function requireEmployeeMatch(change: Change, request: Pick<FastifyRequest, 'headers'>, employeeId: string): Promise<void> {
  if (request.headers['if-match'] === undefined) return
  requireScope(change.actor, 'employees:write')
  requireMatch(request, await employeeVersion(change.tx, employeeId))
}
