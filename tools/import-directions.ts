import { spawnSync } from 'node:child_process'
import { sourceFiles } from './source-files.ts'

type Cruise = {
  modules: { source: string }[]
  summary: { violations: { from: string; to: string; rule: { name: string }; cycle?: { name: string }[] }[] }
}

/**
 * Faults in who imports whom, by .dependency-cruiser.cjs.
 * dependency-cruiser without a TypeScript that it can use sees no module and reports success, so every file of ours
 * that it did not see is a fault too.
 */
export function importFaults(root: string): string[] {
  const files = sourceFiles(root)
  const { modules, summary } = cruise(root)
  const seen = new Set(modules.map(({ source }) => source))
  const unseen = files.filter((file) => !seen.has(file)).map((file) => `${file}: not seen by dependency-cruiser`)
  if (files.length === 0) unseen.push('no source file found: the check saw nothing')
  const violations = summary.violations.map(({ from, to, rule, cycle }) => {
    const way = cycle ? cycle.map(({ name }) => name).join(' → ') : to
    return `${from} → ${way}: ${rule.name}`
  })
  return [...unseen, ...violations]
}

function cruise(root: string): Cruise {
  const parts = ['contract', 'receiver', 'server', 'console', 'examples', 'test', 'bench', 'tools']
  const places = parts.filter((part) => sourceFiles(root).some((file) => file.startsWith(`${part}/`)))
  if (places.length === 0) return { modules: [], summary: { violations: [] } }
  const command = [
    'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
  ]
  const { stdout, stderr } = spawnSync(process.execPath, [...command, ...places], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not run: ${stderr || stdout}`)
  return JSON.parse(stdout)
}

if (import.meta.main) {
  const faults = importFaults(process.cwd())
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exit(1)
  console.log(`${sourceFiles(process.cwd()).length} files, no import against the order`)
}
