import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Tx } from '../database/tenant-transaction.ts'
import { type Change, type Ground, openChange } from '../events/change.ts'
import { Problem } from '../kit/problem.ts'
import {
  findAnswer,
  hold,
  type IdempotencyKey,
  idempotencyKeyOf,
  requestInFlight,
  type StoredAnswer,
  storeAnswer,
  tryToHold,
} from './idempotency-key.ts'
import { problemBody, problemHeaders } from './problem-reply.ts'

/** What a route answers after its change. `body` is serialised by the schema that the route declares for `status`. */
export type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }

type Work = (change: Change) => Promise<Answer>

/**
 * Runs the change of a request in one transaction and answers with what `work` returns; the handler returns the result as
 * it is (`never`, because it is bytes already, which fit whatever the route declares).
 *
 * A POST with an `Idempotency-Key` has its effect once: the answer is stored, sealed, in the transaction of the change, so
 * a crash leaves both or neither, and the same request is answered again with the same bytes.
 */
export async function runChange(ground: Ground, request: FastifyRequest, reply: FastifyReply, work: Work): Promise<never> {
  const key = idempotencyKeyOf(request)
  const run = async (tx: Tx) => serialised(reply, await work(openChange(tx, ground, request.actor)))
  if (!key) return send(reply, await ground.database.withTenant(request.tenantId, run))
  const { answer, replayed } = await runOnce(ground, request, key, run)
  if (replayed) reply.header('idempotency-replayed', 'true')
  return send(reply, answer)
}

type Outcome = { readonly answer: StoredAnswer; readonly replayed: boolean }

async function runOnce(
  ground: Ground,
  request: FastifyRequest,
  key: IdempotencyKey,
  run: (tx: Tx) => Promise<StoredAnswer>,
): Promise<Outcome> {
  const { database, vault } = ground
  let begun = false
  try {
    return await database.withTenant(request.tenantId, async (tx) => {
      begun = false
      if (!(await tryToHold(tx, key))) throw requestInFlight({ retryAfterSeconds: 1 })
      const found = await findAnswer(tx, vault, key)
      if (found) return { answer: found, replayed: true }
      begun = true
      const answer = await run(tx)
      await storeAnswer(tx, vault, key, answer)
      return { answer, replayed: false }
    })
  } catch (error) {
    if (begun && isRefusal(error)) return await storeRefusal(ground, request, key, error)
    throw error
  }
}

/** A problem of the caller's is an answer like any other, and stays. One of ours (5xx) does not: the next try may succeed. */
function isRefusal(error: unknown): error is Problem {
  return error instanceof Problem && error.status < 500
}

/**
 * The refused work is rolled back whole, with the events and audit entries that wait in memory for the commit, which a
 * savepoint would not take back. So the refusal is stored by a transaction of its own. Between the two the key is free: if
 * another request with it has been answered meanwhile, that answer is the one for this key, and everybody gets it.
 */
async function storeRefusal({ database, vault }: Ground, request: FastifyRequest, key: IdempotencyKey, refusal: Problem): Promise<Outcome> {
  const answer = { status: refusal.status, headers: problemHeaders(refusal), body: problemBody(refusal, request.id) }
  return database.withTenant(request.tenantId, async (tx) => {
    await hold(tx, key)
    const found = await findAnswer(tx, vault, key)
    if (found) return { answer: found, replayed: true }
    await storeAnswer(tx, vault, key, answer)
    request.problemCode = refusal.code
    return { answer, replayed: false }
  })
}

/** Serialised inside the transaction: an answer that does not fit its schema is a bug, and must not leave a change behind. */
function serialised(reply: FastifyReply, { status, body, headers = {} }: Answer): StoredAnswer {
  if (body === undefined) return { status, headers, body: '' }
  reply.code(status)
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: String(reply.serialize(body as object)),
  }
}

function send(reply: FastifyReply, { status, headers, body }: StoredAnswer): never {
  reply.code(status).headers(headers)
  return (body === '' ? undefined : body) as never
}
