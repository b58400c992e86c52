import { randomBytes } from 'node:crypto'
import type { AccessChange } from '../../server/src/access/access-change.ts'
import { type Actor, systemActor } from '../../server/src/access/actor.ts'
import { createApiKey } from '../../server/src/access/create-api-key.ts'
import { audit } from '../../server/src/audit/audit.ts'
import { asAdmin } from '../../server/src/database/test-database.ts'
import { createEndpoint } from '../../server/src/delivery/endpoints/create-endpoint.ts'
import { type Change, inChange } from '../../server/src/events/change.ts'
import { newId } from '../../server/src/kit/ids.ts'
import { createCandidate } from '../../server/src/people/candidates/create-candidate.ts'
import { hireCandidate } from '../../server/src/people/candidates/hire-candidate.ts'
import { terminateEmployment } from '../../server/src/people/employees/terminate-employment.ts'
import { createTenant } from '../../server/src/people/organisation/create-tenant.ts'
import { createDepartment, createLocation } from '../../server/src/people/organisation/create-unit.ts'
import { type Company, createCompany } from '../../server/src/people/testing/company.ts'
import { seal } from '../../server/src/privacy/sealed-value.ts'

/** A database in which every table holds rows of two tenants, made by the commands that make them in life. */
export type TwoTenants = { readonly company: Company; readonly a: string; readonly b: string }

export async function createTwoTenants(): Promise<TwoTenants> {
  const company = await createCompany()
  const a = company.tenantId
  const b = newId('ten')
  try {
    await createTenant(company.ground, { tenantId: b, name: 'Other', timeZone: 'America/New_York', country: 'US' })
    for (const tenantId of [a, b]) await fillTenant(company, tenantId)
    return { company, a, b }
  } catch (error) {
    await company.close()
    throw error
  }
}

async function fillTenant({ ground, database }: Company, tenantId: string): Promise<void> {
  const actor = systemActor('test', 'test')
  const change = <Result>(work: (change: Change) => Promise<Result>) => inChange(ground, tenantId, actor, work)
  await change((one) =>
    createEndpoint(
      one,
      { allowedPrivate: [], extraPorts: [], loopbackPorts: [] },
      {
        name: 'payroll',
        url: 'https://payroll.example.com/hook',
        event_types: ['*'],
        custom_headers: { 'x-team': 'people' },
      },
    ),
  )
  await change((one) => createApiKey(accessChange(one, actor), { name: 'nightly', scopes: ['employees:read'] }))
  const department = await change((one) => createDepartment(one, { code: 'ops', name: 'Operations' }))
  const location = await change((one) => createLocation(one, { code: 'hq', name: 'Head office', time_zone: 'Europe/Berlin' }))
  const candidate = await change((one) => createCandidate(one, { person: { given_name: 'Ada', family_name: 'Byron' } }))
  const { employeeId } = await change((one) =>
    hireCandidate(one, candidate.id, {
      start_date: '2026-01-01',
      assignment: { title: 'Analyst', department_id: department.id, location_id: location.id },
      compensation: { components: [{ kind: 'base', amount: '4000.00', currency: 'EUR', period: 'month' }], pay_frequency: 'monthly' },
    }),
  )
  await change((one) => terminateEmployment(one, employeeId, { end_date: '2026-12-01' }))
  const sealed = await database.withTenant(tenantId, async (tx) =>
    seal(await ground.vault.tenantKey(tx), { tenantId, table: 'filled', column: 'x', row: 'x' }, 'x'),
  )
  await asAdmin(database.admin, async (client) => {
    for (const text of FILLINGS) await client.query(text, [tenantId, newId('row'), sealed].slice(0, text.includes('$3') ? 3 : 2))
  })
}

/** Tables that none of the commands above fills. A new table that stays empty fails the test until it gets its line here. */
const FILLINGS = [
  // The test's clock stands in the past, the database's own does not: there the key must be good.
  `update api_key set expires_at = now() + interval '1 day' where tenant_id = $1 and $2 <> ''`,
  `insert into external_id (tenant_id, system, subject_type, external_id, subject_id) select $1, 'ats', 'employee', $2, id from employee where tenant_id = $1`,
  `insert into attempt (tenant_id, id, delivery_id, endpoint_id, number, started_at, outcome, exchange)
   select $1, $2, id, endpoint_id, 1, now(), 'delivered', $3 from delivery where tenant_id = $1 limit 1`,
  `insert into idempotency_key (tenant_id, credential_id, key, request_hash, status, reply) values ($1, 'key_1', $2, '\\x00', 201, $3)`,
  `insert into import (tenant_id, id, kind, state, system, dry_run, all_or_nothing, silent, created_by, created_by_type)
   values ($1, $2, 'employees', 'done', 'csv', false, false, false, 'test', 'system')`,
  `insert into import_row (tenant_id, import_id, line, payload) select $1, id, 1, $3 from import where tenant_id = $1 and $2 <> ''`,
]

function accessChange({ tx, vault, id }: Change, actor: Actor): AccessChange {
  return { tx, actor, record: (entry) => audit(tx, vault, actor, { ...entry, changeSetId: id }) }
}

/** A name that nothing else in the cluster has: roles are shared by every database of the test server. */
export const newRoleName = () => `tenure_planted_${randomBytes(4).toString('hex')}`
