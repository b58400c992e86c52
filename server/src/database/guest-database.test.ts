import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createGuestDatabase } from './guest-database.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from './test-database.ts'

describe('a guest database', () => {
  const name = `guest_${randomBytes(6).toString('hex')}`
  let database: TestDatabase
  before(async () => {
    database = await createTestDatabase()
  })
  after(async () => {
    await asAdmin(database.admin, (client) => client.query(`drop database if exists ${name}`))
    await asAdmin(database.admin, (client) => client.query(`drop role if exists ${name}`))
    await database.drop()
  })

  it('belongs to its own login, and is kept when it is asked for again with another password', async () => {
    const first = await createGuestDatabase(database.admin, { name, password: 'it\u2019s "one"' })
    await asAdmin(first, (client) => client.query('create table kept as select 42 as answer'))

    const again = await createGuestDatabase(database.admin, { name, password: "two'" })

    const { rows } = await asAdmin(again, (client) => client.query('select answer from kept'))
    assert.deepEqual(rows, [{ answer: 42 }])
  })

  it('gives no right to what is Tenure\u2019s', async () => {
    const guest = await createGuestDatabase(database.admin, { name, password: 'x' })

    const reading = asAdmin({ ...guest, database: database.admin.database! }, (client) => client.query('select * from tenant'))

    await assert.rejects(reading, /permission denied/)
  })

  it('takes no name that would have to be quoted', async () => {
    await assert.rejects(createGuestDatabase(database.admin, { name: 'a"; drop', password: 'x' }), /lower case letters/)
  })
})
