import type { PoolConfig } from 'pg'
import { startPayroll } from './start-payroll.ts'

const payroll = await startPayroll({
  database: readDatabase(process.env),
  port: readPort(process.env.PAYROLL_PORT),
  secrets: readSecrets(process.env.PAYROLL_SECRET),
  ...(process.env.PAYROLL_HOST ? { host: process.env.PAYROLL_HOST } : {}),
  log: (line) => console.error(JSON.stringify(line)),
}).catch(fail)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => payroll.stop().catch(fail))
console.log(JSON.stringify({ listening: payroll.port, url: payroll.url }))

function readDatabase({ PAYROLL_DATABASE_URL: url, PAYROLL_DATABASE: config }: NodeJS.ProcessEnv): string | PoolConfig {
  if (url) return url
  if (!config) fail(new Error('Set PAYROLL_DATABASE_URL, or PAYROLL_DATABASE to what pg takes, as JSON.'))
  try {
    return JSON.parse(config)
  } catch {
    // The parser's own message quotes the text, which holds a password.
    fail(new Error('PAYROLL_DATABASE is not JSON.'))
  }
}

function readSecrets(text = ''): string[] {
  const secrets = text.split(/\s+/).filter(Boolean)
  if (secrets.length === 0) fail(new Error('Set PAYROLL_SECRET to the secret of the endpoint (whsec_…).'))
  return secrets
}

function readPort(text = '0'): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(new Error('PAYROLL_PORT is a number from 0 to 65535.'))
  return port
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
