import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../kit/log.ts'

/** One wide line for each request. The pattern of the route, never the address as sent: a query may hold anything. */
export function logRequest(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const line = {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    tenant: request.tenantId,
    credential: request.actor?.id,
    problem: request.problemCode ?? undefined,
    replayed: reply.hasHeader('idempotency-replayed') || undefined,
  }
  if (reply.statusCode >= 500) log.warn(line, 'request')
  else log.info(line, 'request')
}
