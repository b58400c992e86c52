import type { Pool } from 'pg'

export type RecordFilter = {
  readonly asOf: string
  readonly status: 'open' | 'closed' | null
  /** The employment after which the page begins. */
  readonly after: string | null
  readonly limit: number
}

export type Component = { readonly kind: string; readonly amount: string; readonly currency: string; readonly period: string }

export type PayrollRecord = {
  readonly employment_id: string
  readonly employee_id: string
  readonly employee_number: string | null
  readonly name: string | null
  readonly tax_profile: { readonly country: string | null; readonly form: string | null }
  readonly status: 'open' | 'closed'
  readonly start_date: string | null
  readonly end_date: string | null
  readonly compensation: readonly { readonly effective_date: string; readonly components: readonly Component[] }[]
  readonly assignments: readonly { readonly effective_date: string; readonly title: string | null }[]
}

const RECORD = `
  r.employment_id, r.employee_id, e.employee_number, e.name,
  jsonb_build_object('country', e.tax_country, 'form', e.tax_form) as tax_profile,
  r.legal_entity_id, r.employment_type, r.status, r.start_date::text, r.end_date::text, r.opened_at, r.closed_at`

const FROM_RECORD = 'from payroll_record r left join payroll_employee e using (employee_id)'

const LIST_RECORDS = `
  select ${RECORD},
    (select coalesce(jsonb_agg(to_jsonb(c) - 'employee_id' - 'employment_id' order by assignment_id), '[]')
       from (select distinct on (assignment_id) * from payroll_compensation
              where employee_id = r.employee_id and coalesce(employment_id, r.employment_id) = r.employment_id and effective_date <= $1::date
              order by assignment_id, effective_date desc) c) as compensation,
    (select coalesce(jsonb_agg(to_jsonb(a) - 'employee_id' - 'employment_id' order by assignment_id), '[]')
       from (select distinct on (assignment_id) * from payroll_assignment
              where employee_id = r.employee_id and coalesce(employment_id, r.employment_id) = r.employment_id and effective_date <= $1::date
              order by assignment_id, effective_date desc) a) as assignments
  ${FROM_RECORD}
  where r.employment_id > $2 and ($3::text is null or r.status = $3)
  order by r.employment_id limit $4`

/** A page of records with the pay and the job that hold on a day, and the id after which the next page begins. */
export async function listRecords(pool: Pool, { asOf, status, after, limit }: RecordFilter) {
  const { rows } = await pool.query<PayrollRecord>({
    name: 'list-records',
    text: LIST_RECORDS,
    values: [asOf, after ?? '', status, limit + 1],
  })
  const data = rows.slice(0, limit)
  return { data, next: rows.length > limit ? (data.at(-1)?.employment_id ?? null) : null }
}

const READ_RECORD = `
  select ${RECORD},
    (select coalesce(jsonb_agg(to_jsonb(c) - 'employee_id' order by effective_date, assignment_id), '[]') from payroll_compensation c
      where employee_id = r.employee_id and coalesce(employment_id, r.employment_id) = r.employment_id) as compensation,
    (select coalesce(jsonb_agg(to_jsonb(a) - 'employee_id' order by effective_date, assignment_id), '[]') from payroll_assignment a
      where employee_id = r.employee_id and coalesce(employment_id, r.employment_id) = r.employment_id) as assignments
  ${FROM_RECORD}
  where r.employment_id = $1`

/** One record with every dated row of its pay and its job. */
export async function readRecord(pool: Pool, employmentId: string): Promise<PayrollRecord | undefined> {
  const { rows } = await pool.query<PayrollRecord>({ name: 'read-record', text: READ_RECORD, values: [employmentId] })
  return rows[0]
}

const COUNT_RECORDS = `
  select count(*)::int as records, count(*) filter (where status = 'open')::int as open,
         count(*) filter (where status = 'closed')::int as closed
    from payroll_record`

/** Amounts of different currencies or periods are never added. */
const SUM_PAY = `
  with current as (
    select distinct on (c.employee_id, c.assignment_id) c.components
      from payroll_compensation c
      join payroll_record r on r.employee_id = c.employee_id and coalesce(c.employment_id, r.employment_id) = r.employment_id
     where r.status = 'open' and c.effective_date <= $1::date
     order by c.employee_id, c.assignment_id, c.effective_date desc
  )
  select part ->> 'kind' as kind, part ->> 'currency' as currency, part ->> 'period' as period,
         sum((part ->> 'amount')::numeric)::text as amount, count(*)::int as count
    from current, jsonb_array_elements(components) part
   group by 1, 2, 3 order by 1, 2, 3`

/** Control totals: how many records there are, and what the open ones add up to on a day. */
export async function totalRecords(pool: Pool, asOf: string) {
  const [counts, pay] = await Promise.all([
    pool.query<{ records: number; open: number; closed: number }>(COUNT_RECORDS),
    pool.query<Component & { count: number }>(SUM_PAY, [asOf]),
  ])
  return { ...counts.rows[0]!, pay: pay.rows }
}
