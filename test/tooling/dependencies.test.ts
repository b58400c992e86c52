import assert from 'node:assert'
import { describe, it } from 'node:test'
import { dependencyFaults, isFree } from '../../tools/dependencies.ts'
import { plantTree } from './planted-tree.ts'

const HASH = 'sha512-AAAA'

function faultsOf(entry: Record<string, unknown>): string[] {
  using tree = plantTree({})
  tree.plant('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/x': { version: '1.0.0', ...entry } } }))
  return dependencyFaults(tree.root)
}

describe('dependencies', () => {
  it('accepts a hashed entry under a free licence', () => assert.deepEqual(faultsOf({ integrity: HASH, license: 'MIT' }), []))

  for (const licence of [
    'GPL-3.0',
    'AGPL-3.0-only',
    'LGPL-2.1',
    'SSPL-1.0',
    'BUSL-1.1',
    'UNLICENSED',
    'SEE LICENSE IN x',
    'MIT AND GPL-2.0',
    'MPL-2.0',
  ]) {
    it(`refuses ${licence} in what is shipped`, () => assert.equal(faultsOf({ integrity: HASH, license: licence }).length, 1))
  }

  it('refuses GPL in development as well', () => assert.equal(faultsOf({ integrity: HASH, license: 'GPL-3.0', dev: true }).length, 1))

  it('refuses a licence that nobody names', () => assert.equal(faultsOf({ integrity: HASH }).length, 1))

  it('refuses an entry without a hash', () => assert.equal(faultsOf({ license: 'MIT' }).length, 1))

  it('refuses an entry that leads to a host, and does not repeat its token', () => {
    const [fault, ...rest] = faultsOf({ integrity: HASH, license: 'MIT', resolved: 'https://user:s3cret@registry.example.com/x.tgz' })

    assert.equal(fault, 'package-lock.json: node_modules/x names a host: registry.example.com')
    assert.deepEqual(rest, [])
  })

  it('refuses an empty lockfile', () => {
    using tree = plantTree({})
    tree.plant('package-lock.json', '{"packages":{"":{}}}')
    assert.equal(dependencyFaults(tree.root).length, 1)
  })

  for (const version of [
    '^1.0.0',
    '~1.0.0',
    '1.x',
    '*',
    'latest',
    '>=1.0.0',
    'npm:typescript@^7.0.0',
    'git+https://example.com/x.git',
    'file:../x',
  ]) {
    it(`refuses the version ${version}`, () => {
      using tree = plantTree({ 'server/package.json': JSON.stringify({ dependencies: { x: version } }) })
      assert.deepEqual(
        dependencyFaults(tree.root).filter((fault) => fault.includes('exact')),
        [`server/package.json: x@${version} is not an exact version`],
      )
    })
  }

  it('reads a choice of licences as one that suffices, and a sum as all that bind', () => {
    assert.equal(isFree('(WTFPL OR MIT)'), true)
    assert.equal(isFree('GPL-2.0 OR MIT'), true)
    assert.equal(isFree('MIT AND ISC'), true)
    assert.equal(isFree('(MIT OR ISC) AND GPL-2.0'), false)
  })
})
