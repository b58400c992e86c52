import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeListener } from './node.ts'
import type { Answering } from './receiver.ts'

/**
 * A handler for Express 4 and 5. It reads the raw body itself, so mount it before `express.json()`. Mounted after it, the
 * bytes are gone: every request is answered 500 and `onError` is told what to change.
 *
 * @example
 * app.post('/webhooks', expressHandler(receiver))
 * app.use(express.json())
 */
export function expressHandler(receiver: Answering): (request: IncomingMessage, response: ServerResponse) => void {
  return nodeListener(receiver)
}
