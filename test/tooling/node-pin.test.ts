import assert from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { repository } from './planted-tree.ts'

const { optionalDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
const pinned: string | undefined = optionalDependencies[`node-${process.platform}-${process.arch}`]

/** A machine whose own Node says that it is version 18, first in the path, and a path without the repository's. */
let machine: string

const path = () => {
  const inherited = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return [machine, ...inherited].join(delimiter)
}

const run = (command: string, given: string[], cwd = repository) =>
  execFileSync(command, given, { cwd, encoding: 'utf8', env: { ...process.env, PATH: path() }, stdio: ['ignore', 'pipe', 'ignore'] }).trim()

before(() => {
  machine = mkdtempSync(join(tmpdir(), 'tenure-old-node-'))
  const script = `#!/bin/sh\nif [ "$1" = -p ] && [ "$2" = process.version ]; then echo v18.0.0; else exec '${process.execPath}' "$@"; fi\n`
  writeFileSync(join(machine, 'node'), script)
  chmodSync(join(machine, 'node'), 0o755)
})

after(() => rmSync(machine, { recursive: true, force: true }))

describe('the pinned Node', { skip: pinned ? false : 'no Node is pinned for this platform' }, () => {
  it('is not what a bare `node` of such a machine would be', () => assert.equal(run('node', ['-p', 'process.version']), 'v18.0.0'))

  it('runs the scripts of the root', () => assert.equal(run('npm', ['run', '-s', 'node:version']), `v${pinned}`))

  it('runs the scripts of a workspace, from the root', () => {
    assert.equal(run('npm', ['run', '-s', 'node:version', '-w', 'contract']), `v${pinned}`)
  })

  it('runs the scripts of a workspace, from its own folder', () => {
    assert.equal(run('npm', ['run', '-s', 'node:version'], join(repository, 'contract')), `v${pinned}`)
  })

  it('is the same version on every platform', () => assert.equal(new Set(Object.values(optionalDependencies)).size, 1))
})
