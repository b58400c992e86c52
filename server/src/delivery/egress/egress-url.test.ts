import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Problem } from '../../kit/problem.ts'
import { type EgressPolicy, PUBLIC_ONLY, parsePrivateTargets } from './egress-policy.ts'
import { checkEgressUrl } from './egress-url.ts'

function reasonFor(url: string, policy: EgressPolicy = PUBLIC_ONLY): string | undefined {
  try {
    checkEgressUrl(url, policy)
    return undefined
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.equal(error.code, 'endpoint-url-refused')
    const [fault] = error.details.errors ?? []
    assert.equal(fault?.pointer, '/url')
    // The URL may hold a secret: the answer names the fault and quotes nothing.
    assert.ok(url.length < 10 || !JSON.stringify(error.details).includes(url))
    return fault?.message.split(':')[0]
  }
}

describe('an endpoint URL', () => {
  for (const url of [
    'https://example.com',
    'https://example.com:443/a?b=c#d',
    'HTTPS://EXAMPLE.com:8443/x',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://bücher.example/',
    'https://example.com/a@b?c=d@e',
  ]) {
    it(`is accepted: ${url}`, () => assert.equal(reasonFor(url), undefined))
  }

  for (const [url, reason] of [
    ['', 'malformed'],
    ['example.com', 'malformed'],
    ['//example.com/', 'malformed'],
    ['https:example.com', 'malformed'],
    ['https:////example.com', 'malformed'],
    ['https://', 'malformed'],
    ['https://example.com:99999/', 'malformed'],
    ['https://exa%40mple.com/', 'malformed'],
    [`https://example.com/${'a'.repeat(3_000)}`, 'too_long'],
    [' https://example.com/', 'unusual_characters'],
    ['https://example.com/\u0000', 'unusual_characters'],
    ['https://exam\tple.com/', 'unusual_characters'],
    ['https://exam\u00adple.com/', 'unusual_characters'],
    ['https://exam\u2060ple.com/', 'unusual_characters'],
    ['https://example.com\\@evil.com/', 'unusual_characters'],
    ['https://example.com/\ud800', 'unusual_characters'],
    ['file:///etc/passwd', 'scheme_not_allowed'],
    ['gopher://127.0.0.1/', 'scheme_not_allowed'],
    ['javascript:alert(1)', 'scheme_not_allowed'],
    ['ws://example.com/', 'scheme_not_allowed'],
    ['http://example.com/', 'https_required'],
    ['http://8.8.8.8/', 'https_required'],
    ['https://user:secret@example.com/', 'credentials_in_url'],
    ['https://@example.com/', 'credentials_in_url'],
    ['https://example.com:22/', 'port_not_allowed'],
    ['https://example.com:0/', 'port_not_allowed'],
    ['https://127.0.0.1/', 'address_not_public'],
    ['https://2130706433/', 'address_not_public'],
    ['https://0x7f.1/', 'address_not_public'],
    ['https://127.0.0.1./', 'address_not_public'],
    ['https://①②⑦.0.0.1/', 'address_not_public'],
    ['https://[::ffff:8.8.8.8]/', 'address_not_public'],
    ['https://[::1]/', 'address_not_public'],
  ] as const) {
    it(`is refused as ${reason}: ${JSON.stringify(url.slice(0, 40))}`, () => assert.equal(reasonFor(url), reason))
  }

  it('may use plain http towards a private target that the configuration names, by address or by name', () => {
    const policy: EgressPolicy = { ...PUBLIC_ONLY, allowedPrivate: parsePrivateTargets(['10.1.0.0/16:8080']) }
    assert.equal(reasonFor('http://10.1.2.3:8080/', policy), undefined)
    assert.equal(reasonFor('http://payroll.internal:8080/', policy), undefined)
    assert.equal(reasonFor('http://10.1.2.3/', policy), 'address_not_public')
    assert.equal(reasonFor('http://payroll.internal/', policy), 'https_required')
    assert.equal(reasonFor('http://8.8.8.8:8080/', policy), 'https_required')
  })
})
