import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { randomBase62 } from '../kit/ids.ts'
import { beginningOf, checkApiKeyFormat, hashApiKey, newApiKey } from './api-key.ts'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

describe('an API key', () => {
  it('names product and environment, and carries 30 random characters and 6 of checksum', () => {
    assert.match(newApiKey(), /^tnr_live_[0-9A-Za-z]{36}$/)
    assert.match(newApiKey('test'), /^tnr_test_[0-9A-Za-z]{36}$/)
    assert.equal(new Set(Array.from({ length: 1_000 }, () => newApiKey())).size, 1_000)
  })

  it('passes its own check', () => {
    for (let made = 0; made < 1_000; made++) assert.ok(checkApiKeyFormat(newApiKey()))
  })

  it('has the checksum that anybody can compute: CRC-32 of what stands before it', () => {
    // zlib.crc32(b'tnr_live_' + b'A' * 30) of Python is 0xa4814064, which is this in base62.
    assert.ok(checkApiKeyFormat(`tnr_live_${'A'.repeat(30)}30mOvM`))
  })

  it('is refused when one character is another', () => {
    const change = fc.record({ at: fc.integer({ min: 9, max: 44 }), to: fc.constantFrom(...BASE62) })
    fc.assert(
      fc.property(change, ({ at, to }) => {
        const key = newApiKey()
        const mistyped = key.slice(0, at) + to + key.slice(at + 1)
        return checkApiKeyFormat(mistyped) === (mistyped === key)
      }),
    )
  })

  it('is refused when two neighbours are swapped, when it is cut, and when it grew', () => {
    const key = newApiKey()
    for (let at = 9; at < 44; at++) {
      const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2)
      assert.equal(checkApiKeyFormat(swapped), swapped === key)
    }
    for (const wrong of [key.slice(0, -1), `${key}0`, ` ${key}`, `${key}\n`, key.replace('live', 'prod'), '', 'tnr_live_']) {
      assert.ok(!checkApiKeyFormat(wrong))
    }
  })

  it('is found by its format in a megabyte of random text, and nothing else is', () => {
    const key = newApiKey()
    const noise = Array.from({ length: 20_000 }, () => `tnr_live_${randomBase62(36)}`)
    assert.deepEqual([...noise, key].filter(checkApiKeyFormat), [key])
  })

  it('is stored as a hash, and shown by a beginning that gives four characters away', () => {
    const key = newApiKey()
    assert.equal(hashApiKey(key).length, 32)
    assert.equal(beginningOf(key), key.slice(0, 13))
  })
})
