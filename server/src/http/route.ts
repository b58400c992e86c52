import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { Actor } from '../access/actor.ts'
import type { Ground } from '../events/change.ts'

/** The server as route files see it: the schema of a route types its request and its answers. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export type RouteContext = { readonly ground: Ground }

/**
 * The routes of one slice. They are mounted below /v1 behind the bearer key, so a plugin writes `app.get('/employees', …)`
 * and finds `request.actor` and `request.tenantId` set. `tags`, `operationId` and `response` are part of the contract; the
 * problems that every route may answer with are added to the document by the server.
 */
export type RoutePlugin = (app: TypedApp, context: RouteContext) => void

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Set for every route below /v1, and for no other. */
    actor: Actor
    /** The tenant of the credential. No header, path or body can name another. */
    tenantId: string
    /** SHA-256 of the body's bytes as they were sent, or null where there was none. */
    bodyHash: Buffer | null
    /** The code of the problem that was answered, for the log line. */
    problemCode: string | null
  }
  interface FastifySchema {
    operationId?: string
    tags?: readonly string[]
    summary?: string
    description?: string
    hide?: boolean
    security?: readonly Record<string, readonly string[]>[]
  }
}
