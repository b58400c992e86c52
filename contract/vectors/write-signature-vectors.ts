/**
 * Writes signature.json: `node contract/vectors/write-signature-vectors.ts`. The signatures come from node:crypto, not from
 * the code that the vectors are there to test.
 */
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Refusal } from '../src/signature.ts'

export type SignatureVector = {
  readonly name: string
  readonly secrets: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** The bytes of the request's body, in base64: JSON cannot carry all of them as text. */
  readonly body_base64: string
  /** Unix seconds at which the receiver verifies. */
  readonly now: number
  readonly tolerance_seconds: number
  readonly valid: boolean
  /** Why it is refused: one of the symbols of the SDK. Other implementations need not name it. */
  readonly reason?: Refusal
}

export type SignatureVectors = { readonly about: string; readonly vectors: readonly SignatureVector[] }

const NOW = 1_767_225_600
const ID = 'evt_7KqLw3Nf0xVbT9uEoHsIyP'
const SECRET = secretOf('Tenure test vector, 32 bytes: 1.')
const OTHER = secretOf('Tenure test vector, 32 bytes: 2.')
const THIRD = secretOf('Tenure test vector, 32 bytes: 3.')
const EVENT = '{"id":"evt_7KqLw3Nf0xVbT9uEoHsIyP","type":"employment.started","data":{"employee_id":"emp_1"}}'

function secretOf(text: string): string {
  return `whsec_${Buffer.from(text).toString('base64')}`
}

function signature(secret: string, body: string | Uint8Array, id = ID, timestamp: string | number = NOW): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}

type Changes = {
  readonly body?: string | Uint8Array
  readonly id?: string
  readonly timestamp?: string | number
  readonly secrets?: readonly string[]
  readonly signature?: string
  readonly without?: string
  readonly now?: number
  readonly tolerance?: number
}

function vector(name: string, changes: Changes, reason?: Refusal): SignatureVector {
  const { body = EVENT, id = ID, timestamp = NOW, secrets = [SECRET] } = changes
  const all: Record<string, string> = {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': changes.signature ?? signature(SECRET, body, id, timestamp),
  }
  const headers = Object.fromEntries(Object.entries(all).filter(([header]) => header !== changes.without))
  return {
    name,
    secrets,
    headers,
    body_base64: Buffer.from(body).toString('base64'),
    now: changes.now ?? NOW,
    tolerance_seconds: changes.tolerance ?? 300,
    valid: reason === undefined,
    ...(reason ? { reason } : {}),
  }
}

function accepted(): SignatureVector[] {
  const right = signature(SECRET, EVENT)
  const shortest = secretOf('x'.repeat(24))
  const longest = secretOf('y'.repeat(64))
  return [
    vector('an event', {}),
    vector('an empty body', { body: '' }),
    vector('text beyond ASCII', { body: '{"name":"Zoë Łukasz 李小龍 🎉 e\u0301"}' }),
    vector('the same letter composed is another body, signed as such', { body: '{"name":"Zoë Łukasz 李小龍 🎉 é"}' }),
    vector('2^53+1 as a number', { body: '{"n":9007199254740993}' }),
    vector('decimals with trailing zeros and exponents', { body: '{"a":4250.00,"b":1.0,"c":1e3,"d":-0.0,"e":0.1000}' }),
    vector('white space and line ends', { body: '{ "a" : 1,\r\n\t"b": [ ] }\n' }),
    vector('escapes that a printer would change', { body: '{"a":"\\u00e9\\/\\u2028","b":"<>&"}' }),
    vector('a byte order mark', { body: '\uFEFF{"a":1}' }),
    vector('a zero byte in text', { body: 'a\u0000b' }),
    vector('bytes that are not UTF-8', { body: Uint8Array.of(0x7b, 0xff, 0xfe, 0x80, 0x00, 0x7d) }),
    vector('a body of 20 kB', { body: `{"a":"${'0123456789'.repeat(2_000)}"}` }),
    vector('full stops in the body', { body: '1767225600.{"a":1}' }),
    vector('signed with the second of two secrets', { secrets: [OTHER, SECRET] }),
    vector('two signatures, the second is ours', { signature: `${signature(OTHER, EVENT)} ${right}` }),
    vector('two signatures while a secret is replaced, both known', {
      signature: `${right} ${signature(OTHER, EVENT)}`,
      secrets: [OTHER, SECRET],
    }),
    vector('a signature of a version that we do not know comes first', { signature: `v1a,${'A'.repeat(86)}== ${right}` }),
    vector('an empty entry and one without a version are passed over', { signature: `v1, nonsense ${right}` }),
    vector('a secret of 24 bytes', { secrets: [shortest], signature: signature(shortest, EVENT) }),
    vector('a secret of 64 bytes', { secrets: [longest], signature: signature(longest, EVENT) }),
    vector('a secret without its prefix', { secrets: [SECRET.slice('whsec_'.length)] }),
    vector('exactly as old as allowed', { now: NOW + 300 }),
    vector('exactly as far ahead as allowed', { now: NOW - 300 }),
    vector('a tolerance of its own', { now: NOW + 3_600, tolerance: 3_600 }),
  ]
}

