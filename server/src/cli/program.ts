import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addApiCommands } from './api-commands.ts'
import { examples } from './options.ts'
import { addServerCommands } from './server-commands.ts'

/** Every command, with its help. Nothing of the server is loaded here. */
export function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const program = new Command('tenure')
    .description('The event-driven HR platform: a change in an HR record reaches every system that must know.')
    .version(version)
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 80, 100) })
    .addHelpText(
      'after',
      `${examples('tenure dev', 'tenure deliveries list --state pending', 'tenure events list --follow')}

Exit codes: 0 ok, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 timed out.`,
    )
  addServerCommands(program)
  addApiCommands(program)
  forEachCommand(program, (command) => command.exitOverride().copyInheritedSettings(program))
  return program
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const inner of command.commands) forEachCommand(inner, visit)
}
