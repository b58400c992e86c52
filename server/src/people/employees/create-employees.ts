import { employeeCreated } from '@tenure/contract'
import { requireScope } from '../../access/actor.ts'
import { audit } from '../../audit/audit.ts'
import { violates } from '../../database/database.ts'
import type { Tx } from '../../database/tenant-transaction.ts'
import type { Change } from '../../events/change.ts'
import { emit } from '../../events/emit.ts'
import { newId } from '../../kit/ids.ts'
import { type PersonValues, personFact } from '../facts/fact-kinds.ts'
import { loadTimelines } from '../facts/fact-store.ts'
import { factOn, setFrom, timeline } from '../facts/timeline.ts'
import { checkReferences, defaultLegalEntity } from '../organisation/references.ts'
import { employeeNumberTaken } from '../problems.ts'
import { dateAt } from '../site-time.ts'
import { createPersons } from './create-persons.ts'
import { type EmployeeRecord, statusOn, todayOf } from './employee-record.ts'
import { employeeData } from './event-data.ts'
import type { CreateEmployee, HireCandidate } from './inputs.ts'
import { loadZones } from './record-rows.ts'
import { saveRecords } from './record-store.ts'
import { applyEmployment } from './start-employment.ts'

/** A new employee: of a person that is known already (the candidate's), or of one that is made with it. */
export type NewEmployee = HireCandidate & {
  readonly person: CreateEmployee['person']
  readonly personId?: string
  readonly candidateId?: string
}
export type CreatedEmployee = { readonly employeeId: string; readonly employmentId: string }

/** Makes one employee with the first employment, assignment and pay. */
export async function createEmployee(change: Change, input: CreateEmployee): Promise<CreatedEmployee> {
  requireScope(change.actor, 'employees:write')
  await checkReferences(change.tx, [input])
  const [created] = await createEmployees(change, [input])
  return created!
}

/** Makes employees, in a fixed number of statements however many they are. */
export async function createEmployees(change: Change, inputs: readonly NewEmployee[]): Promise<CreatedEmployee[]> {
  const legalEntityId = await defaultLegalEntity(change.tx)
  const records = await openNewRecords(change, inputs)
  const created = records.map((record, at) => applyNewEmployee(change, record, inputs[at]!, legalEntityId))
  await saveRecords(change, records)
  return created
}

/** Rows and empty records for new employees. Each must be given its first employment before the records are saved. */
export async function openNewRecords(change: Change, inputs: readonly NewEmployee[]): Promise<EmployeeRecord[]> {
  const { tx } = change
  const persons = await createPersons(change, inputs)
  const zones = await loadZones(tx)
  const numbers = await employeeNumbers(tx, inputs)
  const keys = new Map(persons.map(({ personId, key }) => [personId, key]))
  const known = inputs.flatMap(({ personId }) => (personId ? [personId] : []))
  const lines = await loadTimelines(tx, personFact, known, (id) => keys.get(id))
  const records = inputs.map((_, at): EmployeeRecord => {
    const { personId, key } = persons[at]!
    const person = lines.get(personId) ?? timeline<PersonValues>(personId)
    return {
      id: newId('emp'),
      employeeNumber: numbers[at]!,
      personId,
      key,
      zones,
      person,
      employments: [],
      assignments: [],
      compensations: [],
      scheduled: [],
    }
  })
  await insertEmployees(tx, records, inputs)
  return records
}

/** Opens the first employment of a new employee, and tells that both are there. */
export function applyNewEmployee(change: Change, record: EmployeeRecord, input: NewEmployee, legalEntityId: string): CreatedEmployee {
  const { start_date: startDate, person } = input
  // From today where the first day is yet to come: the person can change before the job begins.
  const today = dateAt(change.recordedAt, record.zones.tenant)
  if (!factOn(record.person, startDate)) setFrom(record.person, startDate < today ? startDate : today, person, change.recordedAt)
  const reached = applyEmployment(change, record, { ...input, legal_entity_id: input.legal_entity_id ?? legalEntityId }, (employment) => {
    emit(change, employeeCreated, {
      data: employeeData(record, person),
      personId: record.personId,
      employeeId: record.id,
      employmentId: employment.id,
      status: statusOn(record, todayOf(record, change.recordedAt)),
      effectiveDate: startDate,
      self: `/v1/employees/${record.id}`,
    })
  })
  audit(change.tx, change.vault, change.actor, {
    action: 'employee.create',
    subjectType: 'employee',
    subjectId: record.id,
    changeSetId: change.id,
  })
  return { employeeId: record.id, employmentId: reached.id }
}

const DRAW_NUMBERS = {
  name: 'draw-employee-numbers',
  text: `with drawn as materialized (select nextval('employee_number_sequence')::text as number from generate_series(1, $2))
         select number from drawn
          where not exists (select from employee e where e.tenant_id = $1 and e.employee_number = drawn.number)`,
}

/** Numbers as given, and free ones for whoever has none. Numbers that came from another system may lie ahead of the sequence. */
async function employeeNumbers(tx: Tx, inputs: readonly NewEmployee[]): Promise<string[]> {
  const taken = new Set(inputs.map((input) => input.employee_number))
  const missing = inputs.filter((input) => !input.employee_number).length
  const free: string[] = []
  for (let many = missing; free.length < missing; many *= 2) {
    const drawn = await tx.scope.run<{ number: string }>(DRAW_NUMBERS, [tx.scope.tenantId, many])
    free.push(...drawn.map(({ number }) => number).filter((number) => !taken.has(number)))
  }
  return inputs.map((input) => input.employee_number ?? free.shift()!)
}

const INSERT_EMPLOYEES = {
  name: 'insert-employees',
  text: 'insert into employee (tenant_id, id, person_id, candidate_id, employee_number) select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[])',
}

async function insertEmployees(tx: Tx, records: readonly EmployeeRecord[], inputs: readonly NewEmployee[]): Promise<void> {
  try {
    await tx.scope.run(INSERT_EMPLOYEES, [
      tx.scope.tenantId,
      records.map(({ id }) => id),
      records.map(({ personId }) => personId),
      inputs.map(({ candidateId }) => candidateId ?? null),
      records.map(({ employeeNumber }) => employeeNumber),
    ])
  } catch (error) {
    if (!violates(error, 'employee_tenant_id_employee_number_key')) throw error
    const mend = 'Leave employee_number out to get a free one.'
    throw employeeNumberTaken({ errors: [{ pointer: '/employee_number', message: 'is taken', mend }] })
  }
}
