import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const BIN = join(import.meta.dirname, '../../bin/tenure.js')

/** Makes the Node that runs the file below believe that it is older. */
const OLD = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`

describe('bin/tenure.js', () => {
  let elsewhere: string
  before(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'tenure-bin-'))
    await cp(BIN, join(elsewhere, 'bin/tenure.mjs'), { recursive: true })
  })
  after(() => rm(elsewhere, { recursive: true }))

  it('runs the command line, and answers its exit code', () => {
    assert.equal(spawnSync(process.execPath, [BIN, '--version'], { encoding: 'utf8' }).stdout.trim(), '0.1.0')
    assert.equal(spawnSync(process.execPath, [BIN, 'nonsense']).status, 2)
  })

  it('on an old Node starts the one that the clone has pinned', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--import', OLD, BIN, '--version'], { encoding: 'utf8' })

    assert.deepEqual([status, stdout.trim()], [0, '0.1.0'])
    assert.equal(spawnSync(process.execPath, ['--import', OLD, BIN, 'nonsense']).status, 2)
  })

  it('on an old Node without a clone says what to type', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', OLD, join(elsewhere, 'bin/tenure.mjs'), 'events', 'list'], {
      encoding: 'utf8',
    })

    assert.equal(status, 1)
    assert.match(stderr, /npx -y -p node@24 -p tenure tenure events list\n$/)
  })
})
