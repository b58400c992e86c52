import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { candidateCreated } from '@tenure/contract'
import Type from 'typebox'
import { audit } from '../audit/audit.ts'
import type { Tx } from '../database/tenant-transaction.ts'
import { asAdmin } from '../database/test-database.ts'
import { emit } from '../events/emit.ts'
import { defineProblem } from '../kit/problem.ts'
import { forgetAnswersOnce } from './forget-answers.ts'
import type { RoutePlugin } from './route.ts'
import { runChange } from './run-change.ts'
import { bearer, createTestServer, type TestServer } from './test-server.ts'

const codeTaken = defineProblem('test-code-taken', 409, 'The code is taken.')

const Department = Type.Object({ code: Type.String(), next: Type.Optional(Type.String()) }, { additionalProperties: false })
const Made = Type.Object({ id: Type.String(), code: Type.String() })

let server: TestServer

/** What a crash of the database does to a transaction: its connection is gone. */
async function endConnection(tx: Tx): Promise<void> {
  const [row] = await tx.scope.run<{ pid: number }>({ name: 'pid', text: 'select pg_backend_pid() as pid' }, [])
  await asAdmin(server.database.admin, (client) => client.query('select pg_terminate_backend($1, 5000)', [row!.pid]))
}

/** Writes a row, an event and an audit entry, and only then fails if it was asked to: the worst moment. */
const departmentRoutes: RoutePlugin = (app, { ground }) => {
  app.post('/departments', { schema: { body: Department, response: { 201: Made } } }, (request, reply) =>
    runChange(ground, request, reply, async (change) => {
      const { code, next } = request.body
      const taken = await change.tx.selectFrom('department').select('id').where('code', '=', code).executeTakeFirst()
      if (taken) throw codeTaken()
      const id = `dep_${code}`
      await change.tx.insertInto('department').values({ tenant_id: request.tenantId, id, code, name: code }).execute()
      emit(change, candidateCreated, { data: candidateCreated.example, personId: null, orderKey: id })
      audit(change.tx, change.vault, change.actor, { action: 'department.create', subjectType: 'department', subjectId: id })
      if (next === 'refuse') throw codeTaken({ detail: 'Refused after the writing.' })
      if (next === 'fail') throw new Error('A bug.')
      if (next === 'crash')
        change.tx.scope.beforeCommit('crash', () => Promise.reject(new Error('The process ended just before the commit.')))
      if (next === 'disconnect') await endConnection(change.tx)
      if (next === 'dawdle') await change.tx.scope.run({ name: 'dawdle', text: 'select pg_sleep(0.5)' }, [])
      return { status: 201, body: { id, code, left_out: 'not in the schema' }, headers: { location: `/v1/departments/${id}` } }
    }),
  )
}

