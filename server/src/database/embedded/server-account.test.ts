import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { chooseAccount } from './server-account.ts'

const isRoot = process.getuid?.() === 0
const hasSetpriv = await promisify(execFile)('setpriv', ['--version']).then(
  () => true,
  () => false,
)

describe('the user as whom PostgreSQL runs', () => {
  it('is never root, and ourselves where we are not root', async () => {
    const { uid, change } = await chooseAccount('/nonexistent/postgres')
    assert.notEqual(uid, 0)
    assert.equal(change, isRoot)
    if (!isRoot) assert.equal(uid, process.getuid?.())
  })

  it('cannot be chosen by a root without the rights to become it, and the rights are named', {
    skip: !(isRoot && hasSetpriv) && 'needs root and setpriv',
  }, async () => {
    const program = `
      const { chooseAccount } = await import(${JSON.stringify(new URL('./server-account.ts', import.meta.url).href)})
      await chooseAccount('/nonexistent/postgres').catch((error) => console.log(error.message))`
    const { stdout } = await promisify(execFile)('setpriv', [
      '--bounding-set=-kill,-setuid',
      process.execPath,
      '--input-type=module',
      '-e',
      program,
    ])
    assert.match(stdout, /lacks the rights to run it as somebody else \(KILL, SETUID\): start Tenure as an ordinary user/)
  })
})
