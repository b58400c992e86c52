import { isIP } from 'node:net'
import { defineProblem } from '../../kit/problem.ts'
import { type EgressPolicy, refuseName, refuseTarget, type TargetRefusal } from './egress-policy.ts'

export const endpointUrlRefused = defineProblem('endpoint-url-refused', 422, 'This URL cannot be an endpoint.')

export type UrlRefusal = TargetRefusal | 'malformed' | 'too_long' | 'unusual_characters' | 'scheme_not_allowed' | 'credentials_in_url'

const MAX_LENGTH = 2_048

const REFUSALS: Readonly<Record<UrlRefusal, readonly [message: string, mend: string]>> = {
  malformed: ['It is not an absolute URL.', 'Write it in full: https://host/path.'],
  too_long: ['It is too long.', `Keep it within ${MAX_LENGTH} characters.`],
  unusual_characters: ['It contains white space, control or invisible characters, or a backslash.', 'Percent-encode them in the path.'],
  scheme_not_allowed: ['Only https is delivered to.', 'Use an https:// URL.'],
  https_required: ['Plain http is for private targets that the configuration names.', 'Use an https:// URL.'],
  credentials_in_url: ['It carries a user name or password.', 'Put credentials into a custom header of the endpoint.'],
  port_not_allowed: ['This port is not allowed.', 'Use port 443 or 8443, or ask the operator to allow the port in the configuration.'],
  address_not_public: [
    'Its address is not on the public internet.',
    'Use a public host name, or ask the operator to allow the private target in the configuration.',
  ],
}

/**
 * Reads an endpoint's URL once, or throws `endpoint-url-refused` with the reason as the first word of its fault. Names pass
 * here unresolved: what they resolve to is judged at every connection, because it may have changed since.
 */
export function checkEgressUrl(text: string, policy: EgressPolicy): URL {
  if (text.length > MAX_LENGTH) throw refusal('too_long')
  // The parser would silently drop or fold these; a URL that reads differently to different parsers is refused instead.
  if (/[\p{C}\p{Z}\\]/u.test(text)) throw refusal('unusual_characters')
  const authority = /^[a-z][a-z\d+.-]*:\/\/([^/?#]+)/i.exec(text)?.[1]
  const url = authority === undefined ? null : URL.parse(text)
  if (!authority || !url) throw refusal(/^(?!https?:)[a-z][a-z\d+.-]*:/i.test(text) ? 'scheme_not_allowed' : 'malformed')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusal('scheme_not_allowed')
  if (authority.includes('@') || url.username || url.password) throw refusal('credentials_in_url')
  const refused = refuseHost(url, policy)
  if (refused) throw refusal(refused)
  return url
}

/** The port that a URL means, also when it leaves it out. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  return port ? Number(port) : protocol === 'https:' ? 443 : 80
}

/** The host as a resolver or socket wants it: IPv6 literals without their brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

function refuseHost(url: URL, policy: EgressPolicy): TargetRefusal | undefined {
  const address = bareHost(url.hostname)
  const secure = url.protocol === 'https:'
  return isIP(address) ? refuseTarget(policy, { address, port: portOf(url), secure }) : refuseName(policy, portOf(url), secure)
}

function refusal(reason: UrlRefusal) {
  const [message, mend] = REFUSALS[reason]
  return endpointUrlRefused({ detail: message, errors: [{ pointer: '/url', message: `${reason}: ${message}`, mend }] })
}
