import { systemActor } from '../../access/actor.ts'
import { createAuthenticator } from '../../access/authenticate.ts'
import type { EgressPolicy } from '../../delivery/egress/egress-policy.ts'
import { createEndpoint } from '../../delivery/endpoints/create-endpoint.ts'
import { updateEndpoint } from '../../delivery/endpoints/update-endpoint.ts'
import { type Ground, inChange } from '../../events/change.ts'
import { createTenant } from '../../people/organisation/create-tenant.ts'
import { COMPANY } from '../demo/company-data.ts'
import { type Profile, readProfile, writeProfile } from '../profile.ts'
import { createFirstKey, listTenants } from '../tenants.ts'
import type { DevState } from './dev-state.ts'

const ACTOR = systemActor('demo', 'console')
const KEY_DAYS = 365
const RENEW_DAYS = 7
const DAY_MS = 86_400_000

/** What the demo allows and production never does: endpoints on this machine. */
const THIS_MACHINE: EgressPolicy = { allowedPrivate: [], extraPorts: [], loopbackPorts: 'any' }

/** True where it made the tenant. */
export async function ensureTenant(ground: Ground, tenantId: string): Promise<boolean> {
  const tenants = await listTenants(ground)
  if (tenants.some(({ tenant_id }) => tenant_id === tenantId)) return false
  await createTenant(ground, { tenantId, name: COMPANY.name, timeZone: COMPANY.timeZone, country: COMPANY.country })
  return true
}

/** The key of the folder's profile where it still works, else a new one; and the URL of this start. */
export async function ensureProfile(ground: Ground, tenantId: string, url: string, path: string): Promise<Profile> {
  const stored = readProfile(path)
  const works = stored && !expiresSoon(stored) && (await opens(ground, stored.key, tenantId))
  const profile = works ? { ...stored, url } : { url, ...(await makeKey(ground, tenantId)) }
  await writeProfile(path, profile)
  return profile
}

async function makeKey(ground: Ground, tenantId: string): Promise<{ key: string; expires_at: string }> {
  const wanted = new Date(Date.now() + KEY_DAYS * DAY_MS).toISOString()
  const { key, expiresAt } = await createFirstKey(ground, tenantId, { name: 'demo', environment: 'test', expiresAt: wanted })
  return { key, expires_at: expiresAt.toISOString() }
}

function expiresSoon({ expires_at }: Profile): boolean {
  return !expires_at || new Date(expires_at).getTime() < Date.now() + RENEW_DAYS * DAY_MS
}

async function opens({ database }: Ground, key: string, tenantId: string): Promise<boolean> {
  const principal = await createAuthenticator(database)(`Bearer ${key}`).catch(() => undefined)
  return principal?.tenantId === tenantId
}

/** The payroll system's endpoint, at the address of this start. What somebody else changed of it stays. */
export async function ensurePayrollEndpoint(ground: Ground, { tenant_id: tenantId, payroll }: DevState, url: string): Promise<string> {
  return inChange(ground, tenantId, ACTOR, async (change) => {
    const ours = change.tx.selectFrom('endpoint').select(['id', 'url'])
    const found = await (payroll.endpoint_id
      ? ours.where('id', '=', payroll.endpoint_id)
      : ours.where('created_by', '=', ACTOR.id)
    ).executeTakeFirst()
    if (!found) return (await createEndpoint(change, THIS_MACHINE, { ...PAYROLL_ENDPOINT, url, secret: payroll.signing_secret })).id
    if (found.url !== url) await updateEndpoint(change, found.id, { url }, { policy: THIS_MACHINE, requireVersion: () => {} })
    return found.id
  })
}

const PAYROLL_ENDPOINT = {
  name: 'payroll',
  event_types: ['employment.*', 'compensation.changed', 'assignment.changed', 'employee.updated'],
  detail: 'full' as const,
  grants: ['personal'],
}

const COUNT = {
  name: 'count-demo-deliveries',
  text: `select count(*)::int as total, (count(*) filter (where state = 'pending'))::int as pending from delivery where tenant_id = $1`,
}

export async function countDeliveries({ database }: Ground, tenantId: string): Promise<{ total: number; pending: number }> {
  const [count] = await database.asWorker<{ total: number; pending: number }>(COUNT, [tenantId])
  return count ?? { total: 0, pending: 0 }
}
