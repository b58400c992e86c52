import ts from 'typescript'

const TALKS_OUT = new Set(['http', 'https', 'http2', 'net', 'tls', 'dgram'])
const OPENS = new Set(['request', 'get', 'connect', 'createConnection', 'createSocket', 'Socket', 'TLSSocket', 'ClientRequest'])

/** A name that no import and no declaration of the file gives: the platform's own. `globalThis.name` counts as well. */
export function isGlobal(node: ts.Node, ...names: string[]): boolean {
  if (ts.isPropertyAccessExpression(node)) return isGlobal(node.expression, 'globalThis') && names.includes(node.name.text)
  return ts.isIdentifier(node) && names.includes(node.text) && !isDeclared(node)
}

/** `owner.name(…)` on a global owner. */
export function isCallOf(node: ts.Node, owner: string, name: string): boolean {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false
  return node.expression.name.text === name && isGlobal(node.expression.expression, owner)
}

/** `name(…)` or `new name(…)` on a global name. */
export function isCallOfGlobal(node: ts.Node, ...names: string[]): boolean {
  return (ts.isCallExpression(node) || ts.isNewExpression(node)) && isGlobal(node.expression, ...names)
}

/** The module that an import, a re-export or an `import()` names, without `node:`. Imports of types alone bring no code and name none. */
export function importedModule(node: ts.Node): string | undefined {
  const place = ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ? node.moduleSpecifier : dynamicPlace(node)
  if (!place || !ts.isStringLiteralLike(place)) return undefined
  if (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly) return undefined
  if (ts.isExportDeclaration(node) && node.isTypeOnly) return undefined
  return place.text.replace(/^node:/, '')
}

export function importsAny(node: ts.Node, ...modules: string[]): boolean {
  const name = importedModule(node)
  return name !== undefined && modules.some((module) => name === module || name.startsWith(`${module}/`)) && name !== 'timers/promises'
}

/** An outgoing connection by Node's own modules: `http.request(…)`, `new net.Socket()`, `import { connect } from 'node:tls'`. */
export function callsOutside(node: ts.Node, file: ts.SourceFile): boolean {
  if (ts.isImportDeclaration(node)) return importsOpener(node)
  if (ts.isCallExpression(node) && TALKS_OUT.has(importedModule(node) ?? '')) return true
  if (!(ts.isCallExpression(node) || ts.isNewExpression(node)) || !ts.isPropertyAccessExpression(node.expression)) return false
  const { expression: owner, name } = node.expression
  return OPENS.has(name.text) && ts.isIdentifier(owner) && TALKS_OUT.has(moduleOf(owner.text, file) ?? '')
}

function importsOpener(node: ts.ImportDeclaration): boolean {
  const names = node.importClause?.namedBindings
  if (!TALKS_OUT.has(importedModule(node) ?? '') || !names || !ts.isNamedImports(names)) return false
  return names.elements.some(({ isTypeOnly, name, propertyName }) => !isTypeOnly && OPENS.has((propertyName ?? name).text))
}

/** The module that `import name from` or `import * as name from` binds to this name. */
function moduleOf(name: string, file: ts.SourceFile): string | undefined {
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue
    const clause = statement.importClause
    const whole = clause?.namedBindings && ts.isNamespaceImport(clause.namedBindings) ? clause.namedBindings.name : clause?.name
    if (whole?.text === name) return importedModule(statement)
  }
  return undefined
}

function dynamicPlace(node: ts.Node): ts.Expression | undefined {
  const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
  return isImport ? node.arguments[0] : undefined
}

/** Whether a scope around this name declares it: an import, a parameter, a constant. */
function isDeclared(name: ts.Identifier): boolean {
  const scopes = scopesOf(name.getSourceFile())
  for (let node: ts.Node | undefined = name; node; node = node.parent) {
    if (scopes.get(node)?.has(name.text)) return true
  }
  return false
}

type Scopes = Map<ts.Node, Set<string>>
const scopesByFile = new WeakMap<ts.SourceFile, Scopes>()

/** The names that each scope of the file declares. Parameters belong to their function, `let` and `const` to their block. */
function scopesOf(file: ts.SourceFile): Scopes {
  const known = scopesByFile.get(file)
  if (known) return known
  const scopes: Scopes = new Map()
  const collect = (node: ts.Node, outer: Set<string>): void => {
    const name = declaredName(node)
    if (name) outer.add(name)
    const inner = isScope(node) ? new Set<string>() : outer
    if (inner !== outer) scopes.set(node, inner)
    ts.forEachChild(node, (child) => collect(child, inner))
  }
  collect(file, new Set())
  scopesByFile.set(file, scopes)
  return scopes
}

function isScope(node: ts.Node): boolean {
  return (
    ts.isSourceFile(node) || ts.isFunctionLike(node) || ts.isBlock(node) || ts.isIterationStatement(node, false) || ts.isCatchClause(node)
  )
}

function declaredName(node: ts.Node): string | undefined {
  const imports = ts.isImportSpecifier(node) || ts.isImportClause(node) || ts.isNamespaceImport(node)
  const binds = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)
  const declares = imports || binds || ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)
  return declares && node.name && ts.isIdentifier(node.name) ? node.name.text : undefined
}
