import { bodyTooLarge, type WebhookAnswer } from './answers.ts'
import type { Answering, IncomingRequest } from './receiver.ts'

/** The part of a Fastify instance that the plugin uses, so that this package needs no `fastify` of its own. */
type FastifyScope = {
  removeAllContentTypeParsers(): void
  // biome-ignore lint/suspicious/noExplicitAny: Fastify's own types depend on how the caller's instance was made.
  addContentTypeParser(type: string, options: { parseAs: 'buffer'; bodyLimit: number }, parse: any): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  setErrorHandler(handler: (error: any, request: any, reply: any) => unknown): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  post(path: string, handler: (request: any, reply: any) => Promise<unknown>): unknown
}

type Parsed = (error: null, body: Uint8Array) => void
type Reply = { code(status: number): Reply; headers(headers: object): Reply; send(body: string): unknown }

/**
 * A plugin for Fastify 4 and 5 that answers POST at `path`. It takes the raw bytes in a scope of its own: how the rest of
 * the application parses bodies and answers errors stays as it is. Do not wrap it in fastify-plugin, which removes that scope.
 *
 * @example
 * app.register(fastifyReceiver(receiver, { path: '/webhooks' }))
 */
export function fastifyReceiver(
  receiver: Answering,
  { path }: { readonly path: string },
): (scope: FastifyScope, options: unknown) => Promise<void> {
  return async (scope) => {
    scope.removeAllContentTypeParsers()
    const options = { parseAs: 'buffer', bodyLimit: receiver.maxBodyBytes } as const
    scope.addContentTypeParser('*', options, (_request: unknown, body: Uint8Array, done: Parsed) => done(null, body))
    scope.setErrorHandler((error: { statusCode?: number }, _request, reply: Reply) => {
      if (error.statusCode !== 413) throw error
      return writeAnswer(reply, bodyTooLarge(receiver.maxBodyBytes))
    })
    scope.post(path, async (request: { headers: IncomingRequest['headers'] & object; body?: Uint8Array }, reply: Reply) =>
      writeAnswer(reply, await receiver.handle({ headers: request.headers, body: request.body ?? new Uint8Array() })),
    )
  }
}

function writeAnswer(reply: Reply, { status, headers, body }: WebhookAnswer): unknown {
  return reply.code(status).headers(headers).send(body)
}
