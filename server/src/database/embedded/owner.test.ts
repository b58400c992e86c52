import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { takeOwnership } from './owner.ts'
import { readProcess } from './running-process.ts'

describe('ownership of a database folder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-owner-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is given to one of many who ask at once after the owner died', async () => {
    await symlink('999999999@gone', join(folder, 'postgres-owner.7'))

    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => takeOwnership(folder)))

    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.deepEqual(await readdir(folder), ['postgres-owner.8'])
  })

  it('is refused with the pid while the owner lives, and given after its release', async () => {
    const first = await takeOwnership(folder)

    await assert.rejects(takeOwnership(folder), new RegExp(`pid ${process.pid} already runs the database in ${folder}`))

    await first.release()
    await (await takeOwnership(folder)).release()
  })

  it('is not kept by a dead owner whose pid another process has now', async () => {
    const other = await readProcess(process.ppid)
    assert.ok(other)
    await symlink(`${other.pid}@${other.startedAt}0`, join(folder, 'postgres-owner.1'))

    await (await takeOwnership(folder)).release()

    await symlink(`${other.pid}@${other.startedAt}`, join(folder, 'postgres-owner.9'))
    await assert.rejects(takeOwnership(folder), new RegExp(`pid ${other.pid} `))
  })
})
