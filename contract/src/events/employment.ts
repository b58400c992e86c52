import Type from 'typebox'
import { closed, defineEvent, employeeId } from '../define-event.ts'
import { internal } from '../field-class.ts'
import { Assignment, Compensation, Employment, Person, TaxProfile, Termination } from '../shapes.ts'
import { EXAMPLE_ASSIGNMENT, EXAMPLE_COMPENSATION, EXAMPLE_EMPLOYMENT, EXAMPLE_PERSON, EXAMPLE_IDS as ids } from './examples.ts'

const StartData = closed({
  employee_id: employeeId,
  employee_number: internal(Type.String({ minLength: 1, maxLength: 60 })),
  employment: Employment,
  person: Person,
  tax_profile: Type.Optional(TaxProfile),
  assignment: Type.Optional(Assignment),
  compensation: Type.Optional(Compensation),
})

const EndData = closed({ employee_id: employeeId, employment: Employment, termination: Type.Optional(Termination) })

const start = {
  employee_id: ids.employee,
  employee_number: '10017',
  employment: EXAMPLE_EMPLOYMENT,
  person: EXAMPLE_PERSON,
  tax_profile: { country: 'DE', form: 'elstam' },
  assignment: EXAMPLE_ASSIGNMENT,
  compensation: EXAMPLE_COMPENSATION,
}
const end = {
  employee_id: ids.employee,
  employment: { ...EXAMPLE_EMPLOYMENT, end_date: '2027-04-01', last_day_worked: '2027-03-31' },
  termination: { type: 'voluntary' as const },
}

export const employmentStartScheduled = defineEvent({
  type: 'employment.start_scheduled',
  version: 1,
  meaning:
    'An employment that begins on a later day is entered. It has not begun: employment.started follows at midnight of the site on that day.',
  data: StartData,
  example: start,
})

export const employmentStarted = defineEvent({
  type: 'employment.started',
  version: 1,
  meaning:
    'An employment took effect at midnight of the site, or at once when it was entered on its first day or later. Once per employment. Payroll opens the record, identity the account.',
  data: StartData,
  example: start,
})

export const employmentTerminationScheduled = defineEvent({
  type: 'employment.termination_scheduled',
  version: 1,
  meaning: 'A termination with a later date is entered. The person is still employed: prepare, and revoke nothing yet.',
  data: EndData,
  example: end,
})

export const employmentTerminationCancelled = defineEvent({
  type: 'employment.termination_cancelled',
  version: 1,
  meaning: 'A scheduled termination is withdrawn before it takes effect. The employment goes on.',
  data: EndData,
  example: { employee_id: ids.employee, employment: EXAMPLE_EMPLOYMENT },
})

export const employmentTerminated = defineEvent({
  type: 'employment.terminated',
  version: 1,
  meaning:
    'The employment has ended: midnight of the site on the first day without it, or at once when entered on that day or later. Payroll closes the record, identity revokes access.',
  data: EndData,
  example: end,
})
