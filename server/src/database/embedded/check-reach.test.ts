import assert from 'node:assert/strict'
import { chmod, chown, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { firstClosed, refuseUnreachable } from './check-reach.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

const stranger = { uid: 64_001, gid: 64_001, change: true }
const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'only root changes its uid and owners of folders'

describe('reach of the unprivileged user', () => {
  let outer: string
  let inner: string
  before(async () => {
    outer = await realpath(await mkdtemp(join(tmpdir(), 'tenure-reach-')))
    inner = join(outer, 'a/b')
    await mkdir(inner, { recursive: true, mode: 0o755 })
  })
  after(() => rm(outer, { recursive: true, force: true }))

  it('ends at the first folder that others may not enter, and says how to open it', async () => {
    await chmod(outer, 0o700)
    await chmod(join(outer, 'a'), 0o700)

    assert.equal(await firstClosed(inner, stranger), outer)
    await assert.rejects(
      refuseUnreachable([inner], stranger),
      new RegExp(`uid 64001, which may not enter ${outer}: open it with 'chmod o\\+x ${outer}'`),
    )

    await chmod(outer, 0o711)
    assert.equal(await firstClosed(inner, stranger), join(outer, 'a'))
    await chmod(join(outer, 'a'), 0o755)
    assert.equal(await firstClosed(inner, stranger), undefined)
  })

  it('is judged by the one class of rights that the kernel asks', { skip }, async () => {
    await chmod(inner, 0o075)
    await chown(inner, stranger.uid, 0)
    assert.equal(await firstClosed(inner, stranger), inner)
    await chown(inner, 0, stranger.gid)
    assert.equal(await firstClosed(inner, stranger), undefined)
    await chmod(inner, 0o705)
    assert.equal(await firstClosed(inner, stranger), inner)
  })

  it('is looked at before the start, and the folder in the way is named', { skip }, async () => {
    await chmod(outer, 0o700)
    const start = startEmbeddedPostgres({ folder: join(outer, 'tenure'), log: createLog('silent') })
    await assert.rejects(start, new RegExp(`may not enter ${outer}: open it with`))
  })
})
