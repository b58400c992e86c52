import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CannotOpen, dataKey, keyIdOf, open, type Place, seal } from './sealed-value.ts'

const key = dataKey(randomBytes(16), randomBytes(32))
const place: Place = { tenantId: 'ten_a', table: 'person_fact', column: 'personal', row: 'pfa_1' }

describe('a sealed value', () => {
  it('opens to exactly what was sealed, for any text and any place', () => {
    const part = fc.string({ unit: 'binary', maxLength: 40 })
    const places = fc.record({ tenantId: part, table: part, column: part, row: part })
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), places, (text, where) => {
        const sealed = seal(key, where, text)
        assert.equal(open(key, where, sealed).toString(), text)
        assert.ok(keyIdOf(sealed).equals(key.id))
      }),
      { numRuns: 500 },
    )
  })

  it('carries bytes as they are', () => {
    const bytes = randomBytes(1_000)
    assert.ok(open(key, place, seal(key, place, bytes)).equals(bytes))
  })

  it('is never the same twice, and shows nothing of the text', () => {
    const sealed = [0, 1, 2].map(() => seal(key, place, 'the same text').toString('hex'))
    assert.equal(new Set(sealed).size, 3)
    for (const one of sealed) assert.ok(!one.includes(Buffer.from('same').toString('hex')))
  })

  it('does not open in another tenant, table, column or row', () => {
    const sealed = seal(key, place, 'text')
    for (const name of ['tenantId', 'table', 'column', 'row'] as const) {
      assert.throws(() => open(key, { ...place, [name]: `${place[name]}x` }, sealed), CannotOpen, name)
      assert.throws(() => open(key, { ...place, [name]: '' }, sealed), CannotOpen, name)
    }
    assert.throws(() => open(key, { ...place, table: place.column, column: place.table }, sealed), CannotOpen)
  })

  it('does not take one place for another because their names run together', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', ':', '|', '1', '2'), maxLength: 8 })
    const places = fc.record({ tenantId: part, table: part, column: part, row: part })
    fc.assert(
      fc.property(places, places, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        assert.throws(() => open(key, other, seal(key, one, 'x')), CannotOpen)
      }),
      { numRuns: 1_000 },
    )
  })

  it('does not open when any bit was turned, or when it was cut or lengthened', () => {
    const sealed = seal(key, place, 'some text of some length')
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(sealed)
        changed[at]! ^= 1 << bit
        assert.throws(() => open(key, place, changed), CannotOpen, `byte ${at}, bit ${bit}`)
      }
      assert.throws(() => open(key, place, sealed.subarray(0, at)), CannotOpen, `cut to ${at}`)
    }
    assert.throws(() => open(key, place, Buffer.concat([sealed, Buffer.of(0)])), CannotOpen)
    assert.equal(open(key, place, sealed).toString(), 'some text of some length')
  })

  it('does not open with another key, also one of the same name', () => {
    const sealed = seal(key, place, 'text')
    assert.throws(() => open(dataKey(randomBytes(16), randomBytes(32)), place, sealed), /sealed with another key/)
    assert.throws(() => open(dataKey(key.id, randomBytes(32)), place, sealed), /committed to another key/)
  })

  it('does not open under a key that it is not committed to, though the cipher would', () => {
    const sealed = seal(key, place, 'text')
    // The same cipher key with another commitment: what an attacker would need to make one ciphertext open in two ways.
    assert.throws(() => open({ ...key, commitment: randomBytes(16) }, place, sealed), /committed to another key/)
    const other = dataKey(key.id, randomBytes(32))
    const spliced = Buffer.from(sealed)
    other.commitment.copy(spliced, 30)
    assert.throws(() => open(other, place, spliced), /was changed/)
  })
})
