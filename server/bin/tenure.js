#!/usr/bin/env node
// Plain JavaScript that an old Node can read: it finds a Node that can run Tenure, or says how to get one.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const LEAST = [22, 22]

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, '../src/cli/main.ts')
const built = join(here, '../dist/cli/main.js')
// Node strips types of its own sources only: below node_modules it wants JavaScript.
const main = existsSync(source) && here.indexOf('node_modules') === -1 ? source : built
const pinned = join(here, '../../node_modules/.bin/node')

const [major, minor] = process.versions.node.split('.').map(Number)
const isNewEnough = major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])

if (isNewEnough) {
  await import(pathToFileURL(main).href)
} else if (main === source && existsSync(pinned)) {
  const child = spawn(pinned, [main].concat(process.argv.slice(2)), { stdio: 'inherit' })
  // Ctrl-C reaches both of us; we stay until the other is done.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code) => process.exit(code === null ? 1 : code))
} else {
  console.error(`Tenure needs Node ${LEAST.join('.')} or newer, and this is ${process.version}. Run it with a newer one:`)
  console.error(`  npx -y -p node@24 -p tenure tenure ${process.argv.slice(2).join(' ')}`.trimEnd())
  process.exit(1)
}
