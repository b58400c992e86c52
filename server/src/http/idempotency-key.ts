import { createHash, createHmac } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Tx } from '../database/tenant-transaction.ts'
import { defineProblem } from '../kit/problem.ts'
import { open, seal } from '../privacy/sealed-value.ts'
import type { Vault } from '../privacy/vault.ts'

export const requestInFlight = defineProblem('request-in-flight', 409, 'A request with this idempotency key is still being worked on.')
export const keyReused = defineProblem('idempotency-key-reused', 422, 'This idempotency key was used for another request.')
const keyNotValid = defineProblem('idempotency-key-not-valid', 400, 'The `Idempotency-Key` header is not valid.')

/** An answer as it went out, byte for byte. */
export type StoredAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** A key that a caller chose for one request, within its tenant and its credential. */
export type IdempotencyKey = { readonly credentialId: string; readonly key: string; readonly request: string }

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/

/** The idempotency key of a POST, or undefined where the caller sent none. */
export function idempotencyKeyOf(request: FastifyRequest): IdempotencyKey | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined || request.method !== 'POST') return undefined
  if (typeof key !== 'string' || !VISIBLE_ASCII.test(key)) {
    throw keyNotValid({ detail: 'Send one key of 1 to 255 visible ASCII characters, such as a UUID.' })
  }
  const body = request.bodyHash?.toString('base64url') ?? ''
  return { credentialId: request.actor.id, key, request: `${request.method} ${request.url} ${body}` }
}

/**
 * Keeps others with the same key out until the transaction ends, or says at once that somebody is in there. The lock is the
 * transaction's: a crash, a rollback and a lost connection all let go of it.
 */
export async function tryToHold(tx: Tx, key: IdempotencyKey): Promise<boolean> {
  const [row] = await tx.scope.run<{ held: boolean }>(TRY_LOCK, [lockNumber(tx.scope.tenantId, key)])
  return row?.held === true
}

/** The same, but waits for whoever is in there. */
export async function hold(tx: Tx, key: IdempotencyKey): Promise<void> {
  await tx.scope.run(WAIT_LOCK, [lockNumber(tx.scope.tenantId, key)])
}

/** The answer that this key was given before. A key that came with another request is refused. Ask while holding the key. */
export async function findAnswer(tx: Tx, vault: Vault, key: IdempotencyKey): Promise<StoredAnswer | undefined> {
  const names = await storedNames(tx, vault, key)
  const values = [tx.scope.tenantId, key.credentialId, names.key]
  const [row] = await tx.scope.run<{ request_hash: Buffer; status: number; reply: Buffer }>(FIND, values)
  if (!row) return undefined
  if (!row.request_hash.equals(names.requestHash)) {
    throw keyReused({ detail: 'Method, path and body must be the same as the first time. Choose a new key for a new request.' })
  }
  const text = open(await vault.tenantKey(tx), replyPlace(tx, key, names.key), row.reply).toString()
  return { status: row.status, ...(JSON.parse(text) as Omit<StoredAnswer, 'status'>) }
}

export async function storeAnswer(tx: Tx, vault: Vault, key: IdempotencyKey, { status, headers, body }: StoredAnswer): Promise<void> {
  const names = await storedNames(tx, vault, key)
  const reply = seal(await vault.tenantKey(tx), replyPlace(tx, key, names.key), JSON.stringify({ headers, body }))
  await tx.scope.run(STORE, [tx.scope.tenantId, key.credentialId, names.key, names.requestHash, status, reply])
}

/**
 * Key and request are stored as keyed hashes: a caller may make its keys of an e-mail address, and a plain hash of a body
 * would let whoever reads the table guess a birth date.
 */
async function storedNames(tx: Tx, vault: Vault, { key, request }: IdempotencyKey) {
  const { cipherKey } = await vault.tenantKey(tx)
  const hashed = (purpose: string, text: string) => createHmac('sha256', cipherKey).update(`idempotency|${purpose}|${text}`).digest()
  return { key: hashed('key', key).toString('base64url'), requestHash: hashed('request', request) }
}

function replyPlace({ scope }: Tx, { credentialId }: IdempotencyKey, storedKey: string) {
  return { tenantId: scope.tenantId, table: 'idempotency_key', column: 'reply', row: `${credentialId}/${storedKey}` }
}

function lockNumber(tenantId: string, { credentialId, key }: IdempotencyKey): string {
  return createHash('sha256').update(`idempotency|${tenantId}|${credentialId}|${key}`).digest().readBigInt64BE(0).toString()
}

const TRY_LOCK = { name: 'try-idempotency-lock', text: 'select pg_try_advisory_xact_lock($1::bigint) as held' }
const WAIT_LOCK = { name: 'wait-idempotency-lock', text: 'select pg_advisory_xact_lock($1::bigint)' }
const FIND = {
  name: 'find-idempotent-answer',
  text: 'select request_hash, status, reply from idempotency_key where tenant_id = $1 and credential_id = $2 and key = $3',
}
const STORE = {
  name: 'store-idempotent-answer',
  text: 'insert into idempotency_key (tenant_id, credential_id, key, request_hash, status, reply) values ($1, $2, $3, $4, $5, $6)',
}
