import { type Command, InvalidArgumentError, Option } from 'commander'

/** What every command that asks the API takes. */
export function withApi(command: Command): Command {
  return command
    .option('--json', 'print JSON, one object a line')
    .option('--url <url>', 'the API (TENURE_URL; otherwise the profile)')
    .option('--key <key>', 'the API key (better: TENURE_API_KEY; otherwise the profile)')
}

export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

export function collectHeader(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^:\s]+):\s*(.+)$/.exec(text) ?? []
  if (!name || !value) throw new InvalidArgumentError("Write it like 'x-team: payroll'.")
  return { ...before, [name]: value }
}

export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const number = Number(text)
    if (!Number.isInteger(number) || number < least || number > most)
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
    return number
  }
}

export function limitOption(): Option {
  return new Option('--limit <n>', 'how many to show').default(20).argParser(wholeNumber(1, 10_000))
}

/** The end of a help text: commands that run as they stand. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}
