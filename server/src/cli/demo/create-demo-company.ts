import { systemActor } from '../../access/actor.ts'
import { type Change, type Ground, openChange } from '../../events/change.ts'
import { createCandidate } from '../../people/candidates/create-candidate.ts'
import { changeAssignment } from '../../people/employees/change-assignment.ts'
import { changeCompensation } from '../../people/employees/change-compensation.ts'
import { type CreatedEmployee, createEmployees, type NewEmployee } from '../../people/employees/create-employees.ts'
import { terminateEmployment } from '../../people/employees/terminate-employment.ts'
import { createDepartment, createLocation } from '../../people/organisation/create-unit.ts'
import { dateAt } from '../../people/site-time.ts'
import { COMPANY, SITES, TEAMS } from './company-data.ts'
import { type CompanyPlan, type PlannedEmployee, planCompany } from './plan-company.ts'

const SEED = 1_912

const ACTOR = systemActor('demo', 'import')

/**
 * Fills an empty tenant with the demo company, by the same commands that serve the API, with all their events. One
 * transaction: it is there as a whole or not at all. Answers how many employees it made, or 0 where there are some already.
 */
export async function createDemoCompany(ground: Ground, tenantId: string): Promise<number> {
  return ground.database.withTenant(tenantId, async (tx) => {
    const somebody = await tx.selectFrom('employee').select('id').limit(1).executeTakeFirst()
    if (somebody) return 0
    const plan = planCompany(SEED, dateAt(tx.scope.now, COMPANY.timeZone))
    const inNewChange = <Result>(work: (change: Change) => Promise<Result>) => work(openChange(tx, ground, ACTOR))
    const places = await inNewChange((change) => createPlaces(change))
    const employees = await createStaff(inNewChange, plan, places)
    await createLaterChanges(inNewChange, plan, employees)
    for (const { person, jobTitle, stage } of plan.candidates) {
      await inNewChange((change) => createCandidate(change, { person, job_title: jobTitle, stage }))
    }
    return employees.length
  })
}

type InNewChange = <Result>(work: (change: Change) => Promise<Result>) => Promise<Result>
type Places = { readonly departments: ReadonlyMap<string, string>; readonly locations: ReadonlyMap<string, string> }

async function createPlaces(change: Change): Promise<Places> {
  const departments = new Map<string, string>()
  for (const { code, name } of TEAMS) departments.set(code, (await createDepartment(change, { code, name })).id)
  const locations = new Map<string, string>()
  for (const { code, name, timeZone } of SITES) locations.set(code, (await createLocation(change, { code, name, time_zone: timeZone })).id)
  return { departments, locations }
}

/** Rank by rank from the top, so that everybody's manager exists before them. */
async function createStaff(inNewChange: InNewChange, { employees }: CompanyPlan, places: Places): Promise<CreatedEmployee[]> {
  const created: CreatedEmployee[] = []
  for (const [, ofRank] of [...Map.groupBy(employees, ({ rank }) => rank)].sort(([a], [b]) => a - b)) {
    const inputs = ofRank.map((planned) => newEmployee(planned, places, created))
    const made = await inNewChange((change) => createEmployees(change, inputs))
    for (const [number, { at }] of ofRank.entries()) created[at] = made[number]!
  }
  return created
}

function newEmployee(planned: PlannedEmployee, { departments, locations }: Places, created: readonly CreatedEmployee[]): NewEmployee {
  const department = planned.teamCode && departments.get(planned.teamCode)
  const manager = planned.managerAt === undefined ? undefined : created[planned.managerAt]
  return {
    start_date: planned.startDate,
    person: planned.person,
    assignment: {
      title: planned.title,
      location_id: locations.get(planned.siteCode)!,
      fte: planned.fte,
      ...(department ? { department_id: department } : {}),
      ...(manager ? { manager_employee_id: manager.employeeId } : {}),
    },
    compensation: payOf(planned.pay, planned.currency),
  }
}

async function createLaterChanges(inNewChange: InNewChange, plan: CompanyPlan, created: readonly CreatedEmployee[]): Promise<void> {
  const idOf = (at: number) => created[at]!.employeeId
  for (const { at, on, pay } of plan.raises) {
    const { currency } = plan.employees[at]!
    await inNewChange((change) => changeCompensation(change, idOf(at), { effective_date: on, ...payOf(pay, currency) }))
  }
  for (const { at, on, title } of plan.promotions) {
    await inNewChange((change) => changeAssignment(change, idOf(at), { effective_date: on, title }))
  }
  for (const { at, endDate, type } of plan.terminations) {
    await inNewChange((change) => terminateEmployment(change, idOf(at), { end_date: endDate, termination: { type } }))
  }
}

function payOf(pay: number, currency: string) {
  const components = [{ kind: 'base' as const, amount: `${pay}.00`, currency, period: 'year' as const }]
  return { components, pay_frequency: 'monthly' as const }
}