function forged(): SignatureVector[] {
  const right = signature(SECRET, EVENT)
  const none = 'no_matching_signature'
  return [
    vector('another secret', { signature: signature(OTHER, EVENT) }, none),
    vector('two secrets, signed with a third', { secrets: [SECRET, OTHER], signature: signature(THIRD, EVENT) }, none),
    vector('one bit of the body changed', { body: EVENT.replace('emp_1', 'emp_0'), signature: right }, none),
    vector('a byte added to the body', { body: `${EVENT} x`, signature: right }, none),
    vector('an empty body in place of the signed one', { body: '', signature: right }, none),
    vector('another id', { id: 'evt_other', signature: right }, none),
    vector('another timestamp within the tolerance', { timestamp: NOW + 1, signature: right }, none),
    vector('a signature cut short', { signature: right.slice(0, -4) }, none),
    vector('a signature with something added', { signature: `${right}AAAA` }, none),
    vector('the signature without its padding', { signature: right.replace(/=+$/, '') }, none),
    vector('the signature in the URL-safe alphabet', urlSafe(), none),
    vector('the signature in hexadecimal', { signature: `v1,${Buffer.from(right.slice(3), 'base64').toString('hex')}` }, none),
    vector('the secret as text in place of its bytes', { signature: signature(secretOf(SECRET), EVENT) }, none),
    vector(
      'the body alone is signed',
      {
        signature: `v1,${createHmac('sha256', Buffer.from(SECRET.slice(6), 'base64'))
          .update(EVENT)
          .digest('base64')}`,
      },
      none,
    ),
    vector('a combining letter composed on the way', { body: '{"name":"é"}', signature: signature(SECRET, '{"name":"e\u0301"}') }, none),
    vector('2^53+1 rounded on the way', { body: '{"n":9007199254740992}', signature: signature(SECRET, '{"n":9007199254740993}') }, none),
    vector('our signature under another version', { signature: right.replace('v1,', 'v2,') }, 'unknown_version'),
    vector('a signature without a version', { signature: right.slice(3) }, 'unknown_version'),
    vector('JSON printed again with spaces', { body: EVENT.replaceAll(':', ': '), signature: right }, 'body_not_raw'),
    vector('text escaped on the way', { body: '{"name":"Zo\\u00eb"}', signature: signature(SECRET, '{"name":"Zoë"}') }, 'body_not_raw'),
  ]
}

/** White space is added to the body until the signature holds a character that differs between the alphabets. */
function urlSafe(): Changes {
  for (let body = EVENT; ; body += ' ') {
    const right = signature(SECRET, body)
    const changed = right.replaceAll('+', '-').replaceAll('/', '_')
    if (changed !== right) return { body, signature: changed }
  }
}

function misdated(): SignatureVector[] {
  const ambiguous = { body: '{"a":1}', signature: signature(SECRET, `${NOW}.{"a":1}`, 'evt_1', 5) }
  return [
    vector('a second too old', { now: NOW + 301 }, 'too_old'),
    vector('a second too far ahead', { now: NOW - 301 }, 'too_new'),
    vector('seven minutes of skew', { now: NOW + 420 }, 'too_old'),
    vector('no tolerance at all', { now: NOW + 1, tolerance: 0 }, 'too_old'),
    vector('no id', { without: 'webhook-id' }, 'missing_header'),
    vector('no timestamp', { without: 'webhook-timestamp' }, 'missing_header'),
    vector('no signature', { without: 'webhook-signature' }, 'missing_header'),
    vector('an empty signature', { signature: '' }, 'missing_header'),
    vector('a timestamp in milliseconds', { timestamp: NOW * 1_000 }, 'bad_timestamp'),
    vector('a timestamp that is a date', { timestamp: '2026-01-01T00:00:00Z' }, 'bad_timestamp'),
    vector('a timestamp with a fraction', { timestamp: `${NOW}.0` }, 'bad_timestamp'),
    vector('a timestamp with a sign', { timestamp: `+${NOW}` }, 'bad_timestamp'),
    vector('a timestamp with a leading zero', { timestamp: `0${NOW}` }, 'bad_timestamp'),
    vector('a timestamp below zero', { timestamp: -1 }, 'bad_timestamp'),
    vector('a timestamp in hexadecimal', { timestamp: '0x69556600' }, 'bad_timestamp'),
    vector('an id with a full stop, cut where it was not signed', { ...ambiguous, id: 'evt_1.5' }, 'bad_id'),
    vector('an id with a space', { id: 'evt 1' }, 'bad_id'),
  ]
}

export function signatureVectors(): SignatureVectors {
  return {
    about:
      "Standard Webhooks, v1 (HMAC-SHA256 over id.timestamp.body, base64). For each vector: verify body_base64's bytes with the headers, against any of the secrets, at the time now (Unix seconds). Apache-2.0.",
    vectors: [...accepted(), ...forged(), ...misdated()],
  }
}

export const SIGNATURE_VECTORS_FILE = new URL('signature.json', import.meta.url)

if (import.meta.main) writeFileSync(SIGNATURE_VECTORS_FILE, `${JSON.stringify(signatureVectors(), undefined, 2)}\n`)
