import { BlockList, isIP, isIPv4 } from 'node:net'
import type { Answer } from './resolve-host.ts'

/** One hostile (or, as a control, honest) way to name a destination. */
export type Payload = {
  readonly name: string
  readonly url: string
  /** What the n-th look-up of the payload's host answers, from 0. Left out for literals. */
  readonly answers?: (lookup: number) => readonly Answer[]
  /** How often it is sent: a rebinding name needs several look-ups. */
  readonly sends: number
}

/** The host name under which every resolved payload asks, so that the harness knows whose answers to give. */
export function payloadHost(index: number): string {
  return `p${index}.corpus.test`
}

/**
 * The oracle's own notion of an address inside, kept apart from the guard's (Node's BlockList, written from the registries
 * a second time), so that one slip cannot excuse the other.
 */
export function isInside(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return true
  if (version === 4) return INSIDE_V4.check(address, 'ipv4')
  return !OUTSIDE_V6.check(address, 'ipv6') || INSIDE_V6.check(address, 'ipv6') || /:(0|200)?:?5efe:/i.test(address)
}

const V4_RANGES: readonly (readonly [first: string, last: string])[] = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.31.196.0', '192.31.196.255'],
  ['192.52.193.0', '192.52.193.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['192.175.48.0', '192.175.48.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '239.255.255.255'],
  ['240.0.0.0', '255.255.255.255'],
]

const V4_SINGLES = [
  '127.0.0.1',
  '127.0.0.53',
  '10.0.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.169.123',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '10.96.0.1',
  '172.17.0.1',
  '255.255.255.254',
] as const

