import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { newId } from '../../kit/ids.ts'
import { type Company, createCompany } from '../../people/testing/company.ts'
import { writeProfile } from '../profile.ts'
import { ensurePayrollEndpoint, ensureProfile, ensureTenant } from './demo-tenant.ts'
import { newDevState, readDevState, writeDevState } from './dev-state.ts'

const URL = 'http://127.0.0.1:3000'

describe('a start of the demo', () => {
  let company: Company
  let folder: string
  before(async () => {
    company = await createCompany({ now: new Date().toISOString() })
    folder = await mkdtemp(join(tmpdir(), 'tenure-demo-'))
  })
  after(async () => {
    await company.close()
    await rm(folder, { recursive: true })
  })

  it('makes its tenant once, under the id that was written down before', async () => {
    const tenantId = newId('ten')

    assert.equal(await ensureTenant(company.ground, tenantId), true)
    assert.equal(await ensureTenant(company.ground, tenantId), false)
  })

  it('keeps a key that works, and replaces one that does not open this tenant', async () => {
    const path = join(folder, 'cli.json')
    const first = await ensureProfile(company.ground, company.tenantId, URL, path)

    const again = await ensureProfile(company.ground, company.tenantId, 'http://127.0.0.1:3001', path)
    assert.deepEqual(again, { ...first, url: 'http://127.0.0.1:3001' })

    const other = newId('ten')
    await ensureTenant(company.ground, other)
    assert.notEqual((await ensureProfile(company.ground, other, URL, path)).key, first.key)
    await writeProfile(path, { ...first, expires_at: new Date().toISOString() })
    assert.notEqual((await ensureProfile(company.ground, company.tenantId, URL, path)).key, first.key, 'one that ends soon')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('sets up the payroll endpoint once, moves its address along, and leaves the rest as somebody set it', async () => {
    const state = { ...newDevState(), tenant_id: company.tenantId }
    const id = await ensurePayrollEndpoint(company.ground, state, `${URL}/webhooks`)
    await company.change(({ tx }) => tx.updateTable('endpoint').set({ state: 'paused' }).where('id', '=', id).execute())

    assert.equal(await ensurePayrollEndpoint(company.ground, state, `${URL}/elsewhere`), id)

    const endpoints = await company.change(({ tx }) => tx.selectFrom('endpoint').select(['url', 'state', 'detail']).execute())
    assert.deepEqual(endpoints, [{ url: `${URL}/elsewhere`, state: 'paused', detail: 'full' }])
  })

  it('writes down what it must find again, for its owner alone', async () => {
    const state = newDevState()

    await writeDevState(folder, state)

    assert.deepEqual(readDevState(folder), state)
    assert.equal((await stat(join(folder, 'dev.json'))).mode & 0o777, 0o600)
  })
})
