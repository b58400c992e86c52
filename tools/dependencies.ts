import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Manifest = Readonly<Record<string, unknown>>
type LockEntry = {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly link?: boolean
  readonly dev?: boolean
}

const MANIFESTS = ['package.json', '{contract,receiver,server,console}/package.json', 'examples/*/package.json']
const PINNED = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.-]+)?$/

/** Licences that ask for nothing beyond naming the author. */
const FREE = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
  'Zlib',
  'PostgreSQL',
])
/** Never shipped, so their terms bind nobody who runs Tenure. */
const FREE_IN_DEVELOPMENT = new Set([...FREE, 'MPL-2.0', 'CC-BY-4.0', 'Python-2.0', 'WTFPL'])

/** Faults in what we depend on: versions that may move, lock entries that lead elsewhere, licences that we may not ship. */
export function dependencyFaults(root: string): string[] {
  const lock = readJson(join(root, 'package-lock.json')) as { packages: Record<string, LockEntry> }
  const entries = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)
  if (entries.length === 0) return ['package-lock.json: no entry found: the check saw nothing']
  return [...pinFaults(root), ...entries.flatMap(([path, entry]) => [...placeFaults(path, entry), ...licenceFaults(root, path, entry)])]
}

function pinFaults(root: string): string[] {
  return globSync(MANIFESTS, { cwd: root }).flatMap((path) => {
    const manifest = readJson(join(root, path))
    const lists = ['dependencies', 'devDependencies', 'optionalDependencies'].map(
      (name) => manifest[name] as Record<string, string> | undefined,
    )
    const moving = lists.flatMap((list) => Object.entries(list ?? {})).filter(([, version]) => !PINNED.test(version))
    return moving.map(([name, version]) => `${path}: ${name}@${version} is not an exact version`)
  })
}

/** A `resolved` address ties every clone to one machine's registry; npm does without it, and the hash says what must come. */
function placeFaults(path: string, { resolved, integrity }: LockEntry): string[] {
  const faults: string[] = []
  if (resolved !== undefined) faults.push(`package-lock.json: ${path} names a host: ${hostOf(resolved)}`)
  if (!integrity) faults.push(`package-lock.json: ${path} has no integrity hash`)
  return faults
}

function licenceFaults(root: string, path: string, { license, dev }: LockEntry): string[] {
  const name = license ?? licenceOnDisk(root, path)
  if (!name) return [`package-lock.json: ${path} names no licence`]
  return isFree(name, dev ? FREE_IN_DEVELOPMENT : FREE) ? [] : [`package-lock.json: ${path} has the licence ${name}`]
}

/** SPDX, as far as npm packages use it: of `(A OR B)` one is enough, of `A AND B` all are needed. A nested expression wants a person's look. */
export function isFree(expression: string, free: ReadonlySet<string> = FREE): boolean {
  const bare = expression.replace(/^\(([^()]*)\)$/, '$1')
  return bare.split(/\s+OR\s+/).some((choice) => choice.split(/\s+AND\s+/).every((one) => free.has(one.trim())))
}

function licenceOnDisk(root: string, path: string): string | undefined {
  const manifest = join(root, path, 'package.json')
  const licence = existsSync(manifest) ? readJson(manifest).license : undefined
  return typeof licence === 'string' ? licence : undefined
}

/** The host alone: an address may carry a token. */
function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : 'not an address'
}

function readJson(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8'))
}

if (import.meta.main) {
  const faults = dependencyFaults(process.cwd())
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exit(1)
  console.log('every dependency is pinned, hashed and free')
}
