import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { classify, isGlobalAddress, isInBlock } from './address-class.ts'
import { isInside, publicAddresses } from './ssrf-corpus.ts'

describe('the class of an address', () => {
  it('is global for every public address that hugs an edge', (t) => {
    const addresses = publicAddresses()
    t.diagnostic(`${addresses.length} public controls`)
    assert.ok(addresses.length >= 500)
    assert.deepEqual(
      addresses.filter((address) => !isGlobalAddress(address)),
      [],
    )
  })

  for (const [address, expected] of Object.entries({
    '172.15.255.255': 'global',
    '172.16.0.0': 'private',
    '172.31.255.255': 'private',
    '172.32.0.0': 'global',
    '100.63.255.255': 'global',
    '100.64.0.0': 'shared',
    '100.127.255.255': 'shared',
    '100.128.0.0': 'global',
    '0.0.0.0': 'unspecified',
    '1.0.0.0': 'global',
    '126.255.255.255': 'global',
    '127.0.0.1': 'loopback',
    '128.0.0.0': 'global',
    '169.254.169.254': 'link_local',
    '168.63.129.15': 'global',
    '168.63.129.16': 'metadata',
    '168.63.129.17': 'global',
    '100.100.100.200': 'metadata',
    '192.0.0.192': 'metadata',
    '198.17.255.255': 'global',
    '198.19.255.255': 'reserved',
    '198.20.0.0': 'global',
    '223.255.255.255': 'global',
    '224.0.0.0': 'multicast',
    '240.0.0.0': 'reserved',
    '255.255.255.255': 'broadcast',
    '::': 'unspecified',
    '::1': 'loopback',
    '::8.8.8.8': 'embedded_ipv4',
    '::ffff:8.8.8.8': 'embedded_ipv4',
    '::ffff:0:8.8.8.8': 'embedded_ipv4',
    '64:ff9b::8.8.8.8': 'embedded_ipv4',
    '2001::1': 'embedded_ipv4',
    '2002:808:808::1': 'embedded_ipv4',
    '2a00:1450::5efe:808:808': 'embedded_ipv4',
    '2a00:1450::200:5efe:808:808': 'embedded_ipv4',
    '2a00:1450::100:5efe:808:808': 'global',
    '1fff:ffff::1': 'reserved',
    '2000::': 'global',
    '2001:1ff:ffff::1': 'reserved',
    '2001:200::1': 'global',
    '2001:db8::1': 'documentation',
    '2003::1': 'global',
    '3ffe::1': 'global',
    '3fff:fff::1': 'documentation',
    '3fff:1000::1': 'global',
    '4000::1': 'reserved',
    'fd00:ec2::254': 'metadata',
    'fd12::1': 'private',
    'fe80::1': 'link_local',
    'ff02::1': 'multicast',
  })) {
    it(`of ${address} is ${expected}`, () => assert.equal(classify(address), expected))
  }

  it('is invalid for every text that is no plain address, so that nothing is guessed', () => {
    const odd = [
      '',
      '1',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '8.8.8.8.',
      '8.8.8.8/32',
      '[::1]',
      'fe80::1%eth0',
      '2a00::1%0',
      'localhost',
      ' 8.8.8.8',
    ]
    assert.deepEqual(
      odd.filter((text) => classify(text) !== 'invalid'),
      [],
    )
  })

  it('agrees with a second table over a quarter of a million addresses spread over all of IPv4', () => {
    const wrong: string[] = []
    for (let value = 0; value < 2 ** 32; value += 16_381) {
      const address = [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.')
      if (isGlobalAddress(address) === isInside(address)) wrong.push(address)
    }
    assert.deepEqual(wrong.slice(0, 5), [])
  })
})

describe('a block', () => {
  it('holds its own version of addresses only, to the bit', () => {
    assert.equal(isInBlock('10.1.255.255', '10.1.0.0/16'), true)
    assert.equal(isInBlock('10.2.0.0', '10.1.0.0/16'), false)
    assert.equal(isInBlock('10.1.2.129', '10.1.2.128/25'), true)
    assert.equal(isInBlock('10.1.2.127', '10.1.2.128/25'), false)
    assert.equal(isInBlock('::ffff:10.1.0.1', '10.1.0.0/16'), false)
    assert.equal(isInBlock('fd12:3456::1', 'fd12:3456::/32'), true)
    assert.equal(isInBlock('fd12:3457::1', 'fd12:3456::/32'), false)
  })
})
