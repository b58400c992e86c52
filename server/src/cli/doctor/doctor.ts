import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { CliError, EXIT } from '../exit.ts'
import { loadConfig } from '../server-log.ts'
import { createTerminal } from '../terminal.ts'
import { checkApi, checkPort } from './check-api.ts'
import { checkDatabase } from './check-database.ts'
import { checkDisk, checkFolder, checkKeyFile, checkNode } from './check-machine.ts'
import type { Finding } from './finding.ts'

/** Checks one thing after the other, says each result at once, and fails where one of them fails. */
export async function runDoctor({ json }: { readonly json?: boolean }): Promise<void> {
  const terminal = createTerminal({ json })
  const { colors } = terminal
  const marks = { ok: colors.green('ok  '), warn: colors.yellow('warn'), fail: colors.red('fail') }
  let failed = 0
  const tell = (finding: Finding) => {
    if (finding.level === 'fail') failed++
    if (json) return terminal.data(finding)
    terminal.out(`${marks[finding.level]}  ${finding.check.padEnd(10)} ${finding.message}`)
    if (finding.mend) terminal.out(`      ${' '.repeat(10)} ${colors.dim(finding.mend)}`)
  }
  tell(checkNode(process.versions.node))
  const config = loadConfig()
  tell(await checkFolder(config))
  tell(await checkKeyFile(config.keyFile, isNew(config)))
  tell(await checkDisk(config.TENURE_FOLDER))
  const api = await checkApi(config)
  tell(api ?? (await checkPort(config)))
  for (const finding of await checkDatabase(config, api !== undefined)) tell(finding)
  if (failed > 0) throw new CliError(EXIT.failed, `${failed} of the checks failed.`, [], { failed })
}

/** Nothing was made here yet. With a database of the operator's own that cannot be told from the folder. */
function isNew({ DATABASE_URL, TENURE_FOLDER }: Config): boolean {
  return !DATABASE_URL && !existsSync(join(TENURE_FOLDER, 'postgres'))
}
