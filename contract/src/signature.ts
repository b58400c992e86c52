/**
 * Standard Webhooks 1.0.0, symmetric scheme: `v1`, HMAC-SHA256 over `id.timestamp.body`.
 * WebCrypto only and without dependencies, so that it runs on Node 18 and newer, Bun, Deno and edge runtimes.
 */

export const ID_HEADER = 'webhook-id'
export const TIMESTAMP_HEADER = 'webhook-timestamp'
export const SIGNATURE_HEADER = 'webhook-signature'
export const SECRET_PREFIX = 'whsec_'
export const DEFAULT_TOLERANCE_SECONDS = 300

/** Every reason for which `verify` refuses. The list is closed: switch over it, show it, count by it. */
export const REFUSALS = [
  'missing_header',
  'bad_id',
  'bad_timestamp',
  'too_old',
  'too_new',
  'unknown_version',
  'no_matching_signature',
  'body_not_raw',
] as const
export type Refusal = (typeof REFUSALS)[number]

/** As shown by Tenure (`whsec_` and base64) or, once parsed, its bytes. */
export type Secret = string | Uint8Array

/** A `Headers` object, or a plain record as Node's `request.headers`. Names are matched without regard to case. */
export type HeaderSource = { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>

export type SignedMessage = {
  /** Identifies the event at this endpoint; the same over all attempts and replays. Visible ASCII without a full stop. */
  readonly id: string
  /** Unix time of the attempt, in seconds. */
  readonly timestamp: number
  /** Exactly what travels. Text counts as its UTF-8 bytes. */
  readonly body: Uint8Array | string
}

export type VerifyOptions = {
  /** How far the attempt's time may lie from ours, both ways. 300 by default. It says nothing about the event's age. */
  readonly toleranceSeconds?: number
  readonly now?: () => Date
}

export type Verification =
  | { readonly ok: true; readonly id: string; readonly timestamp: number }
  | { readonly ok: false; readonly reason: Refusal; readonly detail: string }

/**
 * The bytes of a secret.
 *
 * @throws TypeError when it is not base64 or not 24 to 64 bytes long. The message never quotes the secret.
 */
export function parseSecret(secret: Secret): Uint8Array {
  const bytes = typeof secret === 'string' ? decodeSecret(secret) : secret
  if (bytes.length < 24 || bytes.length > 64) throw new TypeError(`A webhook secret has 24 to 64 bytes; this one has ${bytes.length}.`)
  return bytes
}

/**
 * What is signed: `id.timestamp.body`, as bytes.
 *
 * @throws RangeError for an id with a full stop (it could be cut in two places) and for a timestamp that is not whole seconds.
 */
export function signedText(id: string, timestamp: number, body: Uint8Array | string): Uint8Array<ArrayBuffer> {
  if (!isId(id)) throw new RangeError('A webhook id is 1 to 256 characters of visible ASCII without a full stop.')
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw new RangeError('A webhook timestamp is a whole number of seconds.')
  return joinSignedText(id, String(timestamp), toBytes(body))
}

/**
 * One entry of the `webhook-signature` header. While a secret is being replaced, join one per secret with a space.
 *
 * @example
 * await sign('whsec_…', { id: 'evt_1', timestamp: 1767225600, body: '{}' }) // 'v1,<base64>'
 */
export async function sign(secret: Secret, { id, timestamp, body }: SignedMessage): Promise<string> {
  return `v1,${await hmac(parseSecret(secret), signedText(id, timestamp, body))}`
}

/**
 * Checks a request against one or several secrets: constant time, over the bytes that arrived.
 *
 * A refusal carries a symbol and a sentence that says how to mend it. Neither holds anything of the body or the secret.
 * The body must be what came over the wire: JSON that was parsed and printed again has other bytes.
 *
 * @throws TypeError when no secret is given or one cannot be parsed: that is the receiver's mistake, not the sender's.
 */
export async function verify(
  secrets: Secret | readonly Secret[],
  request: { readonly headers: HeaderSource; readonly body: Uint8Array | string },
  { toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, now = () => new Date() }: VerifyOptions = {},
): Promise<Verification> {
  if (!(toleranceSeconds >= 0)) throw new TypeError('toleranceSeconds must be a number of at least 0.')
  const keys = parseSecrets(secrets)
  if (typeof request.body !== 'string' && !ArrayBuffer.isView(request.body)) return refuse('body_not_raw', PARSED_BODY)

  const id = headerValue(request.headers, ID_HEADER)
  const timestamp = headerValue(request.headers, TIMESTAMP_HEADER)
  const signature = headerValue(request.headers, SIGNATURE_HEADER)
  if (!id) return missing(ID_HEADER)
  if (!timestamp) return missing(TIMESTAMP_HEADER)
  if (!signature) return missing(SIGNATURE_HEADER)
  if (!isId(id)) return refuse('bad_id', `The header ${ID_HEADER} is not 1 to 256 characters of visible ASCII without a full stop.`)
  if (!/^(0|[1-9]\d{0,11})$/.test(timestamp))
    return refuse('bad_timestamp', `The header ${TIMESTAMP_HEADER} is not a whole number of seconds.`)

  const skewed = checkAge(Math.floor(now().getTime() / 1000) - Number(timestamp), toleranceSeconds)
  if (skewed) return skewed

  const offered = signaturesOf(signature)
  if (offered.length === 0) return refuse('unknown_version', `The header ${SIGNATURE_HEADER} holds no signature of version v1.`)
  const body = toBytes(request.body)
  const matches = (bytes: Uint8Array) => matchesAny(keys, offered, joinSignedText(id, timestamp, bytes))
  if (await matches(body)) return { ok: true, id, timestamp: Number(timestamp) }

  const printedAgain = reprint(body)
  if (printedAgain && (await matches(printedAgain))) return refuse('body_not_raw', REPRINTED_BODY)
  return refuse('no_matching_signature', NO_MATCH)
}

const PARSED_BODY = 'The body was parsed before verifying: hand over the raw bytes of the request, not an object.'
const REPRINTED_BODY =
  'The body was parsed and printed again after signing, so its bytes differ: verify the raw bytes, and let no proxy rewrite the body.'
const NO_MATCH =
  'No signature matches: it was made with another secret, or the body or a webhook header was changed on the way. Check which endpoint the secret belongs to.'

function refuse(reason: Refusal, detail: string): Verification {
  return { ok: false, reason, detail }
}

function missing(header: string): Verification {
  return refuse('missing_header', `The header ${header} is missing: the request is not a webhook, or a proxy removed the header.`)
}

/** Written so that an age that is not a number is refused. */
function checkAge(ageSeconds: number, toleranceSeconds: number): Verification | undefined {
  const off = describeSeconds(Math.abs(ageSeconds))
  if (!(ageSeconds <= toleranceSeconds)) {
    return refuse('too_old', `Signed ${off} before this machine's time: its clock is ${off} fast, or the request was held up or repeated.`)
  }
  if (!(ageSeconds >= -toleranceSeconds)) {
    return refuse('too_new', `Signed ${off} after this machine's time: its clock is ${off} slow. Let it keep time with NTP.`)
  }
  return undefined
}

function describeSeconds(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}

/** A full stop is refused because `a.1` + `2` and `a` + `1.2` would be signed alike. */
function isId(id: string): boolean {
  return /^[\x21-\x2d\x2f-\x7e]{1,256}$/.test(id)
}

function decodeSecret(secret: string): Uint8Array {
  const text = secret.trim()
  const base64 = text.startsWith(SECRET_PREFIX) ? text.slice(SECRET_PREFIX.length) : text
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(base64)) {
    throw new TypeError(`A webhook secret is ${SECRET_PREFIX} and base64; this one holds other characters or was cut.`)
  }
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}

