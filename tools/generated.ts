import { spawnSync } from 'node:child_process'
import { GENERATORS, type Generator } from './generators.ts'

/** Runs the generators one after the other and returns what the failed ones said. */
function runGenerators(root: string, generators: readonly Generator[], { check }: { check: boolean }): string[] {
  return generators.flatMap(({ makes, script }) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...(check ? ['--check'] : [])], { cwd: root, encoding: 'utf8' })
    return status === 0 ? [] : [`${makes} (${script}): ${`${stdout}${stderr}`.trim() || `ended with ${status}`}`]
  })
}

const check = process.argv.includes('--check')
const faults = runGenerators(process.cwd(), GENERATORS, { check })
for (const fault of faults) console.error(fault)
if (faults.length === 0) console.log(`${GENERATORS.length} generators, everything current`)
else {
  if (check) console.error('`npm run generate` writes them anew.')
  process.exit(1)
}
