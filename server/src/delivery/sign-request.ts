import { createHmac } from 'node:crypto'
import { ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER } from '@tenure/contract/signature'
import { cutEvent } from '../events/cut-event.ts'
import type { ReadyDelivery } from '../events/hand-over.ts'
import type { EndpointView } from './endpoints/endpoint-view.ts'

export const USER_AGENT = 'Tenure-Webhooks/0.1'

export type SignedRequest = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }

/**
 * Cuts the event to what the endpoint may see now, turns it into bytes once, and signs exactly those bytes (Standard
 * Webhooks 1.0.0, `v1`). The id is the event's, the same over all attempts and replays; the timestamp is the attempt's.
 */
export function signRequest({ event, previousEventId }: ReadyDelivery, endpoint: EndpointView, at: Date): SignedRequest {
  const body = Buffer.from(JSON.stringify(cutEvent(event, endpoint, previousEventId)))
  const timestamp = String(Math.floor(at.getTime() / 1_000))
  // The synchronous hash is some five times faster than WebCrypto for a body of this size, which goes to a thread and back.
  const signature = createHmac('sha256', endpoint.secret).update(`${event.id}.${timestamp}.`).update(body).digest('base64')
  const headers = {
    ...endpoint.customHeaders,
    'content-type': 'application/json; charset=utf-8',
    'user-agent': USER_AGENT,
    [ID_HEADER]: event.id,
    [TIMESTAMP_HEADER]: timestamp,
    [SIGNATURE_HEADER]: `v1,${signature}`,
  }
  return { headers, body }
}
