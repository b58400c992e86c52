import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SCOPES, type Scope } from '../server/src/access/actor.ts'
import { newApiKey } from '../server/src/access/api-key.ts'
import { createNamed, MISSING, type Named, OPERATIONS, type Operation, readOperations, requestOf } from './doors/operations.ts'
import { type Answer, type Doors, openDoors } from './doors/platform.ts'

type Tenant = { readonly tenantId: string; readonly key: string }

/** Generated from the API's own document: an operation that is added without a line in the table fails here. */
describe('every operation of the API', () => {
  let doors: Doors
  let operations: Operation[]
  let own: Tenant
  let stranger: Tenant
  let named: Named
  const keys = new Map<string, string>()
  before(async () => {
    doors = await openDoors()
    operations = await readOperations(doors)
    own = await doors.newTenant()
    stranger = await doors.newTenant()
    named = await createNamed(doors, own)
    await createNamed(doors, stranger)
  })
  after(() => doors.stop())

  /** Keys are made once for each set of scopes, before anything is compared. */
  async function keyWith(scopes: readonly Scope[]): Promise<string> {
    const name = scopes.join(' ')
    const key = keys.get(name) ?? (await doors.newKey(own.tenantId, scopes))
    keys.set(name, key)
    return key
  }
  const without = (scope: Scope) => keyWith(SCOPES.filter((one) => one !== scope))
  const problemOf = ({ text }: Answer) => JSON.parse(text) as { code: string; detail?: string }

  /** What is wrong with the answer to a key that lacks one scope: nothing, when it is refused for that scope. */
  async function faultWithout(operation: Operation, scope: Scope): Promise<string[]> {
    const answer = await doors.call({ ...requestOf(operation, named), key: await without(scope) })
    const refused = answer.status === 403 && problemOf(answer).code === 'not-allowed' && problemOf(answer).detail?.includes(`\`${scope}\``)
    return refused ? [] : [`${operation.name} without ${scope}: ${answer.status}`]
  }

  it('stands in the table of scopes, and the table holds no other', () => {
    assert.deepEqual(operations.map(({ name }) => name).sort(), Object.keys(OPERATIONS).sort())
    assert.ok(operations.length >= 42)
  })

  it('is refused to a key that lacks any one of its scopes and has all the others, and changes nothing', async () => {
    for (const scope of SCOPES) await without(scope)
    const before = await doors.fingerprint()
    const faults: string[] = []
    let asked = 0
    for (const operation of operations) {
      assert.ok(operation.scopes.length > 0, `${operation.name} asks for no scope`)
      for (const scope of operation.scopes) {
        faults.push(...(await faultWithout(operation, scope)))
        asked += 1
      }
    }
    assert.deepEqual(faults, [])
    assert.ok(asked >= operations.length)
    assert.equal(await doors.fingerprint(), before)
  })

  it('is refused to every key that has one scope alone, unless that is all it takes, and changes nothing', async () => {
    for (const scope of SCOPES) await keyWith([scope])
    const before = await doors.fingerprint()
    const faults: string[] = []
    for (const operation of operations) {
      for (const scope of SCOPES.filter((one) => !operation.scopes.includes(one))) {
        const { status } = await doors.call({ ...requestOf(operation, named), key: await keyWith([scope]) })
        if (status !== 403) faults.push(`${operation.name} with ${scope} alone: ${status}`)
      }
    }
    assert.deepEqual(faults, [])
    assert.equal(await doors.fingerprint(), before)
  })

  it('answers another tenant, byte for byte, as if the thing did not exist, and changes nothing', async () => {
    const before = await doors.fingerprint()
    const faults: string[] = []
    for (const operation of operations.filter(({ path }) => path.includes('{')))
      faults.push(...(await foreignFaults(operation, stranger.key)))
    assert.deepEqual(faults, [])
    assert.equal(await doors.fingerprint(), before)
  })

  /** What tells a foreign thing from a missing one, where the answer names it by the id that was asked for. */
  async function foreignFaults(operation: Operation, key: string): Promise<string[]> {
    const ask = async (ids: Named) => {
      const { status, text } = await doors.call({ ...requestOf(operation, ids), key })
      const bare = Object.values(ids).reduce((left, id) => left.replaceAll(id, '(id)'), text)
      return `${status} ${bare.replace(/"instance":"req_\w+"/, '')}`
    }
    const [foreign, missing] = [await ask(named), await ask(MISSING)]
    if (!missing.startsWith('404 ')) return [`${operation.name}: missing is ${missing}`]
    return foreign === missing ? [] : [`${operation.name}: ${foreign} but missing is ${missing}`]
  }

  it('shows nothing of another tenant in its lists', async () => {
    const secrets = Object.values(named)
    for (const operation of operations.filter(({ name }) => name.startsWith('list'))) {
      const { query: _query, ...whole } = operation
      const { status, text } = await doors.call({ ...requestOf(whole, named), path: requestOf(whole, MISSING).path, key: stranger.key })
      if (status === 200) for (const id of secrets) assert.ok(!text.includes(id), `${operation.name} shows ${id}`)
    }
  })

  it('would be told of by this harness, if it forgot a scope or a tenant', async () => {
    const getEmployee = operations.find(({ name }) => name === 'getEmployee')!
    assert.deepEqual(await faultWithout(getEmployee, 'audit:read'), ['getEmployee without audit:read: 200'])
    const [fault] = await foreignFaults(getEmployee, own.key)
    assert.match(fault!, /^getEmployee: 200 /)
    const before = await doors.fingerprint()
    await doors.call({ method: 'POST', path: '/v1/departments', key: own.key, body: { code: 'control', name: 'Control' } })
    assert.notEqual(await doors.fingerprint(), before)
  })

  it('is done for a key that has exactly its scopes', async () => {
    const faults: string[] = []
    for (const operation of operations) {
      const answer = await doors.call({ ...requestOf(operation, named), key: await keyWith(operation.scopes) })
      if (answer.status >= 300) faults.push(`${operation.name}: ${answer.status} ${answer.text}`)
      else if (!operation.statuses.includes(String(answer.status))) faults.push(`${operation.name}: ${answer.status} is not declared`)
    }
    assert.deepEqual(faults, [])
  })

  it('is refused without a key, with a broken, an unknown, an expired and a revoked one, and changes nothing', async () => {
    const [expired, revoked] = [await doors.newKey(own.tenantId), await doors.newKey(own.tenantId)]
    const starts = (key: string) => key.slice(0, 13)
    await doors.sql(
      "update api_key set created_at = now() - interval '2 days', expires_at = now() - interval '1 day' where starts_with = $1",
      [starts(expired)],
    )
    await doors.sql('update api_key set revoked_at = now() where starts_with = $1', [starts(revoked)])
    const before = await doors.fingerprint()
    for (const key of [undefined, 'tnr_live_broken', expired, revoked]) {
      for (const operation of operations) {
        const answer = await doors.call({ ...requestOf(operation, named), key })
        // An address that keeps sending keys which do not work is told to wait; that is no more than being refused.
        assert.ok(answer.status === 401 || (answer.status === 429 && key?.length === 45), `${operation.name}: ${answer.status}`)
      }
    }
    const unknown = await doors.call({ method: 'GET', path: '/v1/employees', key: newApiKey('live') })
    assert.ok([401, 429].includes(unknown.status))
    assert.equal(await doors.fingerprint(), before)
  })
})
