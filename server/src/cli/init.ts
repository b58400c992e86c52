import { randomBytes } from 'node:crypto'
import { databaseSql, rolesSql } from '../database/roles.ts'
import type { Ground } from '../events/change.ts'
import { newId } from '../kit/ids.ts'
import { openGround } from '../open-ground.ts'
import { createTenant } from '../people/organisation/create-tenant.ts'
import { createKeyFile } from '../privacy/key-file.ts'
import { CliError, EXIT } from './exit.ts'
import { makeFolder } from './make-folder.ts'
import { loadConfig, quietLog } from './server-log.ts'
import { formatFields } from './table.ts'
import { createFirstKey, listTenants } from './tenants.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { moment } from './times.ts'

type InitFlags = {
  readonly name?: string
  readonly timeZone?: string
  readonly country?: string
  readonly printSql?: boolean
  readonly json?: boolean
}

/** Makes what is missing, and says what is there. Running it again changes nothing. */
export async function runInit(flags: InitFlags): Promise<void> {
  const terminal = createTerminal({ json: flags.json })
  if (flags.printSql) return printSql(terminal)
  const config = loadConfig()
  if (!config.DATABASE_URL) await makeFolder(config.TENURE_FOLDER)
  const madeKeys = await createKeyFile(config.keyFile)
  const opened = await openGround(config, quietLog())
  try {
    const [tenant] = await listTenants(opened.ground)
    const facts = {
      key_file: config.keyFile,
      key_file_made: madeKeys,
      database: opened.embedded ? `${config.TENURE_FOLDER}/postgres` : 'DATABASE_URL',
    }
    if (tenant) return tell(terminal, { ...facts, company: tenant.name, tenant: tenant.tenant_id, company_made: false })
    const made = await makeCompany(opened.ground, flags)
    tell(terminal, { ...facts, ...made, company_made: true })
  } finally {
    await opened.close()
  }
}

async function makeCompany(ground: Ground, { name, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, country }: InitFlags) {
  if (!name || !country) {
    throw new CliError(EXIT.usage, 'There is no company yet: name it, and the country of its first legal entity.', [
      `tenure init --name 'Example GmbH' --time-zone ${timeZone} --country DE`,
    ])
  }
  if (!/^[A-Z]{2}$/.test(country)) throw new CliError(EXIT.usage, `${country} is not a country code of ISO 3166, such as DE or US.`)
  const tenantId = newId('ten')
  await createTenant(ground, { tenantId, name, timeZone, country })
  const { id, key, expiresAt } = await createFirstKey(ground, tenantId, { name: 'first key', environment: 'live' })
  return { company: name, tenant: tenantId, time_zone: timeZone, key_id: id, key, key_expires_at: expiresAt.toISOString() }
}

type Told = {
  readonly key_file: string
  readonly key_file_made: boolean
  readonly database: string
  readonly company: string
  readonly tenant: string
  readonly company_made: boolean
  readonly key?: string
  readonly key_expires_at?: string
}

function tell(terminal: Terminal, told: Told): void {
  if (terminal.json) terminal.data(told)
  else tellPeople(terminal, told)
}

function tellPeople(terminal: Terminal, told: Told): void {
  const fields: [string, string][] = [
    ['key file', `${told.key_file}${told.key_file_made ? '' : ' (was there)'}`],
    ['database', told.database],
    ['company', `${told.company}${told.company_made ? '' : ' (was there)'}`],
    ['tenant', told.tenant],
    ...(told.key
      ? [['API key', told.key] as [string, string], ['works until', `${moment(told.key_expires_at ?? null)} UTC`] as [string, string]]
      : []),
  ]
  for (const line of formatFields(fields)) terminal.out(line)
  terminal.note('')
  if (told.key_file_made || told.company_made)
    terminal.note('Copy the key file to a safe place apart from the database: without it, sealed data cannot be read.')
  if (told.key) terminal.note('Keep the API key now: it is stored nowhere, and nobody can read it again.')
  terminal.note('Next: tenure start')
}

/** Statements and addresses for a PostgreSQL of the operator's own, with fresh passwords. */
function printSql(terminal: Terminal): void {
  const ownerPassword = randomBytes(24).toString('base64url')
  const serverPassword = randomBytes(24).toString('base64url')
  terminal.out('-- Run once as an administrator: psql -f this-file. The passwords are fresh; they are printed this once.')
  terminal.out(rolesSql({ ownerPassword, serverPassword }))
  terminal.out(databaseSql('tenure'))
  terminal.out('-- Then set, with your host in place of db:')
  terminal.out(`--   DATABASE_OWNER_URL=postgres://tenure_owner:${ownerPassword}@db:5432/tenure   (for tenure migrate only)`)
  terminal.out(`--   DATABASE_URL=postgres://tenure_server:${serverPassword}@db:5432/tenure`)
}
