import type { Command } from 'commander'
import { Argument, Option } from 'commander'
import { collect, collectHeader, examples, limitOption, wholeNumber, withApi } from './options.ts'

/** Nouns of the public API. Their work is loaded when they are called, so that help stays quick. */
export function addApiCommands(program: Command): void {
  addEndpoints(program.command('endpoints').description('where events are sent'))
  addEvents(program.command('events').description('what happened'))
  addDeliveries(program.command('deliveries').description('events on their way to endpoints'))
  addKeys(program.command('keys').description('keys of the API'))
  addImport(program)
  addImports(program.command('imports').description('imports, and what became of their rows'))
  addLogin(program)
}

const endpoints = () => import('./endpoints.ts')

function addEndpoints(noun: Command): void {
  withApi(noun.command('list').description('list the endpoints')).action(async (flags) => (await endpoints()).listEndpoints(flags))
  withApi(noun.command('show <id>').description('show an endpoint')).action(async (id, flags) =>
    (await endpoints()).showEndpoint(id, flags),
  )
  withSettings(withApi(noun.command('create').description('set up an endpoint and print its signing secret')), true)
    .option('--signing-secret <whsec>', 'a secret of your own (left out: a new one)')
    .addHelpText('after', examples("tenure endpoints create --name payroll --to https://payroll.example.com/hooks --event 'employment.*'"))
    .action(async (flags) => (await endpoints()).createEndpoint(flags))
  withSettings(withApi(noun.command('update <id>').description('change an endpoint; what is not named stays')), false)
    .addHelpText('after', examples('tenure endpoints update end_… --detail full --grant person.email'))
    .action(async (id, flags) => (await endpoints()).updateEndpoint(id, flags))
  withApi(noun.command('pause <id>').description('keep what is meant for it until it is resumed')).action(async (id, flags) =>
    (await endpoints()).setEndpointState(id, 'paused', flags),
  )
  withApi(noun.command('resume <id>').description('send again; also revives a disabled endpoint')).action(async (id, flags) =>
    (await endpoints()).setEndpointState(id, 'active', flags),
  )
  withApi(noun.command('test <id>').description('send a test event')).action(async (id, flags) =>
    (await endpoints()).testEndpoint(id, flags),
  )
}

function withSettings(command: Command, required: boolean): Command {
  const option = (flags: string, text: string) => new Option(flags, text).makeOptionMandatory(required)
  return command
    .addOption(option('--name <name>', 'what it is for'))
    .addOption(option('--to <url>', 'where events are posted: an https URL'))
    .addOption(option('--event <type>', 'a type, employment.* for a subject, or * for all; repeat for several').argParser(collect))
    .addOption(new Option('--detail <detail>', 'how much is sent').choices(['ids', 'changed', 'full']))
    .option('--grant <path>', 'a personal field that is sent, or personal for all; repeat for several', collect)
    .option('--header <header>', "added to each request, as 'name: value'; repeat for several", collectHeader)
}

const events = () => import('./events.ts')

function addEvents(noun: Command): void {
  withApi(noun.command('list').description('read the feed of events, in order'))
    .option('--type <type>', 'of this type only')
    .option('--employee <id>', 'of this employee only')
    .option('--after <cursor>', 'go on where another list ended')
    .addOption(limitOption())
    .option('--follow', 'show what happens from now on')
    .option('--values', 'with --json: print the values too, which may be personal')
    .addHelpText('after', examples('tenure events list --follow', 'tenure events list --type employment.started --json'))
    .action(async (flags) => (await events()).listEvents(flags))
  withApi(noun.command('show <id>').description('show an event'))
    .option('--values', 'print the values too, which may be personal')
    .action(async (id, flags) => (await events()).showEvent(id, flags))
}

const deliveries = () => import('./deliveries.ts')

