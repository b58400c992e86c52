import { readConfig } from '../config.ts'
import { createLog, type Log } from '../kit/log.ts'
import { CliError, EXIT } from './exit.ts'

/** The configuration; what is wrong with it is a fault in using the command. */
export function loadConfig(overrides: Readonly<Record<string, string | undefined>> = {}): ReturnType<typeof readConfig> {
  try {
    return readConfig({ ...process.env, ...overrides })
  } catch (error) {
    throw new CliError(EXIT.usage, error instanceof Error ? error.message : String(error), ['docs/configuration.md lists every setting.'])
  }
}

/** The log of a command that opens the ground for a moment: only what is wrong, on standard error, so that results stay clean. */
export function quietLog(): Log {
  return createLog(process.env.TENURE_DEBUG ? 'debug' : 'error', { write: (line) => void process.stderr.write(line) })
}
