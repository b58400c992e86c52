import { ID_HEADER, type Secret, SIGNATURE_HEADER, sign, TIMESTAMP_HEADER } from '@tenure/contract/signature'
import type { Envelope, EventMap, EventType } from './event-types.ts'

/** What an endpoint would be sent. */
export type SignedDelivery = {
  readonly headers: { readonly 'content-type': string; readonly [header: string]: string }
  readonly body: Uint8Array<ArrayBuffer>
}

export type SignOptions = {
  readonly secret: Secret
  /** When the attempt is made. Now by default. */
  readonly now?: () => Date
}

/** A secret in the form in which Tenure shows it. For tests alone: it can be guessed. */
export function testSecret(): string {
  return `whsec_${btoa(randomText(32))}`
}

function randomText(length: number): string {
  return Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join('')
}

/**
 * An event as Tenure would send it, with what the test does not care about filled in. `source` is `test`.
 *
 * @example
 * buildEvent('employment.terminated', { employee_id: 'emp_1', employment }, { sequence: 7 })
 */
export function buildEvent<Type extends EventType>(
  type: Type,
  data: EventMap[Type],
  envelope: Partial<Omit<Envelope<Type>, 'type' | 'data'>> = {},
): Envelope<Type> {
  const timestamp = envelope.timestamp ?? new Date().toISOString()
  return {
    id: `evt_${randomText(22)}`,
    type,
    api_version: '2026-11-01',
    timestamp,
    recorded_at: timestamp,
    effective_date: null,
    retroactive: false,
    tenant: 't_test',
    employee_id: null,
    employment_id: null,
    status: null,
    sequence: null,
    actor: { type: 'system', id: 'sys_test' },
    source: 'test',
    correlation_id: 'chg_test',
    causation_id: null,
    previous_event_id: null,
    data,
    changed: [],
    previous_attributes: {},
    restricted: [],
    links: { self: null },
    ...envelope,
  }
}

/** Signs an event as Tenure does: printed once, and exactly those bytes are signed. */
export async function signDelivery(
  event: { readonly id: string },
  { secret, now = () => new Date() }: SignOptions,
): Promise<SignedDelivery> {
  const timestamp = Math.floor(now().getTime() / 1000)
  const body = new TextEncoder().encode(JSON.stringify(event))
  const signature = await sign(secret, { id: event.id, timestamp, body })
  return {
    headers: {
      'content-type': 'application/json',
      [ID_HEADER]: event.id,
      [TIMESTAMP_HEADER]: String(timestamp),
      [SIGNATURE_HEADER]: signature,
    },
    body,
  }
}

/** The same as a `Request`, for `fetch` and for handlers that take one. */
export async function signRequest(url: string, event: { readonly id: string }, options: SignOptions): Promise<Request> {
  return new Request(url, { method: 'POST', ...(await signDelivery(event, options)) })
}
