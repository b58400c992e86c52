import type { Database } from './database.ts'

/** Something that the server must not run on, or should not, and how to mend it. */
export type SettingFault = { readonly severity: 'refuse' | 'warn'; readonly setting: string; readonly sentence: string }

type Found = {
  fsync: string
  full_page_writes: string
  synchronous_commit: string
  version: number
  superuser: boolean
  bypasses: boolean
  log_statement: string
  log_min_error_statement: string
  log_error_verbosity: string
  log_parameter_max_length_on_error: string
  checksums: string
  skewMs: number
}

const SETTINGS = {
  name: 'check-settings',
  text: `
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
           current_setting('synchronous_commit') as synchronous_commit, current_setting('server_version_num')::int as version,
           bool_or(r.rolsuper) as superuser, bool_or(r.rolbypassrls) as bypasses, current_setting('log_statement') as log_statement,
           current_setting('log_min_error_statement') as log_min_error_statement, current_setting('log_error_verbosity') as log_error_verbosity,
           current_setting('log_parameter_max_length_on_error') as log_parameter_max_length_on_error,
           current_setting('data_checksums') as checksums, abs(extract(epoch from clock_timestamp() - $1::timestamptz) * 1000)::float8 as "skewMs"
      from pg_roles r where r.rolname in (session_user, current_user)`,
}

const CLOCK_SKEW_MS = 30_000

/** What of the database's settings is unsafe. A value that the database would lose, or show to a log, is never a matter of taste. */
export async function checkSettings(database: Database, now: Date): Promise<SettingFault[]> {
  const [found] = await database.ask<Found>(SETTINGS, [now])
  if (!found) throw new Error('The database did not tell its settings.')
  const faults: SettingFault[] = []
  const say = (severity: SettingFault['severity'], bad: boolean, setting: string, sentence: string) => {
    if (bad) faults.push({ severity, setting, sentence })
  }
  const reload = (setting: string, value: string) => `Run: alter system set ${setting} = ${value}; select pg_reload_conf();`
  say(
    'refuse',
    found.version < 180_000,
    'server_version',
    'Tenure needs PostgreSQL 18 or newer. Upgrade the server, or leave DATABASE_URL out for the embedded one.',
  )
  for (const setting of ['fsync', 'full_page_writes'] as const) {
    say(
      'refuse',
      found[setting] !== 'on',
      setting,
      `${setting} is ${found[setting]}, so a power cut loses acknowledged changes. ${reload(setting, 'on')}`,
    )
  }
  say(
    'refuse',
    found.synchronous_commit === 'off',
    'synchronous_commit',
    `synchronous_commit is off, so a crash loses acknowledged changes. ${reload('synchronous_commit', 'on')}`,
  )
  const login = 'Connect as tenure_server: `tenure init --print-sql` prints the statements that make it.'
  say('refuse', found.superuser, 'superuser', `The server's login is a superuser, which no row security binds. ${login}`)
  say('refuse', found.bypasses, 'bypassrls', `The server's login may bypass row security. ${login}`)
  say(
    'refuse',
    found.log_statement === 'all',
    'log_statement',
    `log_statement is all, so the database's log fills with statements. ${reload('log_statement', "'none'")}`,
  )
  say(
    'warn',
    found.log_error_verbosity !== 'terse',
    'log_error_verbosity',
    `log_error_verbosity is ${found.log_error_verbosity}: details of failing rows reach the log. ${reload('log_error_verbosity', 'terse')}`,
  )
  say(
    'warn',
    found.log_min_error_statement !== 'panic',
    'log_min_error_statement',
    `Failing statements are written to the database's log. ${reload('log_min_error_statement', 'panic')}`,
  )
  say(
    'warn',
    found.log_parameter_max_length_on_error !== '0',
    'log_parameter_max_length_on_error',
    `Parameters of failing statements are written to the log. ${reload('log_parameter_max_length_on_error', '0')}`,
  )
  say(
    'warn',
    found.checksums !== 'on',
    'data_checksums',
    'Data checksums are off. Switch them on with pg_checksums while the server is down.',
  )
  say(
    'refuse',
    found.skewMs > CLOCK_SKEW_MS,
    'clock',
    `This machine's clock and the database's differ by ${Math.round(found.skewMs / 1000)} s. Set both by NTP.`,
  )
  return faults
}

/** Stops a start on unsafe settings, naming every fault and how to mend it. */
export async function refuseUnsafeSettings(database: Database, now: Date, warn: (fault: SettingFault) => void): Promise<void> {
  const faults = await checkSettings(database, now)
  for (const fault of faults.filter(({ severity }) => severity === 'warn')) warn(fault)
  const refused = faults.filter(({ severity }) => severity === 'refuse')
  if (refused.length > 0)
    throw new Error(`Tenure does not start on this database:\n${refused.map(({ sentence }) => `  ${sentence}`).join('\n')}`)
}