const V6_TARGETS = [
  ...['::', '::1', '::2', '1::', '100::', '100::1', '200::', '4000::1', '8000::1', 'e000::1', '5f00::1', '64:ff9b:1::1'],
  ...['2001::1', '2001:1::1', '2001:2::1', '2001:10::1', '2001:20::1', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db8::1'],
  ...['2002::1', '2002:7f00:1::', '3fff::1', '3fff:fff:ffff::1', 'fc00::1', 'fd00::1', 'fd00:ec2::254', 'fd20:ce::254'],
  ...['fe80::1', 'fe80::5efe:a00:1', 'fec0::1', 'ff00::', 'ff02::1', 'ff0e::1', '2a00:1450::5efe:a00:1', '2a00:1450::200:5efe:a00:1'],
]

const PUBLIC_V4 = '93.184.215.14'
const PUBLIC_V6 = '2606:4700:4700::1111'

const INSIDE_V4 = new BlockList()
for (const [first, last] of V4_RANGES) INSIDE_V4.addRange(first, last, 'ipv4')
INSIDE_V4.addAddress('168.63.129.16', 'ipv4')

const OUTSIDE_V6 = new BlockList()
OUTSIDE_V6.addSubnet('2000::', 3, 'ipv6')
const INSIDE_V6 = new BlockList()
INSIDE_V6.addSubnet('2001::', 23, 'ipv6')
INSIDE_V6.addSubnet('2001:db8::', 32, 'ipv6')
INSIDE_V6.addSubnet('2002::', 16, 'ipv6')
INSIDE_V6.addSubnet('2620:4f:8000::', 48, 'ipv6')
INSIDE_V6.addSubnet('3fff::', 20, 'ipv6')

/** Everything that must not be reached, in every spelling, name and scheme of the recipe. */
export function hostilePayloads(): Payload[] {
  const inside = insideV4()
  const literals = [...inside.flatMap(v4Literals), ...inside.flatMap(v6Disguises), ...V6_TARGETS.flatMap(v6Literals)]
  const plain = literals.map(([name, url]): Payload => ({ name, url, sends: 1 }))
  const schemes = schemePayloads()
  const named = [...[...inside, ...V6_TARGETS].flatMap(namedForms), ...familiarNames()]
  const start = plain.length + schemes.length
  return [...plain, ...schemes, ...named.map((form, index) => resolved(form, start + index))]
}

/** Public destinations that hug every edge, as literals and as names: a guard that refuses one of them is broken too. */
export function controlPayloads(): Payload[] {
  const addresses = publicAddresses()
  const literals = addresses.map((address): Payload => ({ name: `public ${address}`, url: `https://${urlHost(address)}/`, sends: 1 }))
  const names = addresses.map((address, index): Payload => {
    return { name: `name of ${address}`, url: `https://${payloadHost(1_000_000 + index)}/`, answers: () => [answer(address)], sends: 1 }
  })
  return [...literals, ...names]
}

/** The first addresses outside each range, and plain public ones in between. */
export function publicAddresses(): string[] {
  const edges = V4_RANGES.flatMap(([first, last]) =>
    [1, 2, 3, 4, 5, 128, 255, 256, 512].flatMap((step) => [toInt(first) - step, toInt(last) + step]),
  )
  const hugging = edges.filter((value) => value > 0 && value < 2 ** 32).map(toDotted)
  const around = [toInt('168.63.129.16') - 1, toInt('168.63.129.16') + 1].map(toDotted)
  const spread = Array.from({ length: 160 }, (_, i) => toDotted(toInt('1.0.0.1') + i * 25_000_003))
  const v6 = ['2000::1', '2001:200::1', '2001:db7:ffff::1', '2001:db9::1', '2003::1', '2400:cb00::1', '2606:4700::1111', '2620:4f:7fff::1']
  const v6More = ['2620:4f:8001::1', '2a00:1450:4001::1', '2c0f:fb50::1', '3ffe::1', '3ffe:ffff:ffff::1', '3fff:1000::1', PUBLIC_V6]
  const v6Spread = Array.from(
    { length: 60 },
    (_, i) => `2${(0x003 + i * 61).toString(16).padStart(3, '0')}:${(i * 7).toString(16)}::${i + 1}`,
  )
  return [...new Set([...hugging, ...around, ...spread, ...v6, ...v6More, ...v6Spread])].filter((address) => !isInside(address))
}

function insideV4(): string[] {
  const spread = V4_RANGES.flatMap(([first, last]) => [first, toDotted(Math.floor((toInt(first) + toInt(last)) / 2)), last])
  return [...new Set([...spread, ...V4_SINGLES])]
}

type Literal = readonly [name: string, url: string]

/** One IPv4 address in the spellings that some parser somewhere takes for it. */
function v4Literals(ip: string): Literal[] {
  const octets = ip.split('.').map(Number)
  const [a = 0, b = 0, c = 0, d = 0] = octets
  const int = toInt(ip)
  const hex = (n: number) => `0x${n.toString(16)}`
  const octal = (n: number) => `0${n.toString(8)}`
  const hosts: Record<string, string> = {
    dotted: ip,
    integer: `${int}`,
    'hexadecimal integer': hex(int),
    'upper-case hexadecimal': `0X${int.toString(16).toUpperCase()}`,
    'octal integer': octal(int),
    'hexadecimal octets': octets.map(hex).join('.'),
    'octal octets': octets.map(octal).join('.'),
    'mixed octets': `${hex(a)}.${octal(b)}.${c}.${hex(d)}`,
    'two parts': `${a}.${(b << 16) | (c << 8) | d}`,
    'three parts': `${a}.${b}.${(c << 8) | d}`,
    'zero-padded octets': octets.map((n) => String(n).padStart(3, '0')).join('.'),
    'zero-padded octal': octets.map((n) => n.toString(8).padStart(6, '0')).join('.'),
    'trailing dot': `${ip}.`,
    'integer past 2^32': `${int + 2 ** 32}`,
    'octet past 256': `${a + 256}.${b}.${c}.${d}`,
    'one character percent-encoded': ip.replace('.', '%2e'),
    'all characters percent-encoded': [...ip].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''),
    'full-width digits': shift(ip, 0xff10),
    'circled digits': [...ip]
      .map((char) => (char === '0' ? '⓪' : char === '.' ? '.' : String.fromCodePoint(0x2460 + Number(char) - 1)))
      .join(''),
    'mathematical digits': shift(ip, 0x1d7ce),
    'ideographic full stops': ip.replaceAll('.', '\u3002'),
    'half-width full stops': ip.replaceAll('.', '\uff61'),
    'soft hyphen inside': ip.replace('.', '\u00ad.'),
    'word joiner inside': ip.replace('.', '\u2060.'),
    'tab inside': ip.replace('.', '\t.'),
    'newline inside': ip.replace('.', '\n.'),
  }
  const urls: Record<string, string> = {
    userinfo: `https://example.com@${ip}/`,
    'userinfo with password': `https://example.com:443@${ip}/`,
    'encoded at sign': `https://example.com%40${ip}/`,
    'backslash before at': `https://${ip}\\@example.com/`,
    'no slashes': `https:${ip}/`,
    'four slashes': `https:////${ip}/`,
    'leading control character': `\u0001https://${ip}/`,
    'fragment before at': `https://${ip}#@example.com/`,
    'query before at': `https://${ip}?@example.com/`,
    'upper-case scheme': `HTTPS://${ip}/`,
    'plain http': `http://${ip}/`,
    'odd port': `https://${ip}:8443/`,
  }
  const spelled = Object.entries(hosts).map(([form, host]): Literal => [`${ip} as ${form}`, `https://${host}/`])
  return [...spelled, ...Object.entries(urls).map(([form, url]): Literal => [`${ip} with ${form}`, url])]
}

/** One IPv4 address inside IPv6 addresses that are unpacked somewhere on the way. */
function v6Disguises(ip: string): Literal[] {
  return Object.entries(embeddings(ip)).map(([form, host]) => [`${ip} ${form}`, `https://[${host}]/`])
}

