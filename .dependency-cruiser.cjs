/** The one list: a folder of server/src imports only from its left. Names in one string may import each other. */
const ORDER = [
  'kit',
  'database',
  'privacy',
  'access',
  'audit',
  'events',
  'http',
  'delivery',
  'workflows',
  'connectors',
  'people',
  'intake',
  'insights',
  'config.ts|open-ground.ts|app.ts|main.ts',
  'cli',
]

const place = (names) => `^server/src/(${names.replaceAll('.', '\\.')})(/|$)`

const upward = ORDER.slice(0, -1).map((names, index) => ({
  name: `not-upward-from-${names.split(/[.|]/)[0]}`,
  severity: 'error',
  comment: `server/src/${names} imports only from its left: ${['contract', ...ORDER.slice(0, index)].join(', ')}.`,
  from: { path: place(names) },
  to: { path: place(ORDER.slice(index + 1).join('|')) },
}))

/** What a part may reach of our own workspaces, itself included. */
const parts = {
  contract: 'contract',
  receiver: 'receiver|contract',
  server: 'server|contract',
  console: 'console|contract',
}

const OURS = '^(contract|receiver|server|console|examples|test|bench|tools)/'

const acrossParts = Object.entries(parts).map(([part, allowed]) => ({
  name: `${part}-stays-within`,
  severity: 'error',
  comment: `${part} imports of our own code only: ${allowed}.`,
  from: { path: `^${part}/` },
  to: { path: OURS, pathNot: `^(${allowed})/` },
}))

module.exports = {
  forbidden: [
    ...upward,
    ...acrossParts,
    {
      name: 'server-folder-has-a-place',
      severity: 'error',
      comment: 'Every file of server/src stands in one of the folders of the list above; a new folder gets its place there.',
      from: { path: '^server/src/', pathNot: place(ORDER.join('|')) },
      to: {},
    },
    {
      name: 'example-stays-within',
      severity: 'error',
      comment: 'An example is a stranger: it knows the receiver SDK, the contract and itself.',
      from: { path: '^examples/([^/]+)/' },
      to: { path: OURS, pathNot: '^(receiver|contract|examples/$1)/' },
    },
    {
      name: 'tools-stay-within',
      severity: 'error',
      comment: 'A check must not depend on what it checks. Only a generator runs what it writes about.',
      from: { path: '^tools/', pathNot: '^tools/generate/' },
      to: { path: OURS, pathNot: '^tools/' },
    },
    {
      name: 'not-from-tests',
      severity: 'error',
      comment: 'What runs in production does not import a test.',
      from: { pathNot: '\\.test\\.tsx?$' },
      to: { path: '\\.test\\.tsx?$' },
    },
    {
      name: 'no-circle',
      severity: 'error',
      comment: 'Files that load each other. Types may refer to each other: nothing is left of them when the code runs.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      severity: 'error',
      comment: 'A package that is imported stands in the nearest package.json (or the root for tests).',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'receiver-without-dependencies',
      severity: 'error',
      comment: 'The receiver SDK brings nothing along: at run time it imports Node, itself and the dependency-free part of the contract.',
      from: { path: '^receiver/src/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'receiver-without-typebox',
      severity: 'error',
      comment: 'The signature entry of the contract is free of TypeBox. The rest of the contract serves the receiver for types only.',
      from: { path: '^receiver/src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^contract/src/', pathNot: '^contract/src/signature\\.ts$', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
}
