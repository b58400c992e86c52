import {
  Assignment,
  CalendarDate,
  CompensationComponent,
  EMPLOYMENT_TYPES,
  identifier,
  internal,
  Moment,
  PAY_FREQUENCIES,
  PersonRecord,
  Termination,
} from '@tenure/contract'
import Type, { type Static, type TSchema } from 'typebox'
import { componentRepeated, unknownCurrency } from '../problems.ts'

const closed = { additionalProperties: false } as const
const nullable = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))

const { id: _id, employment_id: _employment, is_primary: _primary, ...assignmentFields } = Assignment.properties

/** The fields of an assignment that a change may set. */
export const AssignmentInput = Type.Object(assignmentFields, closed)

const payFields = {
  components: Type.Array(CompensationComponent, { minItems: 1, maxItems: 20 }),
  pay_frequency: internal(Type.Enum([...PAY_FREQUENCIES])),
  pay_group: Type.Optional(internal(Type.String({ minLength: 1, maxLength: 60 }))),
}
export const CompensationInput = Type.Object(payFields, closed)

const employmentFields = {
  start_date: internal(CalendarDate),
  legal_entity_id: Type.Optional(identifier('len')),
  employment_type: Type.Optional(internal(Type.Enum([...EMPLOYMENT_TYPES]))),
  assignment: Type.Optional(AssignmentInput),
  compensation: Type.Optional(CompensationInput),
}
const employeeNumber = Type.Optional(internal(Type.String({ minLength: 1, maxLength: 60 })))

export const StartEmployment = Type.Object(employmentFields, closed)
export type StartEmployment = Static<typeof StartEmployment>

export const HireCandidate = Type.Object({ ...employmentFields, employee_number: employeeNumber }, closed)
export type HireCandidate = Static<typeof HireCandidate>

export const CreateEmployee = Type.Object({ ...employmentFields, employee_number: employeeNumber, person: PersonRecord }, closed)
export type CreateEmployee = Static<typeof CreateEmployee>

const nullableFields = <Fields extends Record<string, TSchema>>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, nullable(schema)])) as {
    [Name in keyof Fields]: ReturnType<typeof nullable<Fields[Name]>>
  }

const effectiveDate = Type.Optional(internal(CalendarDate))

const { given_name, family_name, ...removableFields } = PersonRecord.properties

/** A field that is left out stays; null removes it. The two names can be changed and not removed. */
export const UpdatePerson = Type.Object(
  {
    effective_date: effectiveDate,
    person: Type.Object(
      { given_name: Type.Optional(given_name), family_name: Type.Optional(family_name), ...nullableFields(removableFields) },
      closed,
    ),
  },
  closed,
)
export type UpdatePerson = Static<typeof UpdatePerson>

export const ChangeAssignment = Type.Object(
  { effective_date: effectiveDate, assignment_id: Type.Optional(identifier('asg')), ...nullableFields(assignmentFields) },
  closed,
)
export type ChangeAssignment = Static<typeof ChangeAssignment>

export const ChangeCompensation = Type.Object(
  { effective_date: effectiveDate, assignment_id: Type.Optional(identifier('asg')), ...payFields },
  closed,
)
export type ChangeCompensation = Static<typeof ChangeCompensation>

export const TerminateEmployment = Type.Object(
  {
    employment_id: Type.Optional(identifier('ept')),
    /** The first day without the employment. Left out: now. */
    end_date: effectiveDate,
    last_day_worked: Type.Optional(internal(CalendarDate)),
    access_cutoff_at: Type.Optional(internal(Moment)),
    termination: Type.Optional(Termination),
  },
  closed,
)
export type TerminateEmployment = Static<typeof TerminateEmployment>

export const CancelTermination = Type.Object({ employment_id: Type.Optional(identifier('ept')) }, closed)
export type CancelTermination = Static<typeof CancelTermination>

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))

/** Refuses a currency that does not exist, and a kind that stands twice: events name a component by its kind. */
export function checkComponents(components: readonly { readonly kind: string; readonly currency: string }[], pointer: string): void {
  const repeated = components.findIndex(({ kind }, at) => components.findIndex((one) => one.kind === kind) < at)
  if (repeated !== -1) {
    const mend = 'Put what belongs to one kind into one component.'
    throw componentRepeated({ errors: [{ pointer: `${pointer}/components/${repeated}/kind`, message: 'stands there already', mend }] })
  }
  const at = components.findIndex(({ currency }) => !CURRENCIES.has(currency))
  if (at === -1) return
  const mend = 'Use a code such as EUR, USD or JPY.'
  throw unknownCurrency({ errors: [{ pointer: `${pointer}/components/${at}/currency`, message: 'is not a currency of ISO 4217', mend }] })
}

/** The values with the given fields set, and those given as null removed. Decimals lose the zeros that say nothing. */
export function patched<Values extends object>(values: Values, patch: Readonly<Record<string, unknown>>): Values {
  const merged = { ...values } as Record<string, unknown>
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete merged[name]
    else merged[name] = DECIMALS.has(name) && typeof value === 'string' ? trimZeros(value) : value
  }
  return merged as Values
}

const DECIMALS = new Set(['fte', 'weekly_hours'])

/** Whether two pays are the same, however many zeros their amounts end in. */
export function samePay(a: PayValues, b: PayValues): boolean {
  const plain = ({ components, ...rest }: PayValues) => ({
    ...rest,
    components: components.map((component) => ({ ...component, amount: trimZeros(component.amount) })),
  })
  return sameValues(plain(a), plain(b))
}

type PayValues = Static<typeof CompensationInput>

function trimZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}

/** Whether two values say the same, whatever the order of their fields. */
export function sameValues(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