describe('a change with an idempotency key', () => {
  before(async () => {
    server = await createTestServer({ routes: [departmentRoutes] })
  })
  after(() => server.stop())

  const post = (
    body: object,
    key?: string,
    { tenant = server.tenant, headers = {} }: { tenant?: { key: string }; headers?: Record<string, string> } = {},
  ) =>
    server.app.inject({
      method: 'POST',
      url: '/v1/departments',
      headers: { ...bearer(tenant), ...(key ? { 'idempotency-key': key } : {}), ...headers },
      payload: body,
    })
  const count = (text: string, values: unknown[] = []) =>
    asAdmin(server.database.admin, async (client) => Number((await client.query(text, values)).rows[0].count))
  const written = async (code: string) => ({
    departments: await count('select count(*) from department where code = $1', [code]),
    events: await count('select count(*) from event where order_key = $1', [`dep_${code}`]),
    entries: await count('select count(*) from audit_entry where subject_id = $1', [`dep_${code}`]),
  })
  const ONCE = { departments: 1, events: 1, entries: 1 }
  const NOTHING = { departments: 0, events: 0, entries: 0 }

  it('has its effect once, and is answered again with the same bytes and headers', async () => {
    const first = await post({ code: 'once' }, 'k-once')
    const second = await post({ code: 'once' }, 'k-once')

    assert.equal(first.statusCode, 201)
    assert.deepEqual(first.json(), { id: 'dep_once', code: 'once' })
    assert.equal(first.headers['idempotency-replayed'], undefined)
    assert.equal(second.statusCode, 201)
    assert.equal(second.body, first.body)
    assert.equal(second.headers['location'], '/v1/departments/dep_once')
    assert.equal(second.headers['content-type'], first.headers['content-type'])
    assert.equal(second.headers['idempotency-replayed'], 'true')
    assert.deepEqual(await written('once'), ONCE)
  })

  it('is refused with 422 for another body, and changes nothing', async () => {
    await post({ code: 'other-a' }, 'k-other')
    const reused = await post({ code: 'other-b' }, 'k-other')

    assert.equal(reused.statusCode, 422)
    assert.equal(reused.json().code, 'idempotency-key-reused')
    assert.deepEqual(await written('other-b'), NOTHING)
  })

  it('is done once by twenty at the same time, and the others are told to wait or given the answer', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => post({ code: 'crowd', next: 'dawdle' }, 'k-crowd')))

    const fresh = replies.filter(({ statusCode, headers }) => statusCode === 201 && !headers['idempotency-replayed'])
    const waiting = replies.filter(({ statusCode }) => statusCode === 409)
    assert.equal(fresh.length, 1)
    assert.ok(waiting.length > 0)
    for (const reply of waiting) {
      assert.equal(reply.json().code, 'request-in-flight')
      assert.equal(reply.headers['retry-after'], '1')
    }
    for (const reply of replies) if (reply.statusCode === 201) assert.equal(reply.body, fresh[0]?.body)
    assert.ok(replies.every(({ statusCode }) => statusCode === 201 || statusCode === 409))
    assert.deepEqual(await written('crowd'), ONCE)
  })

  it('keeps a refusal as the answer, and nothing of the work that was refused', async () => {
    const first = await post({ code: 'refused', next: 'refuse' }, 'k-refused')
    const second = await post({ code: 'refused', next: 'refuse' }, 'k-refused')

    assert.equal(first.statusCode, 409)
    assert.equal(first.json().detail, 'Refused after the writing.')
    assert.equal(first.headers['idempotency-replayed'], undefined)
    assert.equal(second.body, first.body)
    assert.equal(second.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.equal(second.headers['idempotency-replayed'], 'true')
    assert.deepEqual(await written('refused'), NOTHING)
  })

  it('keeps no answer of a fault of ours, so that the next try can succeed', async () => {
    const failed = await post({ code: 'fault', next: 'fail' }, 'k-fault')
    assert.equal(failed.statusCode, 500)
    assert.deepEqual(await written('fault'), NOTHING)

    const again = await post({ code: 'fault' }, 'k-fault')
    assert.equal(again.statusCode, 201)
  })

  it('leaves nothing behind when everything was written and the commit did not come, and can be sent again', async () => {
    const stored = await count('select count(*) from idempotency_key')
    const crashed = await post({ code: 'crashed', next: 'crash' }, 'k-crashed')
    assert.equal(crashed.statusCode, 500)
    assert.deepEqual(await written('crashed'), NOTHING)
    assert.equal(await count('select count(*) from idempotency_key'), stored)

    const again = await post({ code: 'crashed' }, 'k-crashed')
    assert.equal(again.statusCode, 201)
    assert.equal(await count('select count(*) from idempotency_key'), stored + 1)
  })

  it('leaves nothing behind when the database goes away in the middle, and can be sent again', async () => {
    const lost = await post({ code: 'lost', next: 'disconnect' }, 'k-lost')
    assert.equal(lost.statusCode, 503)
    assert.ok(Number(lost.headers['retry-after']) > 0)
    assert.deepEqual(await written('lost'), NOTHING)

    const again = await post({ code: 'lost' }, 'k-lost')
    assert.equal(again.statusCode, 201)
    assert.equal(again.headers['idempotency-replayed'], undefined)
  })

  it('means another request under another credential and in another tenant', async () => {
    const other = await server.newTenant()
    const sibling = await server.newKey(['organisation:write'])
    await post({ code: 'scoped' }, 'k-scoped')

    const foreign = await post({ code: 'scoped' }, 'k-scoped', { tenant: other })
    assert.equal(foreign.statusCode, 201)
    assert.equal(foreign.headers['idempotency-replayed'], undefined)
    const siblings = await post({ code: 'scoped-2' }, 'k-scoped', { tenant: sibling })
    assert.equal(siblings.statusCode, 201)
  })

  it('is stored neither by its key nor with its answer in clear', async () => {
    await post({ code: 'canary-7731' }, 'ada.byron@example.com')
    const rows = await asAdmin(
      server.database.admin,
      async (client) => (await client.query('select i::text as text from idempotency_key i')).rows,
    )
    const text = JSON.stringify(rows)
    assert.ok(rows.length > 0)
    for (const clear of ['canary-7731', 'ada.byron@example.com', Buffer.from('canary-7731').toString('hex')])
      assert.ok(!text.includes(clear))
  })

  it('may be left out: every POST is then a request of its own', async () => {
    assert.equal((await post({ code: 'keyless' })).statusCode, 201)
    assert.equal((await post({ code: 'keyless' })).statusCode, 409)
    assert.deepEqual(await written('keyless'), ONCE)
  })

  it('must be visible ASCII of at most 255 characters', async () => {
    for (const key of ['a'.repeat(256), 'with space', '\x7f']) {
      const reply = await post({ code: 'bad-key' }, key)
      assert.equal(reply.statusCode, 400)
      assert.equal(reply.json().code, 'idempotency-key-not-valid')
    }
    assert.equal((await post({ code: 'long-key' }, 'a'.repeat(255))).statusCode, 201)
  })

  it('is forgotten after a week', async () => {
    await post({ code: 'aged' }, 'k-aged')
    await asAdmin(server.database.admin, (client) => client.query("update idempotency_key set created_at = now() - interval '8 days'"))
    await post({ code: 'young' }, 'k-young')

    assert.ok((await forgetAnswersOnce(server.database)) > 0)
    assert.equal(await count('select count(*) from idempotency_key'), 1)
    assert.equal((await post({ code: 'young' }, 'k-young')).headers['idempotency-replayed'], 'true')
  })
})
