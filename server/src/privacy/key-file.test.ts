import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createKeyFile, readKeyFile } from './key-file.ts'

describe('the key file', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-keys-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  let made = 0
  const write = async (text: string, mode = 0o400) => {
    const path = join(folder, `keys-${made++}`)
    await writeFile(path, text)
    await chmod(path, mode)
    return path
  }
  const line = (id: string) => `${id} ${randomBytes(32).toString('base64')}\n`

  it('is made once, for its owner alone, with a key of 32 random bytes', async () => {
    const path = join(folder, 'deep', 'keys')
    assert.equal(await createKeyFile(path), true)
    assert.equal((await stat(path)).mode & 0o777, 0o400)
    const [key, ...rest] = await readKeyFile(path)
    assert.equal(key.secret.length, 32)
    assert.equal(key.id, 'root-1')
    assert.equal(rest.length, 0)
  })

  it('is left alone where there is one', async () => {
    const path = join(folder, 'once')
    await createKeyFile(path)
    const before = await readFile(path, 'utf8')
    assert.equal(await createKeyFile(path), false)
    assert.equal(await readFile(path, 'utf8'), before)
  })

  it('holds several keys, the newest first', async () => {
    const keys = await readKeyFile(await write(`# comment\n\n${line('root-2')}${line('root-1')}`))
    assert.deepEqual(
      keys.map(({ id }) => id),
      ['root-2', 'root-1'],
    )
  })

  it('is refused when anybody else can read, write or run it', async () => {
    for (const mode of [0o440, 0o404, 0o420, 0o402, 0o410, 0o401, 0o644, 0o777]) {
      const path = await write(line('root-1'), mode)
      await assert.rejects(readKeyFile(path), { message: `The key file ${path} can be read by others. Run: chmod 0400 ${path}` })
    }
    for (const mode of [0o400, 0o600]) await readKeyFile(await write(line('root-1'), mode))
  })

  it('is missed with a sentence that says what to do', async () => {
    await assert.rejects(readKeyFile(join(folder, 'none')), /There is no key file at .*Run `tenure init`.*restore it from your backup/)
  })

  it('is refused when it holds a sample key', async () => {
    for (const byte of [0, 0x41, 0xff]) {
      const sample = `root-1 ${Buffer.alloc(32, byte).toString('base64')}\n`
      await assert.rejects(readKeyFile(await write(sample)), /holds a sample key. Run `tenure init`/)
      await assert.rejects(readKeyFile(await write(`${line('root-2')}${sample}`)), /holds a sample key/)
    }
  })

  it('is refused when it is empty or not in its form, naming the line and never the key', async () => {
    await assert.rejects(readKeyFile(await write('# nothing\n')), /holds no key/)
    const secret = randomBytes(32).toString('base64')
    for (const bad of [`root-1 ${secret.slice(4)}`, secret, `root-1 ${secret} more`, `ROOT ${secret}`, `root-1  ${secret}`]) {
      await assert.rejects(readKeyFile(await write(`${line('root-2')}${bad}\n`)), (error: Error) => {
        assert.match(error.message, /^Line 2 of the key file/)
        assert.ok(!error.message.includes(secret.slice(4, 20)))
        return true
      })
    }
  })
})
