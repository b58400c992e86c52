import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** In the order in which they need each other: the receiver is compiled against the types of the built contract. */
const PUBLISHED = ['contract', 'receiver']

type Manifest = { readonly exports: Readonly<Record<string, string>>; readonly [field: string]: unknown }

/** Fills `<workspace>/dist` with what is published: JavaScript, types and a package.json whose exports lead to them. */
function buildPackage(root: string, workspace: string): void {
  const folder = join(root, workspace)
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  compile(root, workspace)
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishedManifest(manifest, dist), null, 2)}\n`)
  for (const text of [join(root, 'LICENSE'), join(folder, 'README.md')]) {
    if (existsSync(text)) cpSync(text, join(dist, text.endsWith('LICENSE') ? 'LICENSE' : 'README.md'))
  }
}

function compile(root: string, workspace: string): void {
  const tsc = join(root, 'node_modules/typescript-7/bin/tsc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', join(workspace, 'tsconfig.build.json')], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${workspace} could not be compiled:\n${stdout}${stderr}`)
}

/** The workspace's manifest without what serves only the repository: it is private, so that nobody publishes sources. Each export must have become a file. */
function publishedManifest({ scripts, devDependencies, private: _, exports, ...rest }: Manifest, dist: string): Record<string, unknown> {
  const built = Object.entries(exports).map(([name, source]) => {
    const path = source.replace(/^\.\/src\//, './').replace(/\.ts$/, '')
    for (const file of [`${path}.js`, `${path}.d.ts`]) {
      if (!existsSync(join(dist, file))) throw new Error(`The export ${name} leads to ${file}, which was not built.`)
    }
    return [name, { types: `${path}.d.ts`, default: `${path}.js` }]
  })
  return { ...rest, sideEffects: false, exports: Object.fromEntries(built) }
}

const root = process.cwd()
for (const workspace of PUBLISHED) {
  buildPackage(root, workspace)
  console.log(`${workspace}/dist is ready: npm publish ./${workspace}/dist`)
}
