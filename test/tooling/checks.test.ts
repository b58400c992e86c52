import assert from 'node:assert'
import { describe, it } from 'node:test'
import { CHECKS, runCheck } from '../../tools/check.ts'
import { plantTree } from './planted-tree.ts'

const SOUND = {
  'contract/src/index.ts': "export { signatureHeader } from './signature.ts'\n",
  'contract/src/signature.ts': "export const signatureHeader = 'webhook-signature'\n",
  'receiver/src/index.ts': "import { signatureHeader } from '@tenure/contract/signature'\n\nexport const headers = [signatureHeader]\n",
  'server/src/kit/clock.ts': 'export type Clock = () => Date\n\nexport const systemClock: Clock = () => new Date()\n',
  'server/src/people/hire-employee.ts':
    "import type { Clock } from '../kit/clock.ts'\n\nexport const hireEmployee = (now: Clock) => now().toISOString()\n",
  'server/src/cli/main.ts':
    "import { systemClock } from '../kit/clock.ts'\nimport { hireEmployee } from '../people/hire-employee.ts'\n\nconsole.log(hireEmployee(systemClock))\n",
  'examples/payroll/src/main.ts': "import { headers } from '@tenure/receiver'\n\nconsole.log(headers)\n",
}

const LONG_WAY = `export function total(amounts: number[], floor: number, ceiling: number): number {
${Array.from({ length: 14 }, (_, n) => `  const part${n} = amounts.filter((one) => one > floor + ${n} && one < ceiling).length`).join('\n')}
  return ${Array.from({ length: 14 }, (_, n) => `part${n}`).join(' + ')}
}
`

/** One fault for each check, the check that must see it, and what it must say. */
const FAULTS: readonly { check: string; fault: string; files: Readonly<Record<string, string>>; says: RegExp }[] = [
  { check: 'format and lint', fault: 'a semicolon', files: { 'bench/x.ts': 'export const a = 1;\n' }, says: /bench\/x\.ts/ },
  {
    check: 'format and lint',
    fault: 'an unused import',
    files: { 'bench/x.ts': "import { join } from 'node:path'\n" },
    says: /noUnusedImports/,
  },
  { check: 'types', fault: 'a type error', files: { 'bench/x.ts': "export const a: number = 'one'\n" }, says: /bench\/x\.ts.*TS2322/ },
  { check: 'types', fault: 'an enum, which Node cannot erase', files: { 'bench/x.ts': 'export enum A {\n  b,\n}\n' }, says: /TS1294/ },
  {
    check: 'import directions',
    fault: 'an import against the order',
    files: { 'server/src/kit/loop.ts': "import { hireEmployee } from '../people/hire-employee.ts'\n\nexport const loop = hireEmployee\n" },
    says: /kit\/loop\.ts → server\/src\/people\/hire-employee\.ts: not-upward-from-kit/,
  },
  {
    check: 'import directions',
    fault: 'an import of a type against the order',
    files: {
      'server/src/kit/loop.ts':
        "import type { hireEmployee } from '../people/hire-employee.ts'\n\nexport type Loop = typeof hireEmployee\n",
    },
    says: /not-upward-from-kit/,
  },
  {
    check: 'import directions',
    fault: 'an example that knows the server',
    files: {
      'examples/payroll/src/main.ts': "import { systemClock } from '../../../server/src/kit/clock.ts'\n\nconsole.log(systemClock())\n",
    },
    says: /example-stays-within/,
  },
  {
    check: 'import directions',
    fault: 'a receiver that loads the whole contract',
    files: { 'receiver/src/index.ts': "import { signatureHeader } from '@tenure/contract'\n\nexport const headers = [signatureHeader]\n" },
    says: /receiver-without-typebox/,
  },
  {
    check: 'import directions',
    fault: 'a receiver that brings a dependency along',
    files: { 'receiver/src/index.ts': "import pg from 'pg'\n\nexport const headers = [pg]\n" },
    says: /receiver-without-dependencies/,
  },
  {
    check: 'import directions',
    fault: 'a folder without a place',
    files: { 'server/src/misc/a.ts': "import '../kit/clock.ts'\n" },
    says: /has-a-place/,
  },
  {
    check: 'import directions',
    fault: 'a circle',
    files: { 'bench/a.ts': "import './b.ts'\n", 'bench/b.ts': "import './a.ts'\n" },
    says: /no-circle/,
  },
  {
    check: 'dead code',
    fault: 'an export that nobody uses',
    files: { 'server/src/kit/clock.ts': `${SOUND['server/src/kit/clock.ts']}\nexport const forgotten = 1\n` },
    says: /forgotten/,
  },
  {
    check: 'dead code',
    fault: 'a file that nobody imports',
    files: { 'server/src/kit/attic.ts': 'export const dust = 1\n' },
    says: /attic\.ts/,
  },
  {
    check: 'duplication',
    fault: 'a function written twice',
    files: { 'bench/a.ts': LONG_WAY, 'bench/b.ts': LONG_WAY },
    says: /Clone found/,
  },
  {
    check: 'bans',
    fault: 'a glance at the clock',
    files: { 'server/src/people/hire-employee.ts': 'export const hireEmployee = () => Date.now()\n' },
    says: /hire-employee\.ts:1 clock/,
  },
  {
    check: 'dependencies',
    fault: 'a version that may move',
    files: { 'console/package.json': '{"dependencies":{"react":"^19.0.0"}}' },
    says: /react@\^19/,
  },
  {
    check: 'generated files',
    fault: 'a file that is not what its generator would write',
    files: {
      'tools/generators.ts':
        "export type Generator = { makes: string; script: string }\nexport const GENERATORS = [{ makes: 'a page', script: 'bench/page.ts' }]\n",
      'bench/page.ts': "if (process.argv.includes('--check')) {\n  console.error('page.md is stale')\n  process.exit(1)\n}\n",
    },
    says: /a page \(bench\/page\.ts\): page\.md is stale/,
  },
]

describe('the gate', () => {
  it('passes a sound tree in every check', () => {
    using tree = plantTree(SOUND)
    tree.format()
    for (const { name } of CHECKS) {
      const { passed, output } = runCheck(tree.root, name)
      assert.ok(passed, `${name}: ${output}`)
    }
  })

  for (const { check, fault, files, says } of FAULTS) {
    it(`refuses ${fault} (${check})`, () => {
      using tree = plantTree(SOUND)
      for (const [path, text] of Object.entries(files)) tree.plant(path, text)

      const { passed, output } = runCheck(tree.root, check)

      assert.match(output, says)
      assert.equal(passed, false)
    })
  }

  it('refuses a dependency-cruiser that saw nothing and called it success', () => {
    using tree = plantTree(SOUND)
    tree.plant('.dependency-cruiser.cjs', "module.exports = { forbidden: [], options: { exclude: { path: '.' } } }\n")

    const { passed, output } = runCheck(tree.root, 'import directions')

    assert.match(output, /server\/src\/kit\/clock\.ts: not seen by dependency-cruiser/)
    assert.equal(passed, false)
  })

  it('has a planted fault for every check', () => {
    const planted = new Set(FAULTS.map(({ check }) => check))
    assert.deepEqual(
      CHECKS.map(({ name }) => name).filter((name) => !planted.has(name)),
      [],
    )
  })
})
