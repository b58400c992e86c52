import { APPLICATIONS, COMPANY, FAMILY_NAMES, GIVEN_NAMES, SITES, TEAMS } from './company-data.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

type Site = (typeof SITES)[number]
type Team = (typeof TEAMS)[number]

export type PlannedEmployee = {
  /** Their place in the plan, and that of whom they report to, which always comes earlier. */
  readonly at: number
  readonly managerAt: number | undefined
  /** 0 for the one at the top; people of one rank can be entered together. */
  readonly rank: number
  readonly teamCode: string | undefined
  readonly siteCode: string
  readonly title: string
  readonly startDate: string
  readonly person: PlannedPerson
  /** For a year, in whole units of the currency of the site. */
  readonly pay: number
  readonly currency: string
  readonly fte: string
}

export type PlannedPerson = {
  readonly given_name: string
  readonly family_name: string
  readonly email: string
  readonly birth_date: string
  readonly nationality: string
  readonly address: { readonly lines: string[]; readonly city: string; readonly postal_code: string; readonly country: string }
  readonly tax_profile: { readonly country: string; readonly form: string }
}

export type CompanyPlan = {
  readonly employees: readonly PlannedEmployee[]
  readonly raises: readonly { readonly at: number; readonly on: string; readonly pay: number }[]
  readonly promotions: readonly { readonly at: number; readonly on: string; readonly title: string }[]
  readonly terminations: readonly { readonly at: number; readonly endDate: string; readonly type: 'voluntary' | 'end_of_contract' }[]
  readonly candidates: readonly { readonly person: PlannedPerson; readonly jobTitle: string; readonly stage: string }[]
}

const TOP_PAY = 182_000
const HEAD_FACTOR = 2.1
const LEAD_FACTOR = 1.45

/** A company of 60 people as it would stand on `today`: the same for the same seed and day. Some are yet to start, one is leaving, one has left. */
export function planCompany(seed: number, today: string): CompanyPlan {
  const random = seededRandom(seed)
  const people = planPeople(random, today)
  const employees: PlannedEmployee[] = []
  const add = (entry: Omit<PlannedEmployee, 'at' | 'person' | 'siteCode' | 'currency'>, site = pickSite(random)): PlannedEmployee => {
    const pay = roundPay(entry.pay * site.payFactor)
    const employee = { ...entry, pay, at: employees.length, siteCode: site.code, currency: site.currency, person: people(site) }
    employees.push(employee)
    return employee
  }
  const top = add(
    {
      managerAt: undefined,
      rank: 0,
      teamCode: undefined,
      title: 'Chief Executive Officer',
      startDate: monthsFrom(today, -131),
      pay: TOP_PAY,
      fte: '1',
    },
    SITES[0]!,
  )
  const heads = TEAMS.map((team) => {
    const startDate = monthsFrom(today, -random.between(62, 120))
    return add({
      managerAt: top.at,
      rank: 1,
      teamCode: team.code,
      title: team.head,
      startDate,
      pay: payOf(random, team) * HEAD_FACTOR,
      fte: '1',
    })
  })
  const leads = TEAMS.map((team, number) => planLeads(random, today, team, heads[number]!, add))
  for (const [number, team] of TEAMS.entries()) planMembers(random, today, team, heads[number]!, leads[number]!, add)
  return {
    employees,
    ...planChanges(random, today, employees),
    candidates: APPLICATIONS.map((application) => ({ ...application, person: people(pickSite(random)) })),
  }
}

type Add = (entry: Omit<PlannedEmployee, 'at' | 'person' | 'siteCode' | 'currency'>) => PlannedEmployee

function planLeads(random: SeededRandom, today: string, team: Team, head: PlannedEmployee, add: Add): PlannedEmployee[] {
  return Array.from({ length: team.leads }, () => {
    const startDate = monthsFrom(today, -random.between(46, 60))
    return add({
      managerAt: head.at,
      rank: 2,
      teamCode: team.code,
      title: team.lead,
      startDate,
      pay: payOf(random, team) * LEAD_FACTOR,
      fte: '1',
    })
  })
}

