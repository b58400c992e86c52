import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const repository = join(import.meta.dirname, '../..')

const SETTINGS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'biome.json',
  'knip.json',
  '.jscpd.json',
  '.dependency-cruiser.cjs',
  '.gitignore',
]
const WORKSPACES = ['contract', 'receiver', 'server', 'console', 'examples/payroll']

/** A copy of the repository's settings and checks around the few source files given: sound, but for what the test plants. */
export type PlantedTree = Disposable & {
  readonly root: string
  plant(path: string, text: string): void
  format(): void
}

export function plantTree(sources: Readonly<Record<string, string>>): PlantedTree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tenure-planted-')))
  const plant = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const name of SETTINGS) cpSync(join(repository, name), join(root, name))
  for (const name of WORKSPACES) plant(`${name}/package.json`, bareManifest(join(repository, name, 'package.json')))
  plant('package.json', bareManifest(join(repository, 'package.json')))
  cpSync(join(repository, 'tools'), join(root, 'tools'), { recursive: true, filter: (path) => !path.endsWith('/tools/generate') })
  plant('tools/generators.ts', NO_GENERATORS)
  linkPackages(root)
  for (const [path, text] of Object.entries(sources)) plant(path, text)
  const format = (): void => {
    execFileSync(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', '--write', '.'], {
      cwd: root,
      stdio: 'ignore',
    })
  }
  return { root, plant, format, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

/** Few sources use few packages: with the real lists the check for dead dependencies would drown what a test plants. */
function bareManifest(path: string): string {
  const { name, type, workspaces, exports } = JSON.parse(readFileSync(path, 'utf8'))
  return JSON.stringify({ name, version: '0.1.0', private: true, type, workspaces, exports, ...(workspaces && { devDependencies: TOOLS }) })
}

/** The real generators start a database of their own; what the gate makes of them is planted. */
const NO_GENERATORS = 'export type Generator = { makes: string; script: string }\n\nexport const GENERATORS: Generator[] = []\n'

const TOOLS = { typescript: '5.9.3', '@types/node': '24.13.2' }

/** The installed packages, but our own workspaces lead into the tree. */
function linkPackages(root: string): void {
  const installed = join(repository, 'node_modules')
  mkdirSync(join(root, 'node_modules/@tenure'), { recursive: true })
  for (const name of readdirSync(installed)) {
    if (name !== '@tenure' && name !== 'tenure') symlinkSync(join(installed, name), join(root, 'node_modules', name))
  }
  for (const name of ['contract', 'receiver']) symlinkSync(join(root, name), join(root, 'node_modules/@tenure', name))
}
