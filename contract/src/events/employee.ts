import Type from 'typebox'
import { closed, defineEvent, employeeId } from '../define-event.ts'
import { internal } from '../field-class.ts'
import { Person, TaxProfile } from '../shapes.ts'
import { EXAMPLE_PERSON, EXAMPLE_IDS as ids } from './examples.ts'

const EmployeeData = closed({
  employee_id: employeeId,
  employee_number: internal(Type.String({ minLength: 1, maxLength: 60 })),
  person: Person,
  tax_profile: Type.Optional(TaxProfile),
})

export const employeeCreated = defineEvent({
  type: 'employee.created',
  version: 1,
  meaning: 'The employee exists for the first time. A rehire does not send it, and no employee.updated comes beside it.',
  data: EmployeeData,
  example: { employee_id: ids.employee, employee_number: '10017', person: EXAMPLE_PERSON },
})

export const employeeUpdated = defineEvent({
  type: 'employee.updated',
  version: 1,
  meaning:
    'Personal data of an employee changed and no other event tells it. One event per change set. Secret fields are named in changed and never sent.',
  data: EmployeeData,
  example: { employee_id: ids.employee, employee_number: '10017', person: { ...EXAMPLE_PERSON, email: 'ada.king@example.com' } },
})
