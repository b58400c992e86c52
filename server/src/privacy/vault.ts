import { randomBytes, randomUUID } from 'node:crypto'
import type { Tx } from '../database/tenant-transaction.ts'
import type { RootKeys } from './key-file.ts'
import { CannotOpen, type DataKey, dataKey, open, seal } from './sealed-value.ts'

/**
 * The keys of the data: root key → tenant key → key per person. Destroying a person's key row makes every copy of what it
 * sealed unreadable, wherever that copy stands.
 */
export type Vault = {
  /** Makes the key of a new tenant. */
  createTenantKey(tx: Tx): Promise<void>
  /** The key for what belongs to no person: endpoint secrets, replies, events without a person. */
  tenantKey(tx: Tx): Promise<DataKey>
  /** Makes a key for each new person. */
  createPersonKeys(tx: Tx, personIds: readonly string[]): Promise<ReadonlyMap<string, DataKey>>
  /** The keys of these persons. A person whose key was destroyed is missing from the answer. */
  personKeys(tx: Tx, personIds: readonly string[]): Promise<ReadonlyMap<string, DataKey>>
}

type TenantKey = DataKey & { readonly keyId: string }

const CACHED_PERSONS = 50_000
const CACHED_FOR_MS = 5 * 60_000

export function createVault(rootKeys: RootKeys): Vault {
  const tenants = new Map<string, TenantKey>()
  const persons = createCache()
  const ofTransaction = new WeakMap<Tx, Map<string, DataKey>>()
  const tenantOfTransaction = new WeakMap<Tx, TenantKey>()

  /** Remembers a key for the rest of the transaction, and for later ones once it has committed. */
  function remember(tx: Tx, personId: string, key: DataKey): void {
    const known = ofTransaction.get(tx) ?? new Map<string, DataKey>()
    ofTransaction.set(tx, known.set(personId, key))
    tx.scope.afterCommit(() => persons.set(`${tx.scope.tenantId}/${personId}`, key))
  }

  async function ownTenantKey(tx: Tx): Promise<TenantKey> {
    const { tenantId } = tx.scope
    const cached = tenants.get(tenantId) ?? tenantOfTransaction.get(tx)
    if (cached) return cached
    const row = await tx.selectFrom('keys.tenant_key').selectAll().orderBy('created_at', 'desc').limit(1).executeTakeFirst()
    if (!row) throw new CannotOpen('The tenant has no key.')
    const root = rootKeys.find(({ id }) => id === row.root_key_id)
    if (!root) throw new CannotOpen(`The key file lacks the root key '${row.root_key_id}', which wraps this tenant's key.`)
    const key = unwrap(rootDataKey(root), tenantId, row.key_id, row.wrapped)
    tenantOfTransaction.set(tx, key)
    // A key that this transaction made, and rolled back, must not be found by the next one.
    tx.scope.afterCommit(() => tenants.set(tenantId, key))
    return key
  }

  async function createPersonKeys(tx: Tx, personIds: readonly string[]) {
    const { tenantId } = tx.scope
    const wrapping = await ownTenantKey(tx)
    const made = personIds.map((personId) => {
      const keyId = randomUUID()
      const secret = randomBytes(32)
      return { personId, keyId, key: dataKey(uuidBytes(keyId), secret), wrapped: seal(wrapping, keyPlace(tenantId, keyId), secret) }
    })
    await tx.scope.run(INSERT_PERSON_KEYS, [
      tenantId,
      wrapping.keyId,
      made.map((m) => m.keyId),
      made.map((m) => m.personId),
      made.map((m) => m.wrapped),
    ])
    for (const { personId, key } of made) remember(tx, personId, key)
    return new Map(made.map(({ personId, key }) => [personId, key]))
  }

  async function personKeys(tx: Tx, personIds: readonly string[]) {
    const { tenantId } = tx.scope
    const found = new Map<string, DataKey>()
    const missing: string[] = []
    for (const personId of new Set(personIds)) {
      const key = ofTransaction.get(tx)?.get(personId) ?? persons.get(`${tenantId}/${personId}`)
      if (key) found.set(personId, key)
      else missing.push(personId)
    }
    if (missing.length === 0) return found
    const wrapping = await ownTenantKey(tx)
    const rows = await tx.scope.run<{ person_id: string; key_id: string; wrapped: Buffer }>(SELECT_PERSON_KEYS, [tenantId, missing])
    for (const { person_id, key_id, wrapped } of rows) {
      const key = unwrap(wrapping, tenantId, key_id, wrapped)
      found.set(person_id, key)
      remember(tx, person_id, key)
    }
    return found
  }

  return {
    async createTenantKey(tx) {
      const { tenantId } = tx.scope
      const keyId = randomUUID()
      const [root] = rootKeys
      const wrapped = seal(rootDataKey(root), keyPlace(tenantId, keyId), randomBytes(32))
      await tx.insertInto('keys.tenant_key').values({ tenant_id: tenantId, key_id: keyId, root_key_id: root.id, wrapped }).execute()
    },
    tenantKey: ownTenantKey,
    createPersonKeys,
    personKeys,
  }
}

const INSERT_PERSON_KEYS = {
  name: 'insert-person-keys',
  text: `insert into keys.person_key (tenant_id, tenant_key_id, key_id, person_id, wrapped)
         select $1, $2, * from unnest($3::uuid[], $4::text[], $5::bytea[])`,
}

const SELECT_PERSON_KEYS = {
  name: 'select-person-keys',
  text: 'select person_id, key_id, wrapped from keys.person_key where tenant_id = $1 and person_id = any($2)',
}

function rootDataKey({ id, secret }: RootKeys[0]): DataKey {
  return dataKey(Buffer.alloc(16, id), secret)
}

function unwrap(wrapping: DataKey, tenantId: string, keyId: string, wrapped: Buffer): TenantKey {
  return { ...dataKey(uuidBytes(keyId), open(wrapping, keyPlace(tenantId, keyId), wrapped)), keyId }
}

const keyPlace = (tenantId: string, keyId: string) => ({ tenantId, table: 'key', column: 'wrapped', row: keyId })

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/** Keys in memory: bounded, the least used go first, and none is believed for longer than five minutes. */
function createCache() {
  const entries = new Map<string, { key: DataKey; until: number }>()
  return {
    get(name: string): DataKey | undefined {
      const entry = entries.get(name)
      if (!entry) return undefined
      entries.delete(name)
      if (entry.until < performance.now()) return undefined
      entries.set(name, entry)
      return entry.key
    },
    set(name: string, key: DataKey): void {
      entries.delete(name)
      entries.set(name, { key, until: performance.now() + CACHED_FOR_MS })
      const oldest = entries.keys().next()
      if (entries.size > CACHED_PERSONS && !oldest.done) entries.delete(oldest.value)
    },
  }
}
