import Type from 'typebox'
import { closed, defineEvent, employeeId } from '../define-event.ts'
import { publicField } from '../field-class.ts'
import { Assignment, Compensation } from '../shapes.ts'
import { EXAMPLE_ASSIGNMENT, EXAMPLE_COMPENSATION, EXAMPLE_IDS as ids } from './examples.ts'

export const assignmentChanged = defineEvent({
  type: 'assignment.changed',
  version: 1,
  meaning:
    'A field of an assignment took effect: title, department, manager, location, hours or grade; a change for a later day is sent at midnight of the site on that day.',
  data: closed({ employee_id: employeeId, assignment: Assignment }),
  example: { employee_id: ids.employee, assignment: { ...EXAMPLE_ASSIGNMENT, title: 'Head of payroll' } },
})

export const compensationChanged = defineEvent({
  type: 'compensation.changed',
  version: 1,
  meaning:
    'A component of pay, the pay group or the frequency took effect. The first pay of an employment is part of employment.started when it is entered with it.',
  data: closed({ employee_id: employeeId, compensation: Compensation }),
  example: { employee_id: ids.employee, compensation: EXAMPLE_COMPENSATION },
})

export const webhookTest = defineEvent({
  type: 'webhook.test',
  version: 1,
  meaning: 'Somebody asked for a test delivery to one endpoint. It is sent there only, and reports no change.',
  data: closed({
    endpoint_id: Type.String({ pattern: '^end_[0-9A-Za-z]{22}$', fieldClass: 'public', identifier: true }),
    message: publicField(Type.String({ maxLength: 200 })),
  }),
  example: { endpoint_id: ids.endpoint, message: 'This is a test delivery.' },
})
