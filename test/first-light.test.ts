import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inFolder } from './proof/folder.ts'
import { createPayroll } from './proof/payroll-process.ts'
import { createPlatform, waitUntil } from './proof/platform.ts'
import { proveCrash } from './proof/prove-crash.ts'

describe('a hire reaches payroll', () => {
  it('from the candidate to the payroll record, signed, with pay and tax profile, and closes it at the end', async () => {
    await inFolder('journey', async (folder) => {
      const platform = await createPlatform(join(folder, 'tenure'))
      await platform.start()
      const payroll = await createPayroll(join(folder, 'payroll'), platform)
      try {
        await payroll.start()
        const person = {
          given_name: 'Ada',
          family_name: 'Byron',
          tax_profile: { country: 'DE', form: 'elstam' },
          tax_elections: { class: 'canary' },
        }
        const candidate = await platform.request('POST', '/v1/candidates', { body: { person, source: 'ats', source_id: '4711' } })
        assert.equal(candidate?.status, 201)
        const pay = { components: [{ kind: 'base', amount: '4250.00', currency: 'EUR', period: 'month' }], pay_frequency: 'monthly' }
        const hire = { start_date: '2026-01-01', compensation: pay, assignment: { title: 'Analyst' } }
        const hired = await platform.request('POST', `/v1/candidates/${candidate?.body['id']}/hire`, { body: hire })
        assert.equal(hired?.status, 201)
        const employeeId = String(hired?.body['employee_id'])
        const again = await platform.request('POST', `/v1/candidates/${candidate?.body['id']}/hire`, { body: hire })
        assert.deepEqual([again?.status, again?.body['employee_id']], [200, employeeId])

        const record = async () =>
          (await payroll.query<{ status: string }>(`select status from payroll_record where employee_id = '${employeeId}'`))[0]
        await waitUntil(async () => (await record())?.status === 'open', 10_000, 'the payroll record')
        const [paid] = await payroll.query<{ amount: string }>(
          `select components->0->>'amount' as amount from payroll_compensation where employee_id = '${employeeId}'`,
        )
        assert.equal(paid?.amount, '4250.00')
        const [known] = await payroll.query<{ tax_country: string; tax_form: string }>(
          `select tax_country, tax_form from payroll_employee where employee_id = '${employeeId}'`,
        )
        assert.deepEqual(known, { tax_country: 'DE', tax_form: 'elstam' })

        const ended = await platform.request('POST', `/v1/employees/${employeeId}/termination`, { body: { end_date: '2026-06-01' } })
        assert.equal(ended?.status, 200)
        await waitUntil(async () => (await record())?.status === 'closed', 10_000, 'the record to be closed')
        const rows = await payroll.query('select * from payroll_record')
        assert.equal(rows.length, 1)
        assert.ok(
          !JSON.stringify(await payroll.query('select * from payroll_employee')).includes('canary'),
          'a secret field left the house',
        )
      } finally {
        await payroll.stop()
        await platform.stop()
      }
    })
  })

  it('also when the server and payroll are killed with -9 at random moments', { timeout: 240_000 }, async (context) => {
    const verdict = await inFolder('crash', (folder) => proveCrash(folder, { kills: 3, receiverKills: 2, writers: 4, seed: 7 }))
    context.diagnostic(JSON.stringify(verdict))
    assert.equal(verdict.clean, true, JSON.stringify(verdict))
    assert.ok(verdict.acknowledged > 20, 'the writers wrote too little to prove anything')
  })
})
