import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { randomBase62 } from '../kit/ids.ts'

/** Of the environment that a key is for: one glance at a key tells whether real people stand behind it. */
export const ENVIRONMENTS = ['live', 'test'] as const
export type Environment = (typeof ENVIRONMENTS)[number]

const SECRET_LENGTH = 30
const CHECKSUM_LENGTH = 6
const SHAPE = new RegExp(`^tnr_(?:${ENVIRONMENTS.join('|')})_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`)
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** How many characters of a key are kept in clear, to recognise it by: the prefix and four of the thirty. */
const SHOWN = 'tnr_live_'.length + 4

/** A new key: `tnr_live_`, 30 random characters (178 bits), 6 of checksum. It is shown once and stored nowhere. */
export function newApiKey(environment: Environment = 'live'): string {
  const text = `tnr_${environment}_${randomBase62(SECRET_LENGTH)}`
  return text + checksum(text)
}

/** Whether the text can be a key at all. One that was mistyped or cut is told apart here, without asking the database. */
export function checkApiKeyFormat(text: string): boolean {
  return SHAPE.test(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
}

/** What is stored of a key. SHA-256 is enough for 178 random bits: there is nothing to guess that a slow hash would protect. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** The beginning of a key, by which people recognise it in a list. */
export function beginningOf(key: string): string {
  return key.slice(0, SHOWN)
}

/** CRC-32 of the text before it, in base62 with leading zeros: 62^6 is more than 2^32. */
function checksum(text: string): string {
  let value = crc32(text)
  let digits = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = DIGITS[value % 62] + digits
    value = Math.floor(value / 62)
  }
  return digits
}
