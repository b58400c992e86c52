import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticate } from '../access/authenticate.ts'
import { rateLimited } from './problems.ts'
import { type Allowance, createTokenBuckets, type Rate } from './token-buckets.ts'

export type AdmissionOptions = { readonly authenticate: Authenticate; readonly perKey: Rate; readonly refusedPerAddress: Rate }

/**
 * Lets a request below /v1 in: whose key is it, and is it within its rate. An address that keeps sending keys that do not
 * exist is held back before the next one costs a statement; keys that are in use are not held back with it.
 */
export function admit({ authenticate, perKey, refusedPerAddress }: AdmissionOptions) {
  const keys = createTokenBuckets(perKey)
  const addresses = createTokenBuckets(refusedPerAddress)

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    let asked = false
    const beforeAsking = () => {
      refuse(addresses.look(request.ip))
      asked = true
    }
    const { tenantId, actor } = await authenticate(request.headers.authorization, beforeAsking).catch((error: unknown) => {
      if (asked) addresses.take(request.ip)
      throw error
    })
    const allowance = keys.take(actor.id)
    reply.headers({
      'ratelimit-limit': perKey.burst,
      'ratelimit-remaining': allowance.remaining,
      'ratelimit-reset': Math.ceil(allowance.waitSeconds),
    })
    refuse(allowance)
    request.tenantId = tenantId
    request.actor = { ...actor, requestId: request.id, remoteAddress: request.ip }
  }
}

function refuse({ allowed, waitSeconds }: Allowance): void {
  if (!allowed) throw rateLimited({ retryAfterSeconds: Math.max(1, waitSeconds) })
}
