import type { Profile } from '../profile.ts'
import type { Terminal } from '../terminal.ts'

export type Card = {
  readonly profile: Profile
  readonly profilePath: string
  readonly payrollUrl: string | undefined
  readonly today: string
  readonly seconds: string
  readonly first: boolean
}

/** What somebody who has just started Tenure needs, in the order in which they need it. */
export function cardLines(
  { profile, profilePath, payrollUrl, today, seconds, first }: Card,
  { bold, dim, cyan }: Terminal['colors'],
): string[] {
  const field = (name: string, value: string, note = '') => `  ${name.padEnd(9)} ${cyan(value)}${note && `  ${dim(note)}`}`
  return [
    '',
    `  ${bold('Tenure is running')} ${dim(`(${first ? 'first start' : 'start'}: ${seconds} s)`)}`,
    '',
    field('API', `${profile.url}/v1`),
    field('Docs', `${profile.url}/docs`),
    field('Console', `${profile.url}/`),
    ...(payrollUrl ? [field('Payroll', `${payrollUrl}/`, 'a system of its own, fed by events')] : []),
    field('API key', profile.key),
    `            ${dim(`kept in ${profilePath}, where the commands find it`)}`,
    '',
    `  ${bold('Hire somebody')} (paste this into another terminal):`,
    '',
    ...curlLines(profile, today),
    '',
    `  ${bold('Look around')}: npm run tenure -- deliveries list --limit 5`,
    `               npm run tenure -- --help`,
    '',
    dim('  Deliveries, live. Ctrl-C stops everything.'),
    '',
  ]
}

function curlLines({ url, key }: Profile, today: string): string[] {
  return [
    `curl ${url}/v1/employees \\`,
    `  -H 'authorization: Bearer ${key}' \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '{ "start_date": "${today}",`,
    `        "person": { "given_name": "Ada", "family_name": "Byron" },`,
    `        "assignment": { "title": "Analyst" },`,
    `        "compensation": { "pay_frequency": "monthly", "components": [`,
    `          { "kind": "base", "amount": "5200.00", "currency": "EUR", "period": "month" } ] } }'`,
  ]
}
