import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { BANS } from './ban-rules.ts'
import { sourceFiles } from './source-files.ts'

/** Every place below `root` where the code does what only one part of it may do. */
export function banFaults(root: string): string[] {
  return sourceFiles(root).flatMap((path) => banFaultsIn(path, readFileSync(join(root, path), 'utf8')))
}

/**
 * The same for one file: read as a syntax tree, so that comments and strings may speak of what is banned.
 * A place that has a reason says so on the line above: `// allow(sql-values): the id has just been checked.`
 */
export function banFaultsIn(path: string, text: string): string[] {
  const bans = BANS.filter(({ applies }) => applies(path))
  if (bans.length === 0) return []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n')
  const faults: string[] = []
  const visit = (node: ts.Node): void => {
    for (const { name, mend, finds } of bans) {
      if (!finds(node, file)) continue
      const line = lineOf(node, file)
      const isAllowed = lines.slice(Math.max(0, line - 2), line).some((one) => one.includes(`// allow(${name}): `))
      if (!isAllowed) faults.push(`${path}:${line} ${name}: ${mend}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return faults
}

function lineOf(node: ts.Node, file: ts.SourceFile): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
}

if (import.meta.main) {
  const faults = banFaults(process.cwd())
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exit(1)
  console.log(`${BANS.length} bans kept in ${sourceFiles(process.cwd()).length} files`)
}
