import ipaddr from 'ipaddr.js'
import { type AddressClass, classify, isInBlock } from './address-class.ts'

export type PortSet = readonly number[] | 'any'

/** A block of addresses of the operator's own network that endpoints may name, plain http included. */
export type PrivateTarget = { readonly cidr: string; readonly ports: PortSet }

/**
 * What may be reached beside public addresses over https. It comes from the configuration file only: an API that could
 * widen it would be the hole that the guard closes.
 */
export type EgressPolicy = {
  readonly allowedPrivate: readonly PrivateTarget[]
  /** Ports of public addresses beside 443 and 8443. */
  readonly extraPorts: readonly number[]
  /** Ports of 127.0.0.0/8 and ::1. Development and tests only: in production this is empty, and no CIDR can stand in for it. */
  readonly loopbackPorts: PortSet
}

/** Public addresses, https, ports 443 and 8443: what holds when the operator says nothing. */
export const PUBLIC_ONLY: EgressPolicy = { allowedPrivate: [], extraPorts: [], loopbackPorts: [] }

export type TargetRefusal = 'address_not_public' | 'https_required' | 'port_not_allowed'

export type Target = { readonly address: string; readonly port: number; readonly secure: boolean }

const PUBLIC_PORTS: readonly number[] = [443, 8443]

/** No configured block opens these: they are this machine, its cloud's keys, everybody at once, or an address in disguise. */
const NEVER_PRIVATE_TARGETS: ReadonlySet<AddressClass> = new Set([
  'loopback',
  'link_local',
  'metadata',
  'unspecified',
  'multicast',
  'broadcast',
  'embedded_ipv4',
  'invalid',
])

/** Why this address may not be dialled, or undefined when it may. The one rule that literals, DNS answers and open sockets meet. */
export function refuseTarget(policy: EgressPolicy, { address, port, secure }: Target): TargetRefusal | undefined {
  const addressClass = classify(address)
  if (addressClass === 'loopback' && admits(policy.loopbackPorts, port)) return undefined
  if (!NEVER_PRIVATE_TARGETS.has(addressClass) && isAllowedPrivate(policy, address, port)) return undefined
  if (addressClass !== 'global') return 'address_not_public'
  return refusePublic(policy, port, secure)
}

/** The part of the rule that a name already answers to. What it resolves to is judged when it is dialled. */
export function refuseName(policy: EgressPolicy, port: number, secure: boolean): TargetRefusal | undefined {
  const mayBePrivate = admits(policy.loopbackPorts, port) || policy.allowedPrivate.some(({ ports }) => admits(ports, port))
  return mayBePrivate ? undefined : refusePublic(policy, port, secure)
}

/**
 * Reads private targets as the configuration writes them: `10.1.0.0/16`, `10.1.2.3:8080`, `10.1.0.0/16:80,8080`,
 * `[fd12:3456::/48]:8080`. Without ports every port is meant.
 */
export function parsePrivateTargets(lines: readonly string[]): PrivateTarget[] {
  return lines.map(parsePrivateTarget)
}

function parsePrivateTarget(line: string): PrivateTarget {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d./]+)|(?<bare>[^[\]]*::?[^[\]]*))(?::(?<ports>\d+(?:,\d+)*))?$/.exec(line.trim())
  const text = match?.groups?.v6 ?? match?.groups?.v4 ?? match?.groups?.bare
  const cidr = text && toCidr(text)
  if (!cidr)
    throw new Error(`'${line}' is not a private target. Write a CIDR block with or without ports, as 10.1.0.0/16:8080 or [fd12::/48]:8080.`)
  const addressClass = classify(cidr.slice(0, cidr.indexOf('/')))
  if (NEVER_PRIVATE_TARGETS.has(addressClass)) {
    throw new Error(`'${line}' cannot be a private target: ${addressClass} addresses are never opened by a CIDR block.`)
  }
  const ports = match?.groups?.ports?.split(',').map(Number)
  if (ports?.some((port) => port < 1 || port > 65_535)) throw new Error(`'${line}' names a port outside 1 to 65535.`)
  return { cidr, ports: ports ?? 'any' }
}

function toCidr(text: string): string | undefined {
  const [address = '', bits] = text.split('/')
  if (classify(address) === 'invalid') return undefined
  const cidr = bits === undefined ? `${address}/${address.includes(':') ? 128 : 32}` : text
  return ipaddr.isValidCIDR(cidr) ? cidr : undefined
}

function refusePublic(policy: EgressPolicy, port: number, secure: boolean): TargetRefusal | undefined {
  if (!secure) return 'https_required'
  return PUBLIC_PORTS.includes(port) || policy.extraPorts.includes(port) ? undefined : 'port_not_allowed'
}

function isAllowedPrivate(policy: EgressPolicy, address: string, port: number): boolean {
  return policy.allowedPrivate.some(({ cidr, ports }) => admits(ports, port) && isInBlock(address, cidr))
}

function admits(ports: PortSet, port: number): boolean {
  return ports === 'any' || ports.includes(port)
}
