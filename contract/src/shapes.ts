import Type, { type Static } from 'typebox'
import { identifier, internal, personal, publicField, secret } from './field-class.ts'

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** A calendar date of the employee's site, such as 2026-09-01, from the year 1000 on. It has no zone. */
export const CalendarDate = Type.String({ format: 'date', pattern: '^(?!0)' })

/** A moment with its offset, such as 2026-09-01T08:00:00Z. The format alone also allows leap seconds and zone names, which few can read. */
export const Moment = Type.String({
  format: 'date-time',
  pattern: '^[1-9].{15}:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-][0-9:]+)$',
  description: 'A time with its offset, such as 2026-09-01T08:00:00Z, without leap seconds and zone names.',
})

/** A decimal number as text, never a float: "4250.00". Zero or more, up to four decimals. */
export const DecimalAmount = Type.String({ pattern: '^(0|[1-9][0-9]{0,12})(\\.[0-9]{1,4})?$' })

/** A share of full time, above zero and below a hundred: "1", "0.8". */
const FullTimeShare = Type.String({ pattern: '^(?!0(\\.0*)?$)(0|[1-9][0-9]?)(\\.[0-9]{1,4})?$' })

/** Hours of a week, up to two decimals: "38.5". */
const WeeklyHours = Type.String({ pattern: '^(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?$' })

/** A currency by its ISO 4217 code. */
export const Currency = Type.String({ pattern: '^[A-Z]{3}$' })

/** A country by its ISO 3166-1 alpha-2 code. */
export const Country = Type.String({ pattern: '^[A-Z]{2}$' })

export const Address = Type.Object(
  {
    lines: Type.Array(text(200), { minItems: 1, maxItems: 4 }),
    city: text(100),
    postal_code: Type.Optional(text(20)),
    region: Type.Optional(text(100)),
    country: Country,
  },
  { additionalProperties: false },
)

/** What is known of a human being. Everything here is personal. */
const personFields = {
  given_name: personal(text(100)),
  family_name: personal(text(100)),
  preferred_name: Type.Optional(personal(text(100))),
  email: Type.Optional(personal(Type.String({ format: 'email', maxLength: 254 }))),
  phone: Type.Optional(personal(text(40))),
  birth_date: Type.Optional(personal(CalendarDate)),
  gender: Type.Optional(personal(text(40))),
  nationality: Type.Optional(personal(Country)),
  address: Type.Optional(personal(Address)),
}

/** A person as events carry one. */
export const Person = Type.Object(personFields, { additionalProperties: false })
export type Person = Static<typeof Person>

/** The form by which a country taxes a person. What the person elected on it is secret and not in an event. */
export const TaxProfile = Type.Object({ country: internal(Country), form: internal(text(40)) }, { additionalProperties: false })

/** A person as the API takes and holds one: the secret fields never enter an event. */
export const PersonRecord = Type.Object(
  {
    ...personFields,
    tax_profile: Type.Optional(TaxProfile),
    national_id: Type.Optional(secret(Type.Object({ country: Country, type: text(40), value: text(64) }, { additionalProperties: false }))),
    tax_elections: Type.Optional(secret(Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' }), text(100), { maxProperties: 20 }))),
  },
  { additionalProperties: false },
)
export type PersonRecord = Static<typeof PersonRecord>

/** A job that somebody holds, on a date. */
export const Assignment = Type.Object(
  {
    id: identifier('asg'),
    employment_id: identifier('ept'),
    is_primary: internal(Type.Boolean()),
    title: Type.Optional(internal(text(200))),
    department_id: Type.Optional(identifier('dep')),
    location_id: Type.Optional(identifier('loc')),
    manager_employee_id: Type.Optional(identifier('emp')),
    cost_center: Type.Optional(internal(text(60))),
    grade: Type.Optional(internal(text(60))),
    fte: Type.Optional(internal(FullTimeShare)),
    weekly_hours: Type.Optional(internal(WeeklyHours)),
  },
  { additionalProperties: false },
)
export type Assignment = Static<typeof Assignment>

export const COMPONENT_KINDS = ['base', 'allowance', 'bonus_target', 'equity'] as const
export const PAY_PERIODS = ['hour', 'day', 'week', 'two_weeks', 'semi_month', 'month', 'year'] as const
export const PAY_FREQUENCIES = ['weekly', 'two_weekly', 'semi_monthly', 'monthly', 'yearly'] as const

/** One part of somebody's pay. Amounts of different currencies are never added. */
export const CompensationComponent = Type.Object(
  {
    kind: internal(Type.Enum([...COMPONENT_KINDS])),
    amount: personal(DecimalAmount),
    currency: internal(Currency),
    period: internal(Type.Enum([...PAY_PERIODS])),
  },
  { additionalProperties: false },
)
export type CompensationComponent = Static<typeof CompensationComponent>

export const Compensation = Type.Object(
  {
    id: identifier('cmp'),
    assignment_id: identifier('asg'),
    components: Type.Array(CompensationComponent, { minItems: 1, maxItems: 20 }),
    pay_frequency: internal(Type.Enum([...PAY_FREQUENCIES])),
    pay_group: Type.Optional(internal(text(60))),
  },
  { additionalProperties: false },
)
export type Compensation = Static<typeof Compensation>

export const EMPLOYMENT_TYPES = ['employee', 'contractor', 'intern', 'temporary'] as const

export const Employment = Type.Object(
  {
    id: identifier('ept'),
    legal_entity_id: identifier('len'),
    employment_type: internal(Type.Enum([...EMPLOYMENT_TYPES])),
    start_date: internal(CalendarDate),
    /** The first day on which the person is no longer employed. */
    end_date: Type.Optional(internal(CalendarDate)),
    last_day_worked: Type.Optional(internal(CalendarDate)),
    access_cutoff_at: Type.Optional(internal(Moment)),
  },
  { additionalProperties: false },
)
export type Employment = Static<typeof Employment>

export const TERMINATION_TYPES = ['voluntary', 'involuntary', 'death', 'retirement', 'end_of_contract'] as const

/** Why an employment ends. All of it is personal. */
export const Termination = Type.Object(
  {
    type: personal(Type.Enum([...TERMINATION_TYPES])),
    reason: Type.Optional(personal(text(500))),
    eligible_for_rehire: Type.Optional(personal(Type.Boolean())),
  },
  { additionalProperties: false },
)
export type Termination = Static<typeof Termination>

export const CANDIDATE_STATUSES = ['active', 'hired', 'rejected', 'withdrawn'] as const

export const Candidate = Type.Object(
  {
    id: identifier('can'),
    status: publicField(Type.Enum([...CANDIDATE_STATUSES])),
    stage: Type.Optional(internal(text(60))),
    source: internal(text(60)),
    source_id: Type.Optional(internal(text(120))),
    job_title: Type.Optional(internal(text(200))),
  },
  { additionalProperties: false },
)
export type Candidate = Static<typeof Candidate>
