// What was acknowledged is there, what happened is told once and in order, whoever is killed with -9 meanwhile.
import { parseArgs } from 'node:util'
import { inFolder } from './folder.ts'
import { proveCrash } from './prove-crash.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '6' },
    'receiver-kills': { type: 'string' },
    writers: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const HELP = `npm run proof:crash -- [--kills N] [--receiver-kills N] [--writers N] [--seed N] [--json]

Writers hire, change pay and terminate through the API, repeating with the same Idempotency-Key what was not answered, while
the server is killed with -9 N times at random moments, and the receiving payroll half as often. Then every acknowledged change is
looked for in HR, and HR's events are held against payroll's effects. Exit code 0: nothing lost, doubled, made up or out of order.`

if (values.help) {
  process.stdout.write(`${HELP}\n`)
  process.exit(0)
}

const kills = Number(values.kills)
const verdict = await inFolder('crash', (folder) =>
  proveCrash(folder, {
    kills,
    receiverKills: values['receiver-kills'] ? Number(values['receiver-kills']) : Math.ceil(kills / 2),
    writers: Number(values.writers),
    seed: Number(values.seed),
  }),
)
process.stdout.write(`${values.json ? JSON.stringify(verdict) : describe(verdict)}\n`)
process.exitCode = verdict.clean ? 0 : 1

function describe(verdict: Record<string, unknown>): string {
  return Object.entries(verdict)
    .map(([name, value]) => `${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n')
}
