import assert from 'node:assert/strict'
import type { Scope } from '../../access/actor.ts'
import { bearer, createTestServer, type TestServer, type TestTenant } from '../../http/test-server.ts'
import { candidateRoutes } from '../candidates/routes.ts'
import { employeeRoutes } from '../employees/routes.ts'
import { organisationRoutes } from '../organisation/routes.ts'

export const MISSING = { emp: `emp_${'0'.repeat(22)}`, can: `can_${'0'.repeat(22)}`, dep: `dep_${'0'.repeat(22)}` }
export const ADA = {
  given_name: 'Ada',
  family_name: 'Byron',
  email: 'ada@example.com',
  national_id: { country: 'DE', type: 'tax_id', value: 'N-12345' },
}
export const pay = (amount: string, more = {}) => ({
  components: [{ kind: 'base', amount, currency: 'EUR', period: 'month', ...more }],
  pay_frequency: 'monthly',
})

type Sent = { readonly key?: Pick<TestTenant, 'key'>; readonly headers?: Record<string, string> }

/** The API of people/ over a database of its own, and a legal entity to hire into. For tests only. */
export async function createPeopleApi() {
  const server: TestServer = await createTestServer({ routes: [employeeRoutes, candidateRoutes, organisationRoutes] })
  const send = (method: 'GET' | 'POST', path: string, payload: object | undefined, { key, headers }: Sent = {}) =>
    server.app.inject({
      method,
      url: `/v1${path}`,
      headers: { ...bearer(key ?? server.tenant), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
  const post = (path: string, payload: object, sent?: Sent) => send('POST', path, payload, sent)
  const get = (path: string, sent?: Sent) => send('GET', path, undefined, sent)
  const made = await post('/legal_entities', { code: 'main', name: 'Example', country: 'DE' })
  return {
    server,
    legalEntityId: made.json().id as string,
    send,
    post,
    get,
    keyWith: (...scopes: Scope[]) => server.newKey(scopes),
    async hire(more: object = {}): Promise<string> {
      const reply = await post('/employees', { person: ADA, start_date: '2020-01-01', compensation: pay('4000'), ...more })
      assert.equal(reply.statusCode, 201, reply.body)
      return reply.json().employee_id
    },
    candidate: async () => (await post('/candidates', { person: ADA })).json().id as string,
    versionOf: async (id: string) => (await get(`/employees/${id}`)).json().version as number,
  }
}

export type PeopleApi = Awaited<ReturnType<typeof createPeopleApi>>

export function assertProblem(reply: Awaited<ReturnType<PeopleApi['get']>>, status: number, code: string, pointer?: string): void {
  assert.deepEqual([reply.statusCode, reply.json().code], [status, code], reply.body)
  if (pointer) assert.equal(reply.json().errors[0].pointer, pointer)
}
