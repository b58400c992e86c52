import {
  CompensationComponent,
  Country,
  Currency,
  classOf,
  EMPLOYMENT_TYPES,
  type FieldClass,
  PAY_FREQUENCIES,
  PAY_PERIODS,
  PersonRecord,
  TERMINATION_TYPES,
} from '@tenure/contract'
import Type, { type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

export const IMPORT_KINDS = ['departments', 'employees', 'assignments', 'compensation'] as const
export type ImportKind = (typeof IMPORT_KINDS)[number]

/** A column that an import knows: what its cells must be, and what to tell whoever has to mend one. */
export type Column = {
  readonly required: boolean
  readonly fieldClass: FieldClass
  readonly message: string
  readonly mend: string
  readonly isDate: boolean
  readonly validator: Validator
}

type Cell = { readonly schema: TSchema; readonly message: string; readonly mend: string; readonly isDate?: boolean }

const text = (maxLength: number): Cell => ({
  schema: Type.String({ minLength: 1, maxLength }),
  message: `is longer than ${maxLength} characters`,
  mend: 'Shorten it.',
})
const oneOf = (values: readonly string[]): Cell => ({
  schema: Type.Enum([...values]),
  message: 'is not one of the values that are known here',
  mend: `Write one of ${values.join(', ')}.`,
})
const decimal = (pattern: string, mend: string): Cell => ({ schema: Type.String({ pattern }), message: 'is not such a number', mend })

/** Outside these years a date is a typing mistake, or the way in which some system writes "open". */
const date: Cell = {
  schema: Type.Intersect([Type.String({ format: 'date' }), Type.String({ pattern: '^(19|20|21)' })]),
  message: 'is not a date of the calendar between 1900 and 2199',
  mend: 'Write it as YYYY-MM-DD. If the value stands for "open", name it in `null_values` of the mapping.',
  isDate: true,
}
const country: Cell = { schema: Country, message: 'is not a country code', mend: 'Write two capital letters of ISO 3166-1, such as DE.' }
const currencies = new Set(Intl.supportedValuesOf('currency'))
const currency: Cell = {
  schema: Type.Refine(Currency, (value) => typeof value === 'string' && currencies.has(value)),
  message: 'is not a currency of ISO 4217',
  mend: 'Use a code such as EUR, USD or JPY.',
}
const amount: Cell = {
  schema: CompensationComponent.properties.amount,
  message: 'is not an amount of money of zero or more',
  mend: 'Write digits with a point before at most four decimals, such as 4250.00: no sign, no separators, no currency.',
}
const email: Cell = {
  schema: PersonRecord.properties.email,
  message: 'is not an e-mail address',
  mend: 'Write an address such as ada@example.com.',
}

const column = (cell: Cell, fieldClass: FieldClass, required = false): Column => ({
  required,
  fieldClass,
  message: cell.message,
  mend: cell.mend,
  isDate: cell.isDate ?? false,
  validator: Compile(cell.schema) as Validator,
})
const internal = (cell: Cell) => column(cell, 'internal')
const required = (cell: Cell) => column(cell, 'internal', true)
/** A column of the person: its class is that of the field. */
const ofPerson = (name: keyof typeof PersonRecord.properties, cell: Cell, isRequired = false) =>
  column(cell, classOf(PersonRecord.properties[name]) ?? 'personal', isRequired)

export const COLUMNS: Readonly<Record<ImportKind, Readonly<Record<string, Column>>>> = {
  departments: { code: required(text(60)), name: required(text(200)), parent_code: internal(text(60)) },
  employees: {
    external_id: required(text(120)),
    employee_number: internal(text(60)),
    given_name: ofPerson('given_name', text(100), true),
    family_name: ofPerson('family_name', text(100), true),
    preferred_name: ofPerson('preferred_name', text(100)),
    email: ofPerson('email', email),
    phone: ofPerson('phone', text(40)),
    birth_date: ofPerson('birth_date', date),
    gender: ofPerson('gender', text(40)),
    nationality: ofPerson('nationality', country),
    start_date: required(date),
    termination_date: internal(date),
    termination_type: column(oneOf(TERMINATION_TYPES), 'personal'),
    legal_entity: internal(text(60)),
    employment_type: internal(oneOf(EMPLOYMENT_TYPES)),
    title: internal(text(200)),
    department: internal(text(60)),
    location: internal(text(60)),
    national_id: ofPerson('national_id', text(64)),
    national_id_country: ofPerson('national_id', country),
    national_id_type: ofPerson('national_id', text(40)),
    tax_country: internal(country),
    tax_form: internal(text(40)),
  },
  assignments: {
    external_id: required(text(120)),
    effective_date: required(date),
    title: internal(text(200)),
    department: internal(text(60)),
    location: internal(text(60)),
    manager: internal(text(120)),
    cost_center: internal(text(60)),
    grade: internal(text(60)),
    fte: internal(decimal('^(?!0(\\.0*)?$)(0|[1-9][0-9]?)(\\.[0-9]{1,4})?$', 'Write a number above 0 and below 100, such as 0.8.')),
    weekly_hours: internal(decimal('^(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?$', 'Write hours with at most two decimals, such as 38.5.')),
  },
  compensation: {
    external_id: required(text(120)),
    effective_date: required(date),
    amount: column(amount, 'personal', true),
    currency: required(currency),
    period: required(oneOf(PAY_PERIODS)),
    pay_frequency: required(oneOf(PAY_FREQUENCIES)),
    pay_group: internal(text(60)),
  },
}
