import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'

const setting = <Schema extends TSchema>(schema: Schema, description: string) => Object.assign(schema, { description })

/** Every setting, once: its name in the environment, its type, its default and what it means. docs/configuration.md is printed from it. */
const Settings = Type.Object({
  TENURE_FOLDER: setting(Type.String({ default: '.tenure' }), 'Folder of the embedded database, the key file and the configuration file.'),
  DATABASE_URL: setting(
    Type.Optional(Type.String()),
    'PostgreSQL 18 or newer, as the login of the server (`tenure_server`). Left out: an embedded one in TENURE_FOLDER.',
  ),
  DATABASE_OWNER_URL: setting(
    Type.Optional(Type.String()),
    'The same database as `tenure_owner`, for migrations only. Left out: `start` does not migrate.',
  ),
  KEY_FILE: setting(
    Type.Optional(Type.String()),
    'Path of the key file (mode 0400), which wraps every key. Left out: `keys` in TENURE_FOLDER.',
  ),
  CONFIG_FILE: setting(
    Type.Optional(Type.String()),
    'Path of the configuration file. Left out: `tenure.yaml` in TENURE_FOLDER, where there is one.',
  ),
  ROLE: setting(
    Type.Enum(['all', 'api', 'worker'], { default: 'all' }),
    'What this process does: answer requests, do the work that is due, or both.',
  ),
  HOST: setting(Type.String({ default: '127.0.0.1' }), 'The address that the API listens on.'),
  PORT: setting(Type.Integer({ default: 3000, minimum: 0, maximum: 65_535 }), 'The port of the API; 0 takes a free one.'),
  TRUSTED_PROXIES: setting(
    Type.Optional(Type.String()),
    'Addresses of the proxies in front, separated by commas, whose `X-Forwarded-For` is believed. Left out: none.',
  ),
  METRICS_PORT: setting(
    Type.Integer({ default: 9464, minimum: 0, maximum: 65_535 }),
    'The port of /metrics, on 127.0.0.1; 0 takes a free one.',
  ),
  DATABASE_CONNECTIONS: setting(
    Type.Integer({ default: 16, minimum: 3, maximum: 200 }),
    'How many connections this process may hold, at most.',
  ),
  RATE_LIMIT_PER_SECOND: setting(Type.Integer({ default: 200, minimum: 1 }), 'How many requests a second one credential may make.'),
  LOG_LEVEL: setting(
    Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
    'The least important lines that are logged.',
  ),
})

/** What only the operator of the machine may say: it is read from the configuration file, and no API can widen it. */
const FileSettings = Type.Object(
  {
    egress: Type.Optional(
      Type.Object(
        {
          private_targets: Type.Optional(
            setting(
              Type.Array(Type.String()),
              'Blocks of private addresses that endpoints may name, such as `10.1.0.0/16:8080`. Never loopback or metadata.',
            ),
          ),
          extra_ports: Type.Optional(setting(Type.Array(Type.Integer()), 'Ports of public addresses beside 443 and 8443.')),
          loopback_ports: Type.Optional(
            setting(
              Type.Union([Type.Literal('any'), Type.Array(Type.Integer())]),
              'Ports of this machine that endpoints may name. For development and tests only.',
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

export type Config = Static<typeof Settings> & { readonly keyFile: string; readonly file: Static<typeof FileSettings> }

export const SETTINGS: readonly { readonly name: string; readonly schema: TSchema }[] = Object.entries(Settings.properties).map(
  ([name, schema]) => ({
    name,
    schema,
  }),
)
export const FILE_SETTINGS: TSchema = FileSettings

/** Reads environment and configuration file once, at start, and names every fault in one go. Nothing else reads the environment. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const named = Object.fromEntries(SETTINGS.flatMap(({ name }) => (env[name] ? [[name, env[name]]] : [])))
  const given = Value.Convert(Settings, Value.Default(Settings, named))
  check(Settings, given, 'The environment')
  const path = given.CONFIG_FILE ?? join(given.TENURE_FOLDER, 'tenure.yaml')
  const file: unknown = existsSync(path) ? (parse(readFileSync(path, 'utf8')) ?? {}) : {}
  check(FileSettings, file, `The configuration file ${path}`)
  return { ...given, keyFile: given.KEY_FILE ?? join(given.TENURE_FOLDER, 'keys'), file }
}

function check<Schema extends TSchema>(schema: Schema, value: unknown, where: string): asserts value is Static<Schema> {
  if (Value.Check(schema, value)) return
  const faults = Value.Errors(schema, value).map(({ instancePath, message }) => `  ${instancePath.slice(1) || '(all of it)'} ${message}`)
  throw new Error(`${where} is not valid:\n${[...new Set(faults)].join('\n')}`)
}