function embeddings(ip: string): Record<string, string> {
  const int = toInt(ip)
  const high = (int >>> 16).toString(16)
  const low = (int & 0xffff).toString(16)
  return {
    'mapped, dotted': `::ffff:${ip}`,
    'mapped, hexadecimal': `::ffff:${high}:${low}`,
    'mapped, in full': `0:0:0:0:0:FFFF:${high}:${low}`,
    compatible: `::${ip}`,
    translated: `::ffff:0:${ip}`,
    NAT64: `64:ff9b::${ip}`,
    'local NAT64': `64:ff9b:1::${ip}`,
    '6to4': `2002:${high}:${low}::1`,
    Teredo: `2001:0:${high}:${low}::1`,
    ISATAP: `2a00:1450:4001::5efe:${high}:${low}`,
    'ISATAP, universal': `2a00:1450:4001::200:5efe:${high}:${low}`,
  }
}

function v6Literals(ip: string): Literal[] {
  return [
    [`${ip} as literal`, `https://[${ip}]/`],
    [`${ip} in upper case`, `https://[${ip.toUpperCase()}]/`],
    [`${ip} with zone`, `https://[${ip}%25eth0]/`],
    [`${ip} with raw zone`, `https://[${ip}%eth0]/`],
    [`${ip} with userinfo`, `https://example.com@[${ip}]/`],
    [`${ip} with port`, `https://[${ip}]:8443/`],
    [`${ip} over http`, `http://[${ip}]/`],
  ]
}

function schemePayloads(): Payload[] {
  const schemes = ['file', 'gopher', 'dict', 'ftp', 'ldap', 'data', 'jar', 'unix', 'http+unix', 'ws', 'wss', 'javascript', 'blob', 'about']
  const targets = ['127.0.0.1', '169.254.169.254', '[::1]', '10.0.0.1']
  return schemes.flatMap((scheme) => {
    return targets.flatMap((target) =>
      [`${scheme}://${target}/`, `${scheme}:${target}`].map((url) => ({ name: `${scheme}: ${url}`, url, sends: 1 })),
    )
  })
}

type Named = {
  readonly name: string
  readonly host?: (plain: string) => string
  readonly sends: number
  answers(lookup: number): readonly Answer[]
}

/** One inside address behind a name: alone, in disguise, beside public ones in both orders, and only after some look-ups. */
function namedForms(ip: string): Named[] {
  const inside = answer(ip)
  const outside = [answer(PUBLIC_V4), answer(PUBLIC_V6)]
  const always = (name: string, answers: readonly Answer[], host?: (plain: string) => string): Named => {
    return { name: `name of ${ip}, ${name}`, answers: () => answers, sends: 1, ...(host ? { host } : {}) }
  }
  const rebinding = [1, 2, 3].map((honest): Named => {
    return {
      name: `name of ${ip} after ${honest} answers`,
      sends: honest + 2,
      answers: (lookup) => (lookup < honest ? outside.slice(0, 1) : [inside]),
    }
  })
  const disguised = isIPv4(ip) ? Object.entries(embeddings(ip)).map(([form, address]) => always(form, [answer(address)])) : []
  return [
    always('alone', [inside]),
    always('public first', [...outside, inside]),
    always('inside first', [inside, ...outside]),
    always('between public ones', [outside[0]!, inside, outside[1]!]),
    always('trailing dot', [inside], (plain) => `${plain}.`),
    always('upper case', [inside], (plain) => plain.toUpperCase()),
    ...disguised,
    ...rebinding,
  ]
}

/** Names that mean this machine or its cloud without asking anybody, and answers that are no addresses. */
function familiarNames(): Named[] {
  const names = [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'localhost.localdomain',
    'ip6-localhost',
    'metadata',
    'metadata.google.internal',
  ]
  const local = names.map(
    (host): Named => ({ name: host, host: () => host, sends: 1, answers: () => [answer('::1'), answer('127.0.0.1')] }),
  )
  const odd = ['', 'localhost', '0x7f.1', '127.1', 'fe80::1%lo', '::ffff:127.0.0.1', '017700000001']
  return [...local, ...odd.map((text): Named => ({ name: `answer '${text}'`, sends: 1, answers: () => [{ address: text, family: 4 }] }))]
}

function resolved({ name, host, sends, answers }: Named, index: number): Payload {
  const plain = payloadHost(index)
  return { name, url: `https://${host ? host(plain) : plain}/`, sends, answers }
}

function answer(address: string): Answer {
  return { address, family: isIPv4(address) ? 4 : 6 }
}

function urlHost(address: string): string {
  return isIPv4(address) ? address : `[${address}]`
}

function shift(ip: string, zero: number): string {
  return [...ip].map((char) => (char === '.' ? '.' : String.fromCodePoint(zero + Number(char)))).join('')
}

function toInt(ip: string): number {
  return ip.split('.').reduce((value, octet) => value * 256 + Number(octet), 0)
}

function toDotted(value: number): string {
  return [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.')
}
