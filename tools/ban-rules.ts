import ts from 'typescript'
import { callsOutside, importedModule, importsAny, isCallOf, isCallOfGlobal, isGlobal } from './syntax.ts'

/** Something that only one place may do, so that the promise made there holds for the whole system. */
export type Ban = {
  readonly name: string
  readonly mend: string
  readonly applies: (path: string) => boolean
  readonly finds: (node: ts.Node, file: ts.SourceFile) => boolean
}

const isTest = (path: string) => path.endsWith('.test.ts')
/** What stands ready for tests beside the code: `database/test-database.ts` and the like. */
const isForTests = (path: string) => isTest(path) || /\/test-[^/]*\.ts$/.test(path)
const isServer = (path: string) => path.startsWith('server/src/') && !isForTests(path)
const isProduct = (path: string) => isServer(path) || (/^(contract|receiver)\/src\//.test(path) && !isForTests(path))
const isUnder = (path: string, ...places: string[]) => places.some((place) => path.startsWith(`server/src/${place}`))

export const BANS: readonly Ban[] = [
  {
    name: 'clock',
    mend: 'take a Clock as an argument (server/src/kit/clock.ts)',
    applies: (path) => isServer(path) && !isUnder(path, 'kit/', 'cli/'),
    finds: (node) => isCallOf(node, 'Date', 'now') || isDateOfNow(node),
  },
  {
    name: 'chance',
    mend: 'take ids and randomness from server/src/kit, or as an argument',
    applies: (path) => isServer(path) && !isUnder(path, 'kit/', 'cli/'),
    finds: (node) => isCallOf(node, 'Math', 'random'),
  },
  {
    name: 'timer',
    mend: 'write xOnce() and let kit/poll.ts repeat it, or await node:timers/promises with a signal',
    // The egress module ends connections that take too long; nowhere else does a timer belong to a thing.
    applies: (path) => isServer(path) && !isUnder(path, 'kit/', 'cli/', 'delivery/egress'),
    finds: (node) => isCallOfGlobal(node, 'setTimeout', 'setInterval', 'setImmediate') || importsAny(node, 'timers'),
  },
  {
    name: 'egress',
    mend: 'send through server/src/delivery/egress: nothing else may open an outgoing connection',
    applies: (path) => isProduct(path) && !isUnder(path, 'delivery/egress', 'cli/'),
    finds: (node, file) =>
      isCallOfGlobal(node, 'fetch', 'WebSocket', 'EventSource') || importsAny(node, 'undici') || callsOutside(node, file),
  },
  {
    name: 'environment',
    mend: 'declare the setting in server/src/config.ts and take it as an argument',
    applies: (path) => isProduct(path) && !isUnder(path, 'config.ts', 'cli/'),
    finds: (node) => isEnvironment(node) || importsEnv(node),
  },
  {
    name: 'database-door',
    mend: 'reach the database through server/src/database (withTenant): a pool of your own is outside row security',
    applies: (path) => isServer(path) && !isUnder(path, 'database/'),
    finds: (node) => importsAny(node, 'pg', 'pg-pool', 'pg-native'),
  },
  {
    name: 'sql-values',
    mend: 'pass values as parameters ($1); in the text only CONSTANTS and quoted identifiers may stand',
    applies: (path) => isServer(path) || path.startsWith('examples/'),
    finds: (node) => ts.isCallExpression(node) && isQuery(node) && node.arguments.slice(0, 1).some(mixesValuesIn),
  },
]

function isDateOfNow(node: ts.Node): boolean {
  return (ts.isNewExpression(node) || ts.isCallExpression(node)) && isGlobal(node.expression, 'Date') && !node.arguments?.length
}

function isEnvironment(node: ts.Node): boolean {
  if (ts.isElementAccessExpression(node)) return isGlobal(node.expression, 'process') && /^['"`]env/.test(node.argumentExpression.getText())
  return ts.isPropertyAccessExpression(node) && isGlobal(node.expression, 'process') && node.name.text === 'env'
}

function importsEnv(node: ts.Node): boolean {
  if (importedModule(node) !== 'process' || !ts.isImportDeclaration(node)) return false
  const names = node.importClause?.namedBindings
  return (
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.some(({ name, propertyName }) => (propertyName ?? name).text === 'env')
  )
}

/** `db.query(text)`, `query({ text })` and Kysely's `sql.raw(text)`. Kysely's own `sql` tag makes parameters of its values. */
function isQuery(node: ts.CallExpression): boolean {
  const { expression } = node
  if (!ts.isPropertyAccessExpression(expression)) return false
  return expression.name.text === 'query' || (expression.name.text === 'raw' && isGlobal(expression.expression, 'sql'))
}

function mixesValuesIn(argument: ts.Expression): boolean {
  if (ts.isObjectLiteralExpression(argument)) {
    return argument.properties.some(
      (one) => ts.isPropertyAssignment(one) && one.name.getText() === 'text' && mixesValuesIn(one.initializer),
    )
  }
  if (ts.isTemplateExpression(argument)) return argument.templateSpans.some(({ expression }) => !isHarmless(expression))
  if (ts.isBinaryExpression(argument) && argument.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return [argument.left, argument.right].some((side) => mixesValuesIn(side) || !isHarmless(side))
  }
  return false
}

/** A literal, a CONSTANT of the file, or something that says in its name that it quotes. */
function isHarmless(part: ts.Expression): boolean {
  if (ts.isStringLiteralLike(part) || ts.isNumericLiteral(part) || ts.isTemplateExpression(part) || ts.isBinaryExpression(part)) return true
  if (ts.isIdentifier(part)) return /^[A-Z][A-Z0-9_]*$/.test(part.text)
  if (!ts.isCallExpression(part)) return false
  return /(^|\.)(quote|escape)(Identifier|Literal|Name)?$/.test(part.expression.getText())
}
