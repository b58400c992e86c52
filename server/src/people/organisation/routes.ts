import { Country, identifier, internal } from '@tenure/contract'
import Type, { type TObject, type TSchema } from 'typebox'
import { requireScope } from '../../access/actor.ts'
import type { Change } from '../../events/change.ts'
import { decodeCursor, limitOf, PageQuery, page, pageOf } from '../../http/paging.ts'
import type { RouteContext, TypedApp } from '../../http/route.ts'
import { runChange } from '../../http/run-change.ts'
import { createDepartment, createLegalEntity, createLocation } from './create-unit.ts'
import { CreateDepartment, CreateLegalEntity, CreateLocation } from './inputs.ts'

type Unit = {
  readonly path: 'departments' | 'locations' | 'legal_entities'
  readonly table: 'department' | 'location' | 'legal_entity'
  readonly prefix: string
  readonly name: string
  readonly input: TObject
  readonly fields: Record<string, TSchema>
  readonly create: (change: Change, input: never) => Promise<{ id: string }>
}

const text = internal(Type.String())
const named = { code: text, name: text }

const UNITS: readonly Unit[] = [
  {
    path: 'departments',
    table: 'department',
    prefix: 'dep',
    name: 'Department',
    input: CreateDepartment,
    fields: { ...named, parent_id: Type.Union([identifier('dep'), Type.Null()]) },
    create: createDepartment,
  },
  {
    path: 'locations',
    table: 'location',
    prefix: 'loc',
    name: 'Location',
    input: CreateLocation,
    fields: { ...named, time_zone: text },
    create: createLocation,
  },
  {
    path: 'legal_entities',
    table: 'legal_entity',
    prefix: 'len',
    name: 'LegalEntity',
    input: CreateLegalEntity,
    fields: { ...named, country: internal(Country) },
    create: createLegalEntity,
  },
]

const PLURALS = { departments: 'Departments', locations: 'Locations', legal_entities: 'LegalEntities' }

/** Departments, locations and legal entities: each has a code, and is created and listed. */
export function organisationRoutes(app: TypedApp, { ground }: RouteContext): void {
  const tags = ['Organisation']
  for (const { path, table, prefix, name, input, fields, create } of UNITS) {
    app.post(
      `/${path}`,
      {
        schema: {
          operationId: `create${name}`,
          tags,
          summary: `Create a ${table.replace('_', ' ')}`,
          body: input,
          response: { 201: Type.Object({ id: identifier(prefix) }) },
        },
      },
      (request, reply) =>
        runChange(ground, request, reply, async (change) => ({ status: 201, body: await create(change, request.body as never) })),
    )
    const item = Type.Object({ id: identifier(prefix), ...fields })
    app.get(
      `/${path}`,
      {
        schema: {
          operationId: `list${PLURALS[path]}`,
          tags,
          summary: `List ${path.replace('_', ' ')}`,
          querystring: PageQuery,
          response: { 200: page(item) },
        },
      },
      (request) =>
        ground.database.withTenant(request.tenantId, async (tx) => {
          requireScope(request.actor, 'organisation:read')
          const limit = limitOf(request.query)
          const [after] = decodeCursor(request.query.cursor, Type.Tuple([Type.String()])) ?? []
          const rows = await tx
            .selectFrom(table)
            .selectAll()
            .where('id', '>', after ?? '')
            .orderBy('id')
            .limit(limit + 1)
            .execute()
          return pageOf(
            rows,
            limit,
            ({ id }) => [id],
            (row) => row,
          ) as never
        }),
    )
  }
}
