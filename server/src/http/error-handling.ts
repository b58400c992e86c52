import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../kit/log.ts'
import { Problem, type ProblemKind } from '../kit/problem.ts'
import { problemBody, problemHeaders } from './problem-reply.ts'
import { badRequest, bodyTooLarge, internalError, mediaTypeNotSupported, valueNotStorable } from './problems.ts'

/** Answers with whatever was thrown: a problem as it is, anything else as 500, which the log explains and the answer does not. */
export function answerError(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = asProblem(error) ?? (hungUp(request) ? badRequest() : undefined)
    if (!known) log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'request.failed')
    return answerProblem(known ?? internalError({ detail: 'It is in the log under the id of this request.' }), request, reply)
  }
}

/** The sender is gone before its body was whole: that is no mistake of ours, and nobody reads the answer. */
function hungUp({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete
}

export function answerProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.problemCode = problem.code
  return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, request.id))
}

/** What Fastify itself refuses, in our words. */
const OF_FASTIFY: Readonly<Record<string, ProblemKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: bodyTooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: mediaTypeNotSupported,
}

/** What PostgreSQL says of a value that it cannot hold (class 22). The schema should have refused it, but it is the caller's value. */
const NOT_STORABLE = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P03', '22P05'])

function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (!(error instanceof Error)) return undefined
  const { code, statusCode, severity } = error as Error & { code?: string; statusCode?: number; severity?: string }
  if (severity !== undefined && code !== undefined && NOT_STORABLE.has(code)) return valueNotStorable()
  if (code === undefined || !code.startsWith('FST_')) return undefined
  return OF_FASTIFY[code]?.() ?? (statusCode !== undefined && statusCode < 500 ? badRequest() : undefined)
}
