import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'

type Check = { readonly name: string; readonly script: string; readonly given?: readonly string[] }

/** The static half of the gate. Every check runs even if an earlier one fails, so that one run shows everything. */
export const CHECKS: readonly Check[] = [
  { name: 'format and lint', script: 'node_modules/@biomejs/biome/bin/biome', given: ['ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'types', script: 'node_modules/typescript-7/bin/tsc', given: ['-p', '.'] },
  { name: 'import directions', script: 'tools/import-directions.ts' },
  { name: 'bans', script: 'tools/bans.ts' },
  { name: 'dead code', script: 'node_modules/knip/bin/knip.js', given: ['--no-progress', '--no-config-hints'] },
  { name: 'duplication', script: 'node_modules/jscpd/bin/jscpd', given: ['.'] },
  { name: 'dependencies', script: 'tools/dependencies.ts' },
  { name: 'generated files', script: 'tools/generated.ts', given: ['--check'] },
]

export type Outcome = { readonly passed: boolean; readonly output: string }

export function runCheck(root: string, name: string): Outcome {
  const check = CHECKS.find((one) => one.name === name)
  if (!check) throw new Error(`There is no check '${name}'.`)
  const { status, stdout, stderr } = spawnSync(process.execPath, [check.script, ...(check.given ?? [])], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  return { passed: status === 0, output: `${stdout}${stderr}` }
}

if (import.meta.main) {
  let failed = 0
  for (const { name } of CHECKS) {
    const startedAt = performance.now()
    const { passed, output } = runCheck(process.cwd(), name)
    console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
    if (passed) continue
    failed += 1
    console.log(output.trimEnd().replaceAll(/^/gm, '       '))
  }
  if (failed > 0) console.log(`\n${failed} of ${CHECKS.length} checks failed.`)
  process.exitCode = failed > 0 ? 1 : 0
}
