import { bodyTooLarge, type WebhookAnswer } from './answers.ts'
import type { Answering } from './receiver.ts'

/**
 * A handler for whatever speaks `Request` and `Response`: Bun, Deno, Cloudflare Workers, Hono, Next.js route handlers.
 *
 * @example
 * export const POST = fetchHandler(receiver) // Next.js: app/webhooks/route.ts
 * app.post('/webhooks', (context) => fetchHandler(receiver)(context.req.raw)) // Hono
 */
export function fetchHandler(receiver: Answering): (request: Request) => Promise<Response> {
  return async (request) => {
    const { status, headers, body } = await answerRequest(receiver, request)
    return new Response(body, { status, headers })
  }
}

async function answerRequest(receiver: Answering, request: Request): Promise<WebhookAnswer> {
  const { method, headers } = request
  if (method !== 'POST') return receiver.handle({ method, headers, body: new Uint8Array() })
  if (request.bodyUsed) return receiver.refuseParsedBody()
  const body = await readBody(request, receiver.maxBodyBytes)
  if (!body) return bodyTooLarge(receiver.maxBodyBytes)
  return receiver.handle({ method, headers, body })
}

/** Stops reading at the limit; the length that a request declares is not to be relied on. */
async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = request.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    length += part.value.length
    if (length > limit) {
      await reader?.cancel()
      return undefined
    }
    chunks.push(part.value)
  }
  const body = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.length
  }
  return body
}
