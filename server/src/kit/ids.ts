import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 22

/** A public id: typed prefix and 128 random bits in base62. It tells neither when nor how many. */
export function newId(prefix: string): string {
  return `${prefix}_${base62(randomBytes(16))}`
}

/**
 * An id that sorts by the time at which it was made (48 bits of milliseconds, then 80 random bits), for rows that are
 * written in large numbers and whose time is public anyway: events, deliveries, attempts.
 */
export function newTimeOrderedId(prefix: string, now: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  return `${prefix}_${base62(bytes)}`
}

/** Random text in base62, for keys and secrets. Every character carries log2(62) bits: bytes of 248 and above are drawn again. */
export function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]
    }
  }
  return text
}

/** Sixteen bytes as 22 characters whose order is that of the bytes. */
function base62(bytes: Buffer): string {
  let value = (bytes.readBigUInt64BE(0) << 64n) | bytes.readBigUInt64BE(8)
  let text = ''
  for (let i = 0; i < LENGTH; i++) {
    text = ALPHABET[Number(value % 62n)] + text
    value /= 62n
  }
  return text
}
