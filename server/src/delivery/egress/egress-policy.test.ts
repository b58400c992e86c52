import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type EgressPolicy, PUBLIC_ONLY, parsePrivateTargets, refuseTarget } from './egress-policy.ts'

describe('private targets', () => {
  for (const [line, expected] of [
    ['10.1.0.0/16', { cidr: '10.1.0.0/16', ports: 'any' }],
    ['10.1.2.3', { cidr: '10.1.2.3/32', ports: 'any' }],
    ['10.1.2.3:8080', { cidr: '10.1.2.3/32', ports: [8080] }],
    ['10.1.0.0/16:80,8080', { cidr: '10.1.0.0/16', ports: [80, 8080] }],
    ['fd12:3456::/48', { cidr: 'fd12:3456::/48', ports: 'any' }],
    ['fd12::7', { cidr: 'fd12::7/128', ports: 'any' }],
    ['[fd12::/48]:8080', { cidr: 'fd12::/48', ports: [8080] }],
    [' 100.64.0.0/10 ', { cidr: '100.64.0.0/10', ports: 'any' }],
  ] as const) {
    it(`are read from '${line}'`, () => assert.deepEqual(parsePrivateTargets([line]), [expected]))
  }

  for (const line of [
    '',
    'payroll.internal',
    '10.1.0.0/33',
    '10.1/16',
    '0x0a.1.0.0/16',
    '10.1.0.0/16:',
    '10.1.0.0/16:0',
    '10.1.0.0/16:70000',
    '[fd12::/48',
    'fd12::/129',
  ]) {
    it(`are refused when they cannot be read: '${line}'`, () => assert.throws(() => parsePrivateTargets([line]), /private target|port/))
  }

  for (const line of [
    '127.0.0.1/32:4100',
    '127.0.0.0/8',
    '::1',
    '169.254.169.254',
    '169.254.0.0/16',
    '168.63.129.16/32',
    '100.100.100.200',
    'fd00:ec2::254',
    'fe80::/10',
    '0.0.0.0/0',
    '::/0',
    '224.0.0.0/4',
    '::ffff:10.0.0.1',
  ]) {
    it(`never open ${line}`, () => assert.throws(() => parsePrivateTargets([line]), /never opened/))
  }
})

describe('the egress policy', () => {
  const policy: EgressPolicy = {
    allowedPrivate: parsePrivateTargets(['10.1.0.0/16:8080', '100.64.0.0/10', 'fd00::/8']),
    extraPorts: [9443],
    loopbackPorts: [],
  }
  const refused = (address: string, port: number, secure: boolean, given = policy) => refuseTarget(given, { address, port, secure })

  it('lets plain http go to an allowed private target only, at its port only', () => {
    assert.equal(refused('10.1.2.3', 8080, false), undefined)
    assert.equal(refused('10.1.2.3', 8081, false), 'address_not_public')
    assert.equal(refused('10.2.0.1', 8080, true), 'address_not_public')
    assert.equal(refused('8.8.8.8', 80, false), 'https_required')
  })

  it('lets https go to public addresses at 443, 8443 and the listed ports', () => {
    for (const port of [443, 8443, 9443]) assert.equal(refused('8.8.8.8', port, true), undefined)
    for (const port of [22, 80, 8080, 6379]) assert.equal(refused('8.8.8.8', port, true), 'port_not_allowed')
  })

  it("keeps the cloud's own addresses closed inside an allowed block", () => {
    assert.equal(refused('100.64.0.1', 80, false), undefined)
    assert.equal(refused('100.100.100.200', 80, false), 'address_not_public')
    assert.equal(refused('fd12::1', 80, false), undefined)
    assert.equal(refused('fd00:ec2::254', 80, false), 'address_not_public')
  })

  it('opens loopback by its own setting only, and by no CIDR that was slipped past the parser', () => {
    const slipped: EgressPolicy = { ...PUBLIC_ONLY, allowedPrivate: [{ cidr: '0.0.0.0/0', ports: 'any' }] }
    assert.equal(refused('127.0.0.1', 4100, false, slipped), 'address_not_public')
    assert.equal(refused('169.254.169.254', 80, false, slipped), 'address_not_public')
    assert.equal(refused('127.0.0.1', 4100, false, { ...PUBLIC_ONLY, loopbackPorts: [4100] }), undefined)
    assert.equal(refused('127.0.0.1', 4101, false, { ...PUBLIC_ONLY, loopbackPorts: [4100] }), 'address_not_public')
    assert.equal(refused('::ffff:127.0.0.1', 4100, false, { ...PUBLIC_ONLY, loopbackPorts: 'any' }), 'address_not_public')
  })
})
