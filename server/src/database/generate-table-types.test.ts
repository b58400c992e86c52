import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { generateTableTypes, tableTypes } from './generate-table-types.ts'
import { asAdmin, createTestDatabase, type TestDatabase } from './test-database.ts'

describe('the generated table types', () => {
  let database: TestDatabase
  before(async () => {
    database = await createTestDatabase()
  })
  after(() => database.drop())

  const afterRunning = async (text: string) => {
    await asAdmin(database.admin, (client) => client.query(text))
    return tableTypes(database.admin)
  }

  it('are what the migrations make', async () => {
    assert.equal(await tableTypes(database.admin), await readFile(join(import.meta.dirname, 'tables.ts'), 'utf8'))
    assert.equal(await generateTableTypes(database.admin, { check: true }), true)
  })

  it('tell null, defaults, columns that the database writes, and the class of what is sealed', async () => {
    const text = await afterRunning(`
      create table drift (tenant_id text not null, note text, made timestamptz not null default now(), born date not null,
        n bigint generated always as identity, body sealed not null, plain sealed, during daterange generated always as (daterange(born, null)) stored);
      comment on column drift.body is 'secret'`)
    const [, columns] = /'drift': \{\n([^}]*)\n {2}\}/.exec(text) ?? []
    assert.deepEqual(
      columns?.split('\n').map((line) => line.trim()),
      [
        'tenant_id: string',
        'note: string | null',
        'made: Generated<Date>',
        'born: string',
        'n: ColumnType<number, never, never>',
        "body: Sealed<'secret'>",
        "plain: Sealed<'internal'> | null",
        'during: ColumnType<string | null, never, never>',
      ],
    )
    assert.equal(await generateTableTypes(database.admin, { check: true }), false, 'the check finds the drift')
  })

  it('name the column whose type has no TypeScript type yet', async () => {
    await assert.rejects(
      afterRunning('create table odd (shape polygon)'),
      /The column shape has the type polygon, which has no TypeScript type yet/,
    )
  })
})
