import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyTooLarge, type WebhookAnswer } from './answers.ts'
import type { Answering } from './receiver.ts'

/** A request of node:http, as it is or as a framework hands it on. */
export type NodeRequest = IncomingMessage & {
  /** Set by frameworks: what a body parser made of it. Bytes are used, anything else is of no use. */
  readonly body?: unknown
  /** Set by Cloud Functions and the like, next to a parsed body. */
  readonly rawBody?: unknown
}

/**
 * A listener for `http.createServer`. It reads the body itself, up to the receiver's `maxBodyBytes`. Route before it: it
 * answers every request that it is given.
 *
 * @example
 * http.createServer(nodeListener(receiver)).listen(3000)
 */
export function nodeListener(receiver: Answering): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answerNodeRequest(receiver, request).then(
      (answer) => writeAnswer(response, answer),
      // Reading failed because the sender hung up: there is nobody to answer.
      () => response.destroy(),
    )
  }
}

async function answerNodeRequest(receiver: Answering, request: NodeRequest): Promise<WebhookAnswer> {
  const { method = 'POST', headers } = request
  if (method !== 'POST') return receiver.handle({ method, headers, body: new Uint8Array() })
  const body = await rawBody(request, receiver.maxBodyBytes)
  if (body === 'parsed') return receiver.refuseParsedBody()
  if (body === 'too_large') return closing(bodyTooLarge(receiver.maxBodyBytes))
  return receiver.handle({ method, headers, body })
}

/** Bytes that a parser kept are as good as the stream; where the stream was read for anything else, the bytes are lost. */
async function rawBody(request: NodeRequest, limit: number): Promise<Uint8Array | 'parsed' | 'too_large'> {
  for (const kept of [request.rawBody, request.body]) {
    if (ArrayBuffer.isView(kept)) return kept as Uint8Array
  }
  if (typeof request.body === 'string') return new TextEncoder().encode(request.body)
  if (request.readableDidRead || request.readableEnded) return 'parsed'
  if (Number(request.headers['content-length']) > limit) return discard(request)
  return readStream(request, limit)
}

function readStream(request: IncomingMessage, limit: number): Promise<Uint8Array | 'too_large'> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let length = 0
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > limit) resolve('too_large')
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('The request was cut off.')))
  })
}

/** Lets the rest run by unread: a sender that is still writing would otherwise miss the answer. */
function discard(request: IncomingMessage): 'too_large' {
  request.resume()
  return 'too_large'
}

function closing(answer: WebhookAnswer): WebhookAnswer {
  return { ...answer, headers: { ...answer.headers, connection: 'close' } }
}

function writeAnswer(response: ServerResponse, { status, headers, body }: WebhookAnswer): void {
  // A timeout of the framework's may have answered in our place.
  if (response.headersSent) return
  response.writeHead(status, headers)
  response.end(body)
}
