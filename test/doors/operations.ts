import type { Scope } from '../../server/src/access/actor.ts'
import { type Doors, SECOND_ENTITY } from './platform.ts'

/** Things of one tenant that requests can name, by the parameter of the path that names them. */
export type Named = Readonly<Record<string, string>>

export type Sample = {
  /** Every scope that the operation asks for: without any one of them it is refused, with exactly these it is done. */
  readonly scopes: readonly Scope[]
  readonly body?: Readonly<Record<string, unknown>>
  readonly query?: string
  readonly csv?: string
}

const person = {
  given_name: 'Ada',
  family_name: 'Byron',
  email: 'ada@example.com',
  birth_date: '1990-12-10',
  phone: '+49 30 1',
  nationality: 'DE',
}
const address = { lines: ['1 Main Street'], city: 'Berlin', postal_code: '10115', country: 'DE' }
const compensation = { pay_frequency: 'monthly', components: [{ kind: 'base', amount: '4000.00', currency: 'EUR', period: 'month' }] }
const assignment = { title: 'Analyst', cost_center: 'A1', fte: '1', weekly_hours: '40' }
const hire = { start_date: '2026-01-01', employment_type: 'employee', assignment, compensation }

/** A request of every operation that works, in an order in which all of them work one after another. */
export const OPERATIONS: Readonly<Record<string, Sample>> = {
  createLegalEntity: { scopes: ['organisation:write'], body: { code: 'L1', name: 'Example', country: 'DE' } },
  listLegalEntities: { scopes: ['organisation:read'] },
  createLocation: { scopes: ['organisation:write'], body: { code: 'B1', name: 'Berlin', time_zone: 'Europe/Berlin' } },
  listLocations: { scopes: ['organisation:read'] },
  createDepartment: { scopes: ['organisation:write'], body: { code: 'D1', name: 'Research' } },
  listDepartments: { scopes: ['organisation:read'] },
  createCandidate: {
    scopes: ['candidates:write'],
    body: { person: { ...person, address }, source: 'ats', source_id: '1', job_title: 'Analyst', stage: 'offer' },
  },
  listCandidates: { scopes: ['candidates:read'], query: 'status=active' },
  getCandidate: { scopes: ['candidates:read'] },
  changeCandidateStatus: { scopes: ['candidates:write'], body: { status: 'active', stage: 'second interview' } },
  hireCandidate: { scopes: ['candidates:write', 'employees:write'], body: { ...hire, employee_number: 'H1' } },
  createEmployee: {
    scopes: ['employees:write'],
    body: { ...hire, person: { ...person, national_id: { country: 'DE', type: 'tax_id', value: '1' } }, employee_number: 'E1' },
  },
  listEmployees: { scopes: ['employees:read'], query: 'employee_number=E1' },
  getEmployee: { scopes: ['employees:read'], query: 'as_of=2026-06-01&known_at=2036-01-01T00:00:00Z' },
  getEmployeeHistory: { scopes: ['employees:read'] },
  updatePerson: { scopes: ['employees:write'], body: { effective_date: '2026-02-01', person: { preferred_name: 'A', address } } },
  changeAssignment: { scopes: ['employees:write'], body: { effective_date: '2026-02-01', title: 'Lead', fte: '0.5', grade: 'G7' } },
  changeCompensation: { scopes: ['employees:write'], body: { effective_date: '2026-02-01', ...compensation, pay_group: 'monthly-de' } },
  terminateEmployment: {
    scopes: ['employees:write'],
    body: {
      end_date: '2099-01-01',
      last_day_worked: '2098-12-31',
      access_cutoff_at: '2098-12-31T17:00:00Z',
      termination: { type: 'voluntary', reason: 'moves', eligible_for_rehire: true },
    },
  },
  cancelTermination: { scopes: ['employees:write'], body: {} },
  startEmployment: { scopes: ['employees:write'], body: { ...hire, start_date: '2026-03-01', legal_entity_id: SECOND_ENTITY } },
  createEndpoint: {
    scopes: ['endpoints:write'],
    body: {
      name: 'payroll',
      url: 'https://hooks.example.com/in',
      event_types: ['employment.started'],
      detail: 'changed',
      grants: [],
      custom_headers: { 'x-token': 'abc' },
    },
  },
  listEndpoints: { scopes: ['endpoints:read'] },
  getEndpoint: { scopes: ['endpoints:read'] },
  updateEndpoint: { scopes: ['endpoints:write'], body: { name: 'payroll 2', state: 'active' } },
  testEndpoint: { scopes: ['endpoints:write', 'endpoints:read'] },
  listDeliveries: { scopes: ['deliveries:read'], query: 'state=dead' },
  getDelivery: { scopes: ['deliveries:read'] },
  redriveDelivery: { scopes: ['deliveries:write'] },
  retryDelivery: { scopes: ['deliveries:write'] },
  listEvents: { scopes: ['events:read'], query: 'type=candidate.created' },
  getEvent: { scopes: ['events:read'] },
  startImport: {
    scopes: ['imports:write', 'employees:write'],
    query: 'kind=employees',
    csv: 'external_id,given_name,family_name,start_date\n1,Ada,Byron,2026-01-01\n',
  },
  listImports: { scopes: ['imports:read'] },
  getImport: { scopes: ['imports:read'] },
  listBadImportRows: { scopes: ['imports:read'] },
  cancelImport: { scopes: ['imports:write', 'imports:read'] },
  createApiKey: {
    scopes: ['keys:write'],
    body: { name: 'nightly', scopes: ['keys:write'], environment: 'test' },
  },
  listApiKeys: { scopes: ['keys:read'] },
  getApiKey: { scopes: ['keys:read'] },
  revokeApiKey: { scopes: ['keys:write'] },
  listAuditEntries: { scopes: ['audit:read'] },
}