function planMembers(
  random: SeededRandom,
  today: string,
  team: Team,
  head: PlannedEmployee,
  leads: readonly PlannedEmployee[],
  add: Add,
): void {
  const count = team.size - 1 - team.leads
  for (let number = 0; number < count; number++) {
    const manager = leads[number % leads.length] ?? head
    // The last of the larger teams have signed and not started yet.
    const starts = team.size > 8 && number === count - 1 ? random.between(1, 2) : -random.between(1, 44)
    const title = team.members[number % team.members.length]!
    const fte = random.next() < 0.12 ? '0.8' : '1'
    add({ managerAt: manager.at, rank: 3, teamCode: team.code, title, startDate: monthsFrom(today, starts), pay: payOf(random, team), fte })
  }
}

function planChanges(random: SeededRandom, today: string, employees: readonly PlannedEmployee[]) {
  const settled = employees.filter(({ rank, startDate }) => rank >= 2 && startDate < monthsFrom(today, -18))
  const chosen = random.shuffled(settled)
  const raises = chosen
    .slice(0, 12)
    .map(({ at, pay }) => ({ at, on: monthsFrom(today, -random.between(2, 14)), pay: roundPay(pay * (1.03 + random.next() * 0.06)) }))
  const promotions = chosen
    .filter(({ rank, title }) => rank === 3 && !/senior|staff/i.test(title))
    .slice(0, 4)
    .map(({ at, title }) => ({ at, on: monthsFrom(today, -random.between(2, 12)), title: `Senior ${title}` }))
  const [leaves, hasLeft] = chosen.filter(({ rank, at }) => rank === 3 && ![...raises, ...promotions].some((change) => change.at === at))
  const terminations = [
    ...(leaves ? [{ at: leaves.at, endDate: monthsFrom(today, 2), type: 'voluntary' as const }] : []),
    ...(hasLeft ? [{ at: hasLeft.at, endDate: monthsFrom(today, -1), type: 'end_of_contract' as const }] : []),
  ]
  return { raises, promotions, terminations }
}

/** Hands out one person after the other; no two have the same name. */
function planPeople(random: SeededRandom, today: string): (site: Site) => PlannedPerson {
  const given = random.shuffled(GIVEN_NAMES)
  const family = random.shuffled(FAMILY_NAMES)
  let handedOut = 0
  return (site) => {
    const given_name = given[handedOut % given.length]!
    const family_name = family[handedOut % family.length]!
    handedOut++
    return {
      given_name,
      family_name,
      email: `${plain(given_name)}.${plain(family_name)}@${COMPANY.mailDomain}`,
      birth_date: `${Number(today.slice(0, 4)) - random.between(22, 61)}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`,
      nationality: site.country,
      address: {
        lines: [`${random.pick(site.streets)} ${random.between(1, 140)}`],
        city: site.city,
        postal_code: site.postalCode,
        country: site.country,
      },
      tax_profile: { country: site.country, form: site.taxForm },
    }
  }
}

function pickSite(random: SeededRandom): Site {
  return random.pick(SITES_BY_SHARE)
}

const SITES_BY_SHARE: readonly Site[] = SITES.flatMap((site) => Array.from({ length: site.share }, () => site))

function payOf(random: SeededRandom, { pay: [least, most] }: Team): number {
  return random.between(least, most)
}

function roundPay(pay: number): number {
  return Math.round(pay / 500) * 500
}

/** The first day of the month that many months after (or before) the day's. */
export function monthsFrom(day: string, months: number): string {
  const count = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + months
  return `${Math.floor(count / 12)}-${two((count % 12) + 1)}-01`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** A name as it stands in a mail address. */
function plain(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase()
}
