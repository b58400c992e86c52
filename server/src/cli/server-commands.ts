import { type Command, Option } from 'commander'
import { examples, wholeNumber } from './options.ts'

/** Commands that are the server, or stand beside it: they read the configuration and the database, not the API. */
export function addServerCommands(program: Command): void {
  program
    .command('dev')
    .description('start everything on this machine, with a demo company and a payroll system that listens to it')
    .addOption(new Option('--port <port>', 'of the API (otherwise PORT, or 3000)').argParser(wholeNumber(0, 65_535)))
    .addOption(new Option('--payroll-port <port>', 'of the payroll example').default(4100).argParser(wholeNumber(0, 65_535)))
    .addOption(
      new Option('--log <form>', 'live deliveries for people, or the log of the server as JSON').choices(['live', 'json']).default('live'),
    )
    .option('--no-payroll', 'without the payroll example')
    .addHelpText('after', examples('npm start', 'npm start -- --port 3100'))
    .action(async (flags) => (await import('./dev/dev.ts')).runDev(flags))
  program
    .command('start')
    .description('start the server for production: JSON log, drains on SIGTERM')
    .addOption(new Option('--role <role>', 'what this process does (otherwise ROLE, or all)').choices(['all', 'api', 'worker']))
    .addHelpText('after', examples('tenure start', 'DATABASE_URL=postgres://tenure_server@db/tenure tenure start --role worker'))
    .action(async (flags) => (await import('./start.ts')).runStart(flags))
  program
    .command('init')
    .description('make the key file, the database, the company and the first API key, as far as they are missing')
    .option('--name <company>', 'the name of the company')
    .option('--time-zone <zone>', 'where its days begin, such as Europe/Berlin')
    .option('--country <code>', 'of its first legal entity, such as DE')
    .option('--print-sql', 'only print what an administrator runs on a PostgreSQL of your own')
    .option('--json', 'print JSON')
    .addHelpText('after', examples("tenure init --name 'Example GmbH' --time-zone Europe/Berlin --country DE", 'tenure init --print-sql'))
    .action(async (flags) => (await import('./init.ts')).runInit(flags))
  program
    .command('migrate')
    .description('bring the database to the schema of this version')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('tenure migrate', 'DATABASE_OWNER_URL=postgres://tenure_owner@db/tenure tenure migrate'))
    .action(async (flags) => (await import('./migrate.ts')).runMigrate(flags))
  program
    .command('doctor')
    .description('check this installation, and say how to mend what is wrong')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', examples('tenure doctor'))
    .action(async (flags) => (await import('./doctor/doctor.ts')).runDoctor(flags))
}