function parseSecrets(secrets: Secret | readonly Secret[]): Uint8Array[] {
  const list = typeof secrets === 'string' || ArrayBuffer.isView(secrets) ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0) throw new TypeError('At least one webhook secret is needed.')
  return list.map(parseSecret)
}

function headerValue(headers: HeaderSource, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name)?.trim()
  const record = headers as Readonly<Record<string, string | readonly string[] | undefined>>
  const value = Object.hasOwn(record, name) ? record[name] : Object.entries(record).find(([key]) => key.toLowerCase() === name)?.[1]
  return (typeof value === 'string' ? value : value?.join(' '))?.trim()
}

/** Entries are parted by spaces; a header that was sent twice arrives joined with a comma as well. */
function signaturesOf(header: string): string[] {
  return header.split(/,?\s+/).flatMap((entry) => (entry.startsWith('v1,') ? [entry.slice('v1,'.length)] : []))
}

/** Looks at every pair, also after a match, and compares base64 as text: another spelling of the same bytes is refused. */
async function matchesAny(keys: readonly Uint8Array[], offered: readonly string[], text: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let matched = false
  for (const key of keys) {
    const expected = await hmac(key, text)
    for (const signature of offered) matched = equalInConstantTime(signature, expected) || matched
  }
  return matched
}

function equalInConstantTime(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length
  for (let i = 0; i < expected.length; i++) difference |= given.charCodeAt(i) ^ expected.charCodeAt(i)
  return difference === 0
}

/** The body as `JSON.stringify` prints it, to tell a rewritten body from a forged one. It is never accepted. */
function reprint(body: Uint8Array): Uint8Array | undefined {
  try {
    return toBytes(JSON.stringify(JSON.parse(new TextDecoder().decode(body))))
  } catch {
    return undefined
  }
}

function toBytes(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

function joinSignedText(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`)
  const text = new Uint8Array(head.length + body.length)
  text.set(head)
  text.set(body, head.length)
  return text
}

const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' }

async function hmac(key: Uint8Array, text: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = await webCrypto()
  const signature = await subtle.sign(ALGORITHM, await importKey(key), text)
  return btoa(String.fromCharCode(...new Uint8Array(signature)))
}

const importedKeys = new WeakMap<Uint8Array, Promise<ImportedKey>>()
type ImportedKey = Awaited<ReturnType<WebCrypto['subtle']['importKey']>>

/** Importing costs as much as signing, so it is done once for the same array of bytes. Do not change a secret's bytes in place. */
function importKey(key: Uint8Array): Promise<ImportedKey> {
  let imported = importedKeys.get(key)
  if (!imported) {
    imported = webCrypto().then(({ subtle }) => subtle.importKey('raw', Uint8Array.from(key), ALGORITHM, false, ['sign']))
    importedKeys.set(key, imported)
  }
  return imported
}

type WebCrypto = typeof globalThis.crypto
let found: WebCrypto | undefined

/** Node 18 has no global `crypto`. The name is not a literal, so that bundlers for the edge leave the import alone. */
async function webCrypto(): Promise<WebCrypto> {
  if (found) return found
  const nodeCrypto: string = 'node:crypto'
  found = globalThis.crypto?.subtle ? globalThis.crypto : ((await import(nodeCrypto)).webcrypto as WebCrypto)
  return found
}
