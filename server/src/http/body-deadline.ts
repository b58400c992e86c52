import type { TypedApp } from './route.ts'

/**
 * Ends the connection of a sender that lets its body drip, with a key or without one: the server itself sets no limit to a
 * whole request, because a file to import takes as long as it takes. A route that takes such files has `slowBody`.
 */
export function limitBodyTime(app: TypedApp, deadlineMs: number): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (raw.complete || routeOptions.config.slowBody) return
    // allow(timer): one deadline for each body, cleared when the body is there.
    const timer = setTimeout(() => raw.destroy(), deadlineMs).unref()
    const settle = () => clearTimeout(timer)
    raw.once('end', settle).once('close', settle)
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a stream that may take as long as it takes. */
    slowBody?: boolean
  }
}
