import type { Assignment, CompensationComponent, Employment, PersonRecord, Termination } from '@tenure/contract'

export type PersonValues = PersonRecord
export type EmploymentValues = Pick<Employment, 'legal_entity_id' | 'employment_type' | 'last_day_worked' | 'access_cutoff_at'> & {
  termination?: Termination
}
export type AssignmentValues = Omit<Assignment, 'id' | 'employment_id' | 'is_primary'>
export type CompensationValues = {
  components: CompensationComponent[]
  pay_frequency: 'weekly' | 'two_weekly' | 'semi_monthly' | 'monthly' | 'yearly'
  pay_group?: string
}

/** What goes into columns in clear, and what is sealed with the person's key. */
export type Parts = {
  readonly columns: Record<string, unknown>
  readonly personal?: Record<string, unknown>
  readonly secret?: Record<string, unknown>
}

/** How a kind of fact lies in its table. `columns` names the clear ones with their SQL type and how they are read back. */
export type FactKind<Values> = {
  readonly table: 'person_fact' | 'employment_fact' | 'assignment_fact' | 'compensation_fact'
  readonly subject: 'person' | 'employment' | 'assignment' | 'compensation'
  readonly columns: Readonly<Record<string, { readonly type: string; readonly read?: string }>>
  divide(values: Values, employeeId: string): Parts
  join(parts: Parts): Values
}

const text = { type: 'text' }
const decimal = (type: string, column: string) => ({ type, read: `trim_scale(f.${column})::text` })

export const personFact: FactKind<PersonValues> = {
  table: 'person_fact',
  subject: 'person',
  columns: {},
  divide({ national_id, tax_elections, ...personal }) {
    const secret = given({ national_id, tax_elections })
    return { columns: {}, personal, ...(Object.keys(secret).length > 0 ? { secret } : {}) }
  },
  join: ({ personal, secret }) => ({ ...personal, ...secret }) as PersonValues,
}

export const employmentFact: FactKind<EmploymentValues> = {
  table: 'employment_fact',
  subject: 'employment',
  columns: {
    employee_id: text,
    legal_entity_id: text,
    employment_type: text,
    last_day_worked: { type: 'date' },
    access_cutoff_at: { type: 'timestamptz', read: `to_char(f.access_cutoff_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')` },
  },
  divide: ({ termination, ...columns }, employeeId) => ({
    columns: { ...columns, employee_id: employeeId },
    ...(termination ? { personal: { termination } } : {}),
  }),
  join: ({ columns: { employee_id, ...columns }, personal }) => given({ ...columns, ...personal }) as EmploymentValues,
}

export const assignmentFact: FactKind<AssignmentValues> = {
  table: 'assignment_fact',
  subject: 'assignment',
  columns: {
    title: text,
    department_id: text,
    location_id: text,
    manager_employee_id: text,
    cost_center: text,
    grade: text,
    fte: decimal('numeric', 'fte'),
    weekly_hours: decimal('numeric', 'weekly_hours'),
  },
  divide: (values) => ({ columns: values }),
  join: ({ columns }) => given(columns) as AssignmentValues,
}

export const compensationFact: FactKind<CompensationValues> = {
  table: 'compensation_fact',
  subject: 'compensation',
  columns: { pay_group: text, pay_frequency: text },
  divide: ({ components, ...columns }) => ({ columns, personal: { components } }),
  join: ({ columns, personal }) => ({ components: [], ...given(columns), ...personal }) as unknown as CompensationValues,
}

/** The fields that have a value. */
export function given<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as Partial<Fields>
}