/** Ids of things that no tenant has, in the shape that things of their kind have. */
export const MISSING: Named = {
  candidate_id: 'can_0000000000000000000000',
  employee_id: 'emp_0000000000000000000000',
  endpoint_id: 'end_0000000000000000000000',
  delivery_id: 'dlv_0000000000000000000000',
  event_id: 'evt_0000000000000000000000',
  import_id: 'imp_0000000000000000000000',
  id: 'key_0000000000000000000000',
}

export type Operation = Sample & {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly statuses: readonly string[]
}

type Document = { readonly paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>> }

/** Every operation below /v1 that the API's own document names, in the order of the samples. Those without a sample come last. */
export async function readOperations(doors: Pick<Doors, 'call'>): Promise<Operation[]> {
  const { text } = await doors.call({ method: 'GET', path: '/openapi.json' })
  const { paths } = JSON.parse(text) as Document
  const order = Object.keys(OPERATIONS)
  return Object.entries(paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId, responses }]) => ({
        ...(OPERATIONS[operationId] ?? { scopes: [] }),
        name: operationId,
        method: method.toUpperCase(),
        path,
        statuses: Object.keys(responses),
      })),
    )
    .filter(({ path }) => path.startsWith('/v1/'))
    .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}

export function requestOf({ method, path, body, csv, query }: Operation, named: Named) {
  const at = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? 'nothing')
  return { method, path: query ? `${at}?${query}` : at, body: csv ?? body, type: csv === undefined ? undefined : 'text/csv' }
}

/** One of everything in a tenant: what the requests of the table name. */
export async function createNamed({ call, sql }: Doors, { tenantId, key }: { tenantId: string; key: string }): Promise<Named> {
  const post = async (path: string, body: unknown, type?: string) => {
    const { status, text } = await call({ method: 'POST', path, key, body, type })
    if (status >= 300) throw new Error(`POST ${path} was answered with ${status} ${text}`)
    return JSON.parse(text) as Record<string, string>
  }
  const { id: candidate_id } = await post('/v1/candidates', { person })
  const { employee_id } = await post('/v1/employees', { ...hire, person })
  const { id: endpoint_id } = await post('/v1/endpoints', { name: 'x', url: 'https://hooks.example.com/', event_types: ['*'] })
  await post(`/v1/endpoints/${endpoint_id}/test`, undefined)
  const { id: import_id } = await post('/v1/imports?kind=departments', 'code,name\nX,Y\n', 'text/csv')
  const { id } = await post('/v1/api_keys', { name: 'x', scopes: ['keys:read'] })
  const [delivery] = await sql<{ id: string; event_id: string }>(
    "update delivery set state = 'dead', failure = 'connect_refused', settled_at = now() where tenant_id = $1 returning id, event_id",
    [tenantId],
  )
  return { candidate_id, employee_id, endpoint_id, import_id, id, delivery_id: delivery?.id, event_id: delivery?.event_id } as Named
}
