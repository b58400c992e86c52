import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemActor } from '../../access/actor.ts'
import { inChange } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import { type Company, createCompany } from '../testing/company.ts'
import { createTenant } from './create-tenant.ts'
import { createDepartment, createLegalEntity, createLocation } from './create-unit.ts'
import { checkReferences, defaultLegalEntity } from './references.ts'

describe('the organisation', () => {
  let company: Company
  before(async () => {
    company = await createCompany()
  })
  after(() => company.close())

  it('takes a code once for each kind and tenant, and again for another kind', async () => {
    const input = { code: 'north', name: 'North' }
    await company.change((change) => createDepartment(change, input))
    await assert.rejects(
      company.change((change) => createDepartment(change, input)),
      { code: 'code-taken' },
    )
    await company.change((change) => createLocation(change, { ...input, time_zone: 'Europe/Berlin' }))
    await company.change((change) => createLegalEntity(change, { ...input, country: 'DE' }))
  })

  it('audits each unit in the transaction that makes it, and leaves nothing behind when refused', async () => {
    const { id } = await company.change((change) => createDepartment(change, { code: 'audited', name: 'A' }))
    await assert.rejects(
      company.change((change) => createDepartment(change, { code: 'refused', name: 'R', parent_id: `dep_${'0'.repeat(22)}` })),
      { code: 'reference-not-found' },
    )
    const entries = await company.database.withTenant(company.tenantId, (tx) =>
      tx.selectFrom('audit_entry').select(['subject_id', 'action']).where('action', '=', 'department.create').execute(),
    )
    assert.ok(entries.some(({ subject_id }) => subject_id === id))
    const departments = await company.database.withTenant(company.tenantId, (tx) =>
      tx.selectFrom('department').select('id').where('code', '=', 'refused').execute(),
    )
    assert.deepEqual(departments, [])
  })

  it('refuses a reference into another tenant like one to nothing', async () => {
    const { id } = await company.change((change) => createDepartment(change, { code: 'own', name: 'Own' }))
    const tenantId = newId('ten')
    await createTenant(company.ground, { tenantId, name: 'Other', timeZone: 'UTC', country: 'US' })
    const inOther = inChange(company.ground, tenantId, systemActor('test', 'test'), (change) =>
      checkReferences(change.tx, [{ assignment: { department_id: id } }]),
    )
    await assert.rejects(inOther, { code: 'reference-not-found' })
    await company.change((change) => checkReferences(change.tx, [{ assignment: { department_id: id } }]))
  })

  it('refuses a tenant in a time zone that is not there', async () => {
    const made = createTenant(company.ground, { tenantId: newId('ten'), name: 'X', timeZone: 'Mars/Phobos', country: 'DE' })
    await assert.rejects(made, { code: 'unknown-time-zone' })
  })

  it('hires into the legal entity that the tenant began with, whatever others came later', async () => {
    const first = await company.change((change) => defaultLegalEntity(change.tx))
    await company.change((change) => createLegalEntity(change, { code: 'aaa', name: 'Later', country: 'US' }))
    assert.equal(await company.change((change) => defaultLegalEntity(change.tx)), first)
  })
})
