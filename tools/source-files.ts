import { globSync } from 'node:fs'

/** Every folder that holds TypeScript of ours, in one list for all checks. */
export const SOURCE_GLOBS = [
  '{contract,receiver,server,console}/src/**/*.{ts,tsx}',
  'examples/*/src/**/*.{ts,tsx}',
  '{test,bench,tools}/**/*.{ts,tsx}',
]

/** The source files below `root`, relative to it, with forward slashes and in a stable order. */
export function sourceFiles(root: string): string[] {
  const found = globSync(SOURCE_GLOBS, { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' })
  return found.map((path) => path.replaceAll('\\', '/')).sort()
}
