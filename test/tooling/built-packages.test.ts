import assert from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { repository } from './planted-tree.ts'

let folder: string
/** A stranger's project with the two packages installed, and nothing else: not even what they declare. */
let stranger: string

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tenure-built-')))
  const copy = join(folder, 'copy')
  const isSource = (path: string) => !['dist', 'node_modules'].includes(basename(path))
  for (const name of ['contract', 'receiver', 'tsconfig.json', 'LICENSE', 'tools']) {
    cpSync(join(repository, name), join(copy, name), { recursive: true, filter: isSource })
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  execFileSync(process.execPath, ['tools/build-packages.ts'], { cwd: copy })

  stranger = join(folder, 'stranger')
  mkdirSync(join(stranger, 'node_modules/@tenure'), { recursive: true })
  for (const name of ['contract', 'receiver'])
    cpSync(join(copy, name, 'dist'), join(stranger, 'node_modules/@tenure', name), { recursive: true })
  writeFileSync(join(stranger, 'package.json'), '{"type":"module"}')
})

after(() => rmSync(folder, { recursive: true, force: true }))

/** The machine's own Node, which may be older than the pinned one; else the pinned one. */
function oldNode(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))
  return folders.map((path) => join(path, 'node')).find(isExecutable) ?? process.execPath
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function runAsStranger(code: string): string {
  writeFileSync(join(stranger, 'main.mjs'), code)
  const { stdout, stderr } = spawnSync(oldNode(), ['main.mjs'], { cwd: stranger, encoding: 'utf8', env: {} })
  return (stdout + stderr).trim()
}

const RECEIVE = `
import { createReceiver } from '@tenure/receiver'
import { signDelivery, testSecret } from '@tenure/receiver/testing'

const secret = testSecret()
const handled = []
const receiver = createReceiver({ secret }).onAny((event) => handled.push(event.id))
const { headers, body } = await signDelivery({ id: 'evt_1', type: 'webhook.test', data: {} }, { secret })
const good = await receiver.handle({ method: 'POST', headers, body })
const forged = await receiver.handle({ method: 'POST', headers, body: new TextEncoder().encode('{}') })
console.log(JSON.stringify([good.status, forged.status, handled]))
`

const TYPED = `
import { createReceiver } from '@tenure/receiver'
import { expressHandler } from '@tenure/receiver/express'
import { fastifyReceiver } from '@tenure/receiver/fastify'
import { fetchHandler } from '@tenure/receiver/fetch'
import { nodeListener } from '@tenure/receiver/node'
import { onceInPostgres } from '@tenure/receiver/postgres'

const receiver = createReceiver({ secret: 'whsec_x' }).on('employment.started', ({ data }) => {
  const id: string = data.employee_id
  // @ts-expect-error: the schema of the event reaches the handler
  data.no_such_field
  return id
})
// @ts-expect-error: there is no such event
receiver.on('employment.invented', () => {})
export const uses = [expressHandler, fastifyReceiver, fetchHandler, nodeListener, onceInPostgres]
`

function compileAsStranger(typescript: string): string {
  for (const [name, place] of [
    ['typebox', 'typebox'],
    ['@types', '@types'],
    ['undici-types', 'undici-types'],
  ] as const) {
    rmSync(join(stranger, 'node_modules', name), { force: true })
    symlinkSync(join(repository, 'node_modules', place), join(stranger, 'node_modules', name))
  }
  writeFileSync(join(stranger, 'typed.ts'), TYPED)
  const tsc = join(repository, 'node_modules', typescript, 'bin/tsc')
  const given = '--noEmit --strict --skipLibCheck --target es2022 --module nodenext --types node typed.ts'.split(' ')
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...given], { cwd: stranger, encoding: 'utf8' })
  return (stdout + stderr).trim()
}

describe('the published packages', () => {
  it('verify and refuse under the oldest Node at hand, where TypeBox is not even installed', () => {
    assert.equal(runAsStranger(RECEIVE), '[200,400,["evt_1"]]')
  })

  it('do without a global `crypto`, which Node 18 does not have', () => {
    writeFileSync(join(stranger, 'without-crypto.mjs'), 'delete globalThis.crypto\nif (globalThis.crypto) throw new Error("still there")\n')
    assert.equal(runAsStranger(`import './without-crypto.mjs'\n${RECEIVE}`), '[200,400,["evt_1"]]')
  })

  it('would fail there if the receiver loaded TypeBox, as the catalogue does', () => {
    assert.match(runAsStranger("await import('@tenure/contract')"), /Cannot find package 'typebox'/)
  })

  it('load from every export of the receiver', () => {
    const { exports } = JSON.parse(readFileSync(join(stranger, 'node_modules/@tenure/receiver/package.json'), 'utf8'))
    const names = Object.keys(exports).map((name) => name.replace(/^\./, '@tenure/receiver'))
    const code = `for (const name of ${JSON.stringify(names)}) console.log(Object.keys(await import(name)).length > 0)`
    assert.equal(runAsStranger(code), names.map(() => 'true').join('\n'))
  })

  it('carry no sources, no tests and no scripts', () => {
    for (const name of ['contract', 'receiver']) {
      const place = join(stranger, 'node_modules/@tenure', name)
      const listed = execFileSync('find', [place, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')
      assert.deepEqual(
        listed.filter((path) => !/(\.js|\.d\.ts|package\.json|LICENSE|README\.md)$/.test(path) || path.includes('.test.')),
        [],
      )
      const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
      assert.deepEqual([manifest.scripts, manifest.devDependencies, manifest.private], [undefined, undefined, undefined])
    }
  })

  for (const typescript of ['typescript', 'typescript-7']) {
    it(`give a stranger the types of each event (${typescript})`, () => assert.equal(compileAsStranger(typescript), ''))
  }
})
