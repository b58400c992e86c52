import { readFile, writeFile } from 'node:fs/promises'
import type { TSchema } from 'typebox'
import { FILE_SETTINGS, SETTINGS } from '../../server/src/config.ts'

const FILE = new URL('../../docs/configuration.md', import.meta.url)

type Described = TSchema & {
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly type?: string
}

/** Prints docs/configuration.md from the schemas by which the settings are read. */
function configuration(): string {
  const rows = SETTINGS.map(({ name, schema }) => {
    const { description = '', default: preset, enum: choices, type = '' } = schema as Described
    const kind = choices ? choices.map((choice) => `\`${choice}\``).join(', ') : type
    return `| \`${name}\` | ${kind} | ${preset === undefined ? '' : `\`${preset}\``} | ${description} |`
  })
  return [
    '# Configuration',
    '',
    'Printed from `server/src/config.ts` by `npm run generate`.',
    '',
    '## Environment',
    '| name | values | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Configuration file',
    'YAML. What stands here is for the operator of the machine: no API can change it.',
    '',
    '| name | meaning |',
    '|---|---|',
    ...fileRows(FILE_SETTINGS, ''),
    '',
  ].join('\n')
}

function fileRows(schema: TSchema, path: string): string[] {
  const { properties, description } = schema as Described & { properties?: Record<string, TSchema> }
  if (!properties) return [`| \`${path}\` | ${description ?? ''} |`]
  return Object.entries(properties).flatMap(([name, inner]) => fileRows(inner, path ? `${path}.${name}` : name))
}

const text = configuration()
if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
    console.error('docs/configuration.md is not what the settings make')
    process.exitCode = 1
  }
} else {
  await writeFile(FILE, text)
}
