import { CATALOGUE } from '@tenure/contract'
import { ID_HEADER, parseSecret, SIGNATURE_HEADER, TIMESTAMP_HEADER } from '@tenure/contract/signature'
import { type Actor, requireScope } from '../../access/actor.ts'
import { type Detail, grantablePaths } from '../../events/cut-event.ts'
import type { Fault } from '../../kit/problem.ts'
import { endpointNotValid } from '../problems.ts'
import type { CreateEndpoint } from './inputs.ts'

const TYPES: ReadonlySet<string> = new Set(['*', ...CATALOGUE.flatMap(({ type }) => [type, `${type.split('.')[0]}.*`])])
const GRANTABLE = grantablePaths(CATALOGUE.map(({ data }) => data))

/** Names that belong to the connection, to the message, or to the signature. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect'],
  ...['te', 'trailer', 'accept-encoding', 'proxy-connection', 'proxy-authorization', 'user-agent', 'cookie', '__proto__'],
  ...[ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER],
])
/** RFC 9110 §5.6.2; values in visible ASCII, because anything beyond is read differently by different servers. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const HEADER_VALUE = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/

export type CheckedFields = Partial<Pick<CreateEndpoint, 'event_types' | 'grants' | 'custom_headers' | 'secret'>>

/** Refuses what no schema can say, all of it in one answer. Values of headers and secrets are never quoted. */
export function checkEndpointFields({ event_types = [], grants = [], custom_headers = {}, secret }: CheckedFields): void {
  const errors = [
    ...event_types.flatMap((type, index) => (TYPES.has(type) ? [] : [UNKNOWN_TYPE(index)])),
    ...grants.flatMap((grant, index) => (GRANTABLE.has(grant) ? [] : [UNKNOWN_GRANT(index)])),
    ...Object.entries(custom_headers).flatMap(([name, value]) => headerFault(name, value)),
    ...secretFault(secret),
  ]
  if (errors.length > 0) throw endpointNotValid({ errors })
}

type Sent = { readonly event_types: readonly string[]; readonly detail: Detail; readonly grants: readonly string[] }

/** An endpoint is sent no more than whoever sets it up may read: of candidates, of employees, or of both. */
export function requireRead(actor: Actor, { event_types, detail, grants }: Sent): void {
  const isOfCandidates = (type: string) => type.startsWith('candidate.')
  const subjects = [
    ...(event_types.some((type) => type === '*' || isOfCandidates(type)) ? (['candidates'] as const) : []),
    ...(event_types.every(isOfCandidates) ? [] : (['employees'] as const)),
  ]
  for (const subject of subjects) {
    if (detail === 'full') requireScope(actor, `${subject}:read`)
    if (grants.length > 0) requireScope(actor, `${subject}:read:personal`)
  }
}

/** Header names in lower case, so that two spellings of one name cannot both be sent. */
export function normalHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

const UNKNOWN_TYPE = (index: number): Fault => ({
  pointer: `/event_types/${index}`,
  message: 'is not a type of the catalogue',
  mend: 'Name a type such as employment.started, all of a subject as employment.*, or * for all.',
})

const UNKNOWN_GRANT = (index: number): Fault => ({
  pointer: `/grants/${index}`,
  message: 'is not the path of a personal field of any event',
  mend: 'Name a path such as person.email or compensation, or personal for all of them.',
})

function headerFault(name: string, value: string): Fault[] {
  const pointer = `/custom_headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  if (RESERVED_HEADERS.has(name.toLowerCase()))
    return [{ pointer, message: 'is a name that Tenure sets itself', mend: 'Choose another name.' }]
  if (!HEADER_NAME.test(name))
    return [{ pointer: '/custom_headers', message: 'has a name that is not one of HTTP', mend: 'Use letters, digits and hyphens.' }]
  if (!HEADER_VALUE.test(value)) return [{ pointer, message: 'is not a value that can be sent', mend: 'Use visible ASCII characters.' }]
  return []
}

function secretFault(secret: string | undefined): Fault[] {
  try {
    if (secret !== undefined) parseSecret(secret)
    return []
  } catch {
    return [{ pointer: '/secret', message: 'is not whsec_ and 24 to 64 bytes in base64', mend: 'Leave it out to get a new one.' }]
  }
}
