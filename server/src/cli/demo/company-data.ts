/** What the demo company is made of. Every name is invented; `.example` is reserved (RFC 2606), so no mail can reach anybody. */
export const COMPANY = { name: 'Harbour & Pine', timeZone: 'Europe/Berlin', country: 'DE', mailDomain: 'harbourpine.example' } as const

type Site = {
  readonly code: string
  readonly name: string
  readonly timeZone: string
  readonly city: string
  readonly postalCode: string
  readonly streets: readonly string[]
  readonly country: string
  readonly currency: string
  /** What a salary of Berlin is multiplied by, in this site's currency. */
  readonly payFactor: number
  readonly taxForm: string
  /** Of a hundred people, how many work here. */
  readonly share: number
}

export const SITES: readonly Site[] = [
  {
    code: 'BER',
    name: 'Berlin',
    timeZone: 'Europe/Berlin',
    city: 'Berlin',
    postalCode: '10999',
    streets: ['Lindenhof', 'Am Speicher', 'Kastanienweg', 'Alte Gerberei'],
    country: 'DE',
    currency: 'EUR',
    payFactor: 1,
    taxForm: 'elstam',
    share: 50,
  },
  {
    code: 'DUB',
    name: 'Dublin',
    timeZone: 'Europe/Dublin',
    city: 'Dublin',
    postalCode: 'D02 X285',
    streets: ['Mill Lane', 'Harbour Row', 'Chapel Court'],
    country: 'IE',
    currency: 'EUR',
    payFactor: 1.05,
    taxForm: 'rpn',
    share: 20,
  },
  {
    code: 'NYC',
    name: 'New York',
    timeZone: 'America/New_York',
    city: 'New York',
    postalCode: '10012',
    streets: ['Orchard Terrace', 'Foundry Street', 'Juniper Avenue'],
    country: 'US',
    currency: 'USD',
    payFactor: 1.45,
    taxForm: 'w-4',
    share: 20,
  },
  {
    code: 'SYD',
    name: 'Sydney',
    timeZone: 'Australia/Sydney',
    city: 'Sydney',
    postalCode: '2010',
    streets: ['Wattle Street', 'Quarry Road'],
    country: 'AU',
    currency: 'AUD',
    payFactor: 1.6,
    taxForm: 'tfn-declaration',
    share: 10,
  },
]

type Team = {
  readonly code: string
  readonly name: string
  readonly head: string
  readonly lead: string
  readonly members: readonly string[]
  readonly leads: number
  readonly size: number
  /** What a member earns in a year in Berlin; leads and heads earn a multiple. */
  readonly pay: readonly [number, number]
}

export const TEAMS: readonly Team[] = [
  {
    code: 'ENG',
    name: 'Engineering',
    head: 'VP Engineering',
    lead: 'Engineering Manager',
    members: ['Software Engineer', 'Senior Software Engineer', 'Site Reliability Engineer', 'QA Engineer', 'Staff Engineer'],
    leads: 3,
    size: 18,
    pay: [58_000, 86_000],
  },
  {
    code: 'PRD',
    name: 'Product and Design',
    head: 'VP Product',
    lead: 'Group Product Manager',
    members: ['Product Manager', 'Product Designer', 'User Researcher'],
    leads: 1,
    size: 8,
    pay: [56_000, 80_000],
  },
  {
    code: 'SAL',
    name: 'Sales',
    head: 'VP Sales',
    lead: 'Sales Manager',
    members: ['Account Executive', 'Sales Development Representative', 'Solutions Engineer'],
    leads: 2,
    size: 12,
    pay: [44_000, 72_000],
  },
  {
    code: 'CUS',
    name: 'Customer Success',
    head: 'VP Customer Success',
    lead: 'Support Lead',
    members: ['Customer Success Manager', 'Support Specialist', 'Onboarding Specialist'],
    leads: 1,
    size: 9,
    pay: [40_000, 58_000],
  },
  {
    code: 'PEO',
    name: 'People',
    head: 'Chief People Officer',
    lead: 'People Operations Lead',
    members: ['HR Business Partner', 'Recruiter', 'Learning Specialist'],
    leads: 0,
    size: 5,
    pay: [44_000, 62_000],
  },
  {
    code: 'FIN',
    name: 'Finance',
    head: 'Chief Financial Officer',
    lead: 'Controller',
    members: ['Accountant', 'Payroll Specialist', 'Financial Analyst'],
    leads: 0,
    size: 4,
    pay: [46_000, 66_000],
  },
  {
    code: 'OPS',
    name: 'Workplace and IT',
    head: 'Head of Operations',
    lead: 'IT Lead',
    members: ['IT Administrator', 'Office Coordinator'],
    leads: 0,
    size: 3,
    pay: [40_000, 56_000],
  },
]

export const GIVEN_NAMES =
  `Alma Amara Anneke Anton Asha Aurel Beatriz Bela Bram Carlotta Ciarán Clio Dagny Dario Edda Eero Elif Emre Enzo Esme Faye Femi Finn Freya
  Gwen Hana Henrik Idris Ilse Imani Ines Isak Jonna Juno Kaia Kenji Lale Leif Leonor Linus Maeve Malik Marit Mateo Mei Mira Nadia Nils Noor
  Odile Oskar Paloma Priya Quentin Rafael Ravi Rosa Runa Sanna Selma Soren Tamsin Tariq Thea Tomás Uma Vera Viggo Wanda Xenia Yara Yusuf Zora`.split(
    /\s+/,
  )

export const FAMILY_NAMES =
  `Abernethy Achterberg Adeyemi Albrecht Almeida Arslan Ashworth Baptiste Bergström Blomqvist Brennan Caldeira Castellan Corrigan Dahlgren
  Demirel Desrosiers Eberhart Ekström Falkner Fairweather Feldkamp Fontaine Garrity Greenhalgh Haverkamp Hollis Ibarra Ikeda Iyer Jankowiak
  Kallas Kaminski Kirchhoff Lachance Lindqvist Lockwood Madaki Marchetti Mbeki Merriweather Mirza Nakagawa Nordvik Okonjo Oyelaran Pardo
  Pellegrin Quillfeldt Rasmussen Rautio Rosendahl Saldanha Sandoval Schönfeld Sinclair Sorensen Tanaka Thorne Uzun Vandersteen Vasari
  Venkataraman Wetherby Winterberg Yilmaz Zambrano Zielinski`.split(/\s+/)

/** People who have applied, and the job they applied for. */
export const APPLICATIONS: readonly { readonly jobTitle: string; readonly stage: string }[] = [
  { jobTitle: 'Software Engineer', stage: 'offer' },
  { jobTitle: 'Account Executive', stage: 'interview' },
  { jobTitle: 'Product Designer', stage: 'interview' },
  { jobTitle: 'Accountant', stage: 'screening' },
]
