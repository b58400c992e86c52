import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** What an address is for. Only `global` may be reached without the operator's word. */
export type AddressClass =
  | 'global'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link_local'
  | 'metadata'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'embedded_ipv4'
  | 'reserved'
  | 'invalid'

type Block = readonly [prefix: Uint8Array, bits: number, addressClass: AddressClass]

/**
 * The IANA special-purpose registry of IPv4, and the addresses at which clouds answer for their machines. Order matters:
 * the first match names the class.
 */
const IPV4_BLOCKS: readonly Block[] = blocks([
  ['168.63.129.16/32', 'metadata'],
  ['100.100.100.200/32', 'metadata'],
  ['192.0.0.192/32', 'metadata'],
  ['169.254.0.0/16', 'link_local'],
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'reserved'],
  ['192.52.193.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'reserved'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['255.255.255.255/32', 'broadcast'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
])

/** IPv6 is the other way round: nothing is global but 2000::/3, and of that not these. */
const IPV6_GLOBAL: Block = block('2000::/3', 'global')
const IPV6_BLOCKS: readonly Block[] = blocks([
  ['fd00:ec2::/32', 'metadata'],
  ['fd20:ce::254/128', 'metadata'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'embedded_ipv4'],
  ['::ffff:0:0:0/96', 'embedded_ipv4'],
  ['::/96', 'embedded_ipv4'],
  ['64:ff9b::/96', 'embedded_ipv4'],
  ['64:ff9b:1::/48', 'embedded_ipv4'],
  ['2001::/32', 'embedded_ipv4'],
  ['2002::/16', 'embedded_ipv4'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'documentation'],
  ['2620:4f:8000::/48', 'reserved'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link_local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
])

/** Whether packets to this address go to the public internet. Text that is no plain address is not. */
export function isGlobalAddress(ip: string): boolean {
  return classify(ip) === 'global'
}

/** The class of an address in its plain form. Zone ids, short, octal and hexadecimal forms of IPv4 are `invalid`, never guessed at. */
export function classify(ip: string): AddressClass {
  const bytes = addressBytes(ip)
  if (!bytes) return 'invalid'
  if (bytes.length === 4) return IPV4_BLOCKS.find((candidate) => covers(candidate, bytes))?.[2] ?? 'global'
  const special = IPV6_BLOCKS.find((candidate) => covers(candidate, bytes))
  if (special) return special[2]
  if (isIsatap(bytes)) return 'embedded_ipv4'
  return covers(IPV6_GLOBAL, bytes) ? 'global' : 'reserved'
}

/** Whether an address lies in a CIDR block. The two IP versions never match each other. */
export function isInBlock(ip: string, cidr: string): boolean {
  const bytes = addressBytes(ip)
  return bytes !== undefined && covers(block(cidr, 'global'), bytes)
}

function addressBytes(ip: string): Uint8Array | undefined {
  // The parser alone would take 0x7f.1 and 0177.0.0.1 for addresses; what reaches a socket is always canonical.
  if (isIP(ip) === 0 || ip.includes('%')) return undefined
  return Uint8Array.from(ipaddr.parse(ip).toByteArray())
}

/** RFC 5214: an interface id of 00-00-5E-FE (or 02-00-5E-FE) holds an IPv4 address to which a router on the way unpacks. */
function isIsatap(bytes: Uint8Array): boolean {
  return (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
}

function covers([prefix, bits]: Block, bytes: Uint8Array): boolean {
  if (prefix.length !== bytes.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (prefix[i] !== bytes[i]) return false
  const rest = bits & 7
  return rest === 0 || (prefix[whole]! ^ bytes[whole]!) >> (8 - rest) === 0
}

function block(cidr: string, addressClass: AddressClass): Block {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return [Uint8Array.from(network.toByteArray()), bits, addressClass]
}

function blocks(entries: readonly (readonly [string, AddressClass])[]): Block[] {
  return entries.map(([cidr, addressClass]) => block(cidr, addressClass))
}
