import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import fastify, { type FastifyRequest } from 'fastify'
import type { Authenticate } from '../access/authenticate.ts'
import type { Ground } from '../events/change.ts'
import { newId } from '../kit/ids.ts'
import type { Log } from '../kit/log.ts'
import { admit } from './admission.ts'
import { limitBodyTime } from './body-deadline.ts'
import { answerError } from './error-handling.ts'
import { errorPageRoutes } from './error-pages.ts'
import { type HealthCheck, healthRoutes } from './health.ts'
import { inspectText, parseJsonBody, pointerToken } from './json-body.ts'
import type { Metrics } from './metrics.ts'
import { addOpenApi } from './openapi.ts'
import { problemBody, problemHeaders } from './problem-reply.ts'
import { badRequest } from './problems.ts'
import { logRequest } from './request-log.ts'
import type { RoutePlugin, TypedApp } from './route.ts'
import { addSecurityHeaders } from './security-headers.ts'
import type { Rate } from './token-buckets.ts'
import { answerUnknownRoutes } from './unknown-routes.ts'
import { validatorCompiler } from './validation.ts'

export type Limits = {
  readonly bodyBytes: number
  /** From the head of a request to the last byte of its body. */
  readonly bodyMs: number
  /** Requests of one API key. */
  readonly perKey: Rate
  /** Keys that do not exist, sent from one address. */
  readonly refusedPerAddress: Rate
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 256 * 1024,
  bodyMs: 30_000,
  perKey: { perSecond: 100, burst: 100 },
  refusedPerAddress: { perSecond: 1, burst: 20 },
}

export type ServerOptions = {
  readonly ground: Ground
  readonly log: Log
  readonly authenticate: Authenticate
  /** Mounted below /v1, behind the bearer key. */
  readonly routes: readonly RoutePlugin[]
  /** Mounted at the root and open to everybody: the console's page. */
  readonly publicRoutes?: readonly RoutePlugin[]
  readonly limits?: Partial<Limits>
  readonly metrics?: Metrics
  /** What else has to work before this process takes requests. The database is always asked. */
  readonly readiness?: readonly HealthCheck[]
  /** Readable pages at /docs. They take 13 MB of memory. */
  readonly docs?: boolean
  /** Proxies whose `X-Forwarded-For` is believed. Left out: none, and the address is the connection's. */
  readonly trustProxy?: boolean | string | string[]
}

/** Builds the HTTP server: every promise of the API that is not a route's own is kept here. */
export function buildServer(options: ServerOptions): TypedApp {
  const { ground, log, authenticate, routes, publicRoutes = [], metrics, readiness = [], docs = true } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const app: TypedApp = fastify({
    // Fastify's own lines quote addresses as they were sent; ours are written by request-log.ts and error-handling.ts.
    logger: false,
    genReqId: () => newId('req'),
    requestIdHeader: false,
    bodyLimit: limits.bodyBytes,
    // No limit to a whole request: a file to import is as large as it is. Its headers have 30 s, silence ends it, and other
    // bodies have a deadline of their own.
    requestTimeout: 0,
    http: { headersTimeout: 30_000 },
    connectionTimeout: 60_000,
    trustProxy: options.trustProxy ?? false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => answerError(log)(error, request, reply),
    clientErrorHandler: refuseUnreadable,
  })
  app.decorateRequest('bodyHash', null)
  app.decorateRequest('problemCode', null)
  app.setValidatorCompiler(validatorCompiler as never)
  app.setErrorHandler(answerError(log))
  limitBodyTime(app, limits.bodyMs)
  addJsonParser(app)
  addSecurityHeaders(app)
  app.addHook('preValidation', async (request) => inspectAddress(request))
  app.addHook('onResponse', async (request, reply) => {
    logRequest(log, request, reply)
    metrics?.observeRequest({ method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime })
  })
  answerUnknownRoutes(app)
  addOpenApi(app, { docs })
  app.register(async (open) => {
    for (const add of [healthRoutes(readiness), errorPageRoutes, ...publicRoutes]) add(open, { ground })
  })
  app.register(
    async (v1) => {
      v1.addHook('onRequest', admit({ authenticate, perKey: limits.perKey, refusedPerAddress: limits.refusedPerAddress }))
      for (const add of routes) add(v1, { ground })
    },
    { prefix: '/v1' },
  )
  return app
}

/** JSON is the one type of body that Tenure takes. Its bytes are hashed for the idempotency key before anything reads them. */
function addJsonParser(app: TypedApp): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    if (bytes.length === 0) return undefined
    request.bodyHash = createHash('sha256').update(bytes).digest()
    return parseJsonBody(bytes)
  })
}

/** Text in path and query is held to the same rules as text in bodies. */
function inspectAddress({ params, query }: FastifyRequest): void {
  for (const [place, fields] of Object.entries({ path: params, query })) {
    for (const [name, value] of Object.entries((fields ?? {}) as Record<string, unknown>)) {
      const at = `/${place}/${pointerToken(name)}`
      inspectText(name, at)
      for (const text of [value].flat()) if (typeof text === 'string') inspectText(text, at)
    }
  }
}

/** Bytes that are not HTTP, or headers past 16 KiB, before there is a request to speak of. */
function refuseUnreadable(_error: Error, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return
  const problem = badRequest({ detail: 'These bytes are not a request of HTTP/1.1, or its headers are too large or too slow.' })
  const body = problemBody(problem, newId('req'))
  const headers = { ...problemHeaders(problem), 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head.join('')}\r\n${body}`)
}
