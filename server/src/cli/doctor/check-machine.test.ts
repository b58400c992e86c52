import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createKeyFile } from '../../privacy/key-file.ts'
import { checkDisk, checkFolder, checkKeyFile, checkNode } from './check-machine.ts'

describe('the doctor', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-doctor-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('finds a Node that is too old', () => {
    assert.deepEqual(
      ['20.20.2', '22.21.9', '22.22.0', '24.0.0'].map((version) => checkNode(version).level),
      ['fail', 'fail', 'ok', 'ok'],
    )
  })

  it('finds a folder that others can see into or write in', async () => {
    const levels = []
    for (const mode of [0o700, 0o711, 0o755, 0o777]) {
      await chmod(folder, mode)
      levels.push((await checkFolder({ TENURE_FOLDER: folder })).level)
    }
    assert.deepEqual(levels, ['ok', 'ok', 'warn', 'fail'])
  })

  it('finds a key file that is missing, readable by others or not one, and says how to mend it', async () => {
    const path = join(folder, 'keys')
    assert.equal((await checkKeyFile(path, true)).level, 'warn')
    assert.match((await checkKeyFile(path, false)).mend ?? '', /backup/)
    await createKeyFile(path)
    assert.equal((await checkKeyFile(path, false)).level, 'ok')
    await chmod(path, 0o444)
    assert.match((await checkKeyFile(path, false)).message, /chmod 0400/)
    await rm(path)
    await writeFile(path, 'nonsense', { mode: 0o400 })
    assert.equal((await checkKeyFile(path, false)).level, 'fail')
  })

  it('looks at the disk of a folder that is still to be made', async () => {
    assert.match((await checkDisk(join(folder, 'not', 'yet'))).message, /GiB are free at /)
  })
})