function addDeliveries(noun: Command): void {
  withFilter(withApi(noun.command('list').description('list deliveries, newest first')))
    .addOption(new Option('--state <state>', 'in this state only').choices(['pending', 'delivered', 'dead']))
    .addHelpText('after', examples('tenure deliveries list --state pending', 'tenure deliveries list --employee emp_… --json'))
    .action(async (flags) => (await deliveries()).listDeliveries(flags))
  withFilter(withApi(noun.command('dead').description('list the dead letters'))).action(async (flags) =>
    (await deliveries()).listDeliveries({ ...flags, state: 'dead' }),
  )
  withApi(noun.command('show <id>').description('show a delivery and its attempts'))
    .option('--exchange', 'print requests and answers too, which may be personal')
    .action(async (id, flags) => (await deliveries()).showDelivery(id, flags))
  withApi(noun.command('retry <id>').description('try a waiting delivery now')).action(async (id, flags) =>
    (await deliveries()).retryDelivery(id, flags),
  )
  withApi(noun.command('redrive [id]').description('send a dead letter again, or all of them'))
    .option('--endpoint <id>', 'all of this endpoint')
    .option('--all', 'all there are')
    .option('--dry-run', 'only say how many')
    .option('--yes', 'go ahead')
    .addHelpText('after', examples('tenure deliveries redrive --all --dry-run', 'tenure deliveries redrive dlv_…'))
    .action(async (id, flags) => (await deliveries()).redriveDeliveries(id, flags))
}

function withFilter(command: Command): Command {
  return command
    .option('--endpoint <id>', 'to this endpoint only')
    .option('--employee <id>', 'of this employee only')
    .option('--event <id>', 'of this event only')
    .option('--type <type>', 'of this type of event only')
    .addOption(limitOption())
}

const keys = () => import('./keys.ts')

function addKeys(noun: Command): void {
  withApi(noun.command('list').description('list the keys'))
    .option('--all', 'revoked ones too')
    .action(async (flags) => (await keys()).listKeys(flags))
  withApi(noun.command('create').description('make a key and print it once'))
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <scope>', 'what it may do; repeat for several', collect)
    .addOption(new Option('--days <n>', 'how long it works').default(90).argParser(wholeNumber(1, 366)))
    .option('--test', 'marks it as a key for testing')
    .addHelpText('after', examples("tenure keys create --name 'nightly payroll' --scope employees:read --scope events:read"))
    .action(async (flags) => (await keys()).createKey(flags))
  withApi(noun.command('revoke <id>').description('end a key for good'))
    .option('--yes', 'go ahead')
    .action(async (id, flags) => (await keys()).revokeKey(id, flags))
}

function addImport(program: Command): void {
  withApi(program.command('import').description('import rows of a CSV file; bad rows are reported, the others applied'))
    .addArgument(new Argument('<kind>', 'what the rows are').choices(['employees', 'departments', 'assignments', 'compensation']))
    .requiredOption('--file <csv>', 'the file, or - for standard input')
    .option('--map <yaml>', "which column is which field, where the file's titles are not the fields' names")
    .option('--system <name>', 'the system that the ids of the file are from')
    .option('--dry-run', 'check everything, change nothing')
    .option('--all-or-nothing', 'change nothing if a single row is bad')
    .option('--silent', 'without events: for a history that everybody knows already')
    .addHelpText(
      'after',
      examples(
        'tenure import employees --file staff.csv --dry-run',
        'tenure import compensation --file pay.csv --map pay.yaml --system sap',
      ),
    )
    .action(async (kind, flags) => (await import('./import.ts')).importFile(kind, flags))
}

const imports = () => import('./imports.ts')

function addImports(noun: Command): void {
  withApi(noun.command('list').description('list the imports, newest first'))
    .addOption(limitOption())
    .action(async (flags) => (await imports()).listImports(flags))
  withApi(noun.command('show <id>').description('show how far an import is, and its bad rows'))
    .option('--wait', 'until it has ended')
    .option('--bad-rows', 'all bad rows, not only the first')
    .action(async (id, flags) => (await imports()).showImport(id, flags))
  withApi(noun.command('cancel <id>').description('stop an import; what was applied stays')).action(async (id, flags) =>
    (await imports()).cancelImport(id, flags),
  )
}

function addLogin(program: Command): void {
  program
    .command('login')
    .description('keep URL and key of a server for the commands after this one (mode 0600)')
    .requiredOption('--url <url>', 'the API')
    .addHelpText(
      'after',
      `\nThe key is read from TENURE_API_KEY or from standard input, so that it is in no history.\n${examples('tenure login --url https://tenure.example.com')}`,
    )
    .action(async (flags) => (await import('./login.ts')).logIn(flags))
}
