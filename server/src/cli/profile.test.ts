import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { folderProfilePath, resolveProfile, userProfilePath, writeProfile } from './profile.ts'

const STORED = { url: 'http://127.0.0.1:3000', key: 'tnr_test_stored' }

describe('a profile', () => {
  let folder: string
  let env: Record<string, string>
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-profile-'))
    env = { TENURE_FOLDER: join(folder, '.tenure'), XDG_CONFIG_HOME: join(folder, 'config') }
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is readable by its owner only, also where a wider one was there before', async () => {
    const path = userProfilePath(env)
    await writeProfile(path, STORED)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    await writeFile(path, '{}')
    await chmod(path, 0o644)

    await writeProfile(path, STORED)

    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(resolveProfile({}, env), STORED)
  })

  it('of the folder goes before that of the user, the environment before both, flags before all', async () => {
    await writeProfile(userProfilePath(env), { ...STORED, key: 'tnr_test_user' })
    assert.equal(resolveProfile({}, env).key, 'tnr_test_user')
    await writeProfile(folderProfilePath(env), STORED)
    assert.equal(resolveProfile({}, env).key, 'tnr_test_stored')
    assert.equal(resolveProfile({}, { ...env, TENURE_API_KEY: 'tnr_test_env' }).key, 'tnr_test_env')
    assert.equal(resolveProfile({ key: 'tnr_test_flag' }, { ...env, TENURE_API_KEY: 'tnr_test_env' }).key, 'tnr_test_flag')
  })

  it('gives its key to its own server only', async () => {
    await writeProfile(folderProfilePath(env), STORED)

    assert.throws(() => resolveProfile({ url: 'https://elsewhere.example' }, env), { exitCode: 3 })
    assert.throws(() => resolveProfile({}, { ...env, TENURE_URL: 'http://127.0.0.1:3001' }), { exitCode: 3 })
    assert.equal(resolveProfile({ url: 'http://127.0.0.1:3000/' }, env).key, STORED.key)
  })

  it('of a folder gets no key that was meant for another server', async () => {
    await writeProfile(folderProfilePath(env), { url: 'https://elsewhere.example', key: 'tnr_test_theirs' })
    const given = { ...env, TENURE_API_KEY: 'tnr_live_mine' }
    assert.throws(() => resolveProfile({}, given), { exitCode: 3 })
    assert.throws(() => resolveProfile({ key: 'tnr_live_mine' }, env), { exitCode: 3 })
    assert.equal(resolveProfile({ url: 'https://tenure.example.com' }, given).key, 'tnr_live_mine')
    assert.equal(resolveProfile({}, { ...given, TENURE_URL: 'https://tenure.example.com' }).url, 'https://tenure.example.com')
    assert.equal(resolveProfile({}, env).key, 'tnr_test_theirs')
  })
})
