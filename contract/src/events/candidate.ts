import Type from 'typebox'
import { closed, defineEvent } from '../define-event.ts'
import { identifier, internal } from '../field-class.ts'
import { CalendarDate, Candidate, Person } from '../shapes.ts'
import { EXAMPLE_PERSON, EXAMPLE_IDS as ids } from './examples.ts'

const candidate = { id: ids.candidate, status: 'active', stage: 'offer', source: 'api', job_title: 'Payroll analyst' } as const

export const candidateCreated = defineEvent({
  type: 'candidate.created',
  version: 1,
  meaning: 'A candidate is recorded for the first time, by API, import or an inbound source. A merge of two candidates does not send it.',
  data: closed({ candidate: Candidate, person: Person }),
  example: { candidate, person: EXAMPLE_PERSON },
})

export const candidateStatusChanged = defineEvent({
  type: 'candidate.status_changed',
  version: 1,
  meaning:
    'The status or the stage of a candidate moves; every move is sent, also the one to hired. The old values are in previous_attributes.',
  data: closed({ candidate: Candidate }),
  example: { candidate },
})

export const candidateHired = defineEvent({
  type: 'candidate.hired',
  version: 1,
  meaning:
    'The hire of a candidate commits, usually before the first day. Once per candidate: hiring again answers the same employee and sends nothing.',
  data: closed({
    candidate: Candidate,
    employee_id: identifier('emp'),
    employment_id: identifier('ept'),
    start_date: internal(CalendarDate),
    person: Type.Optional(Person),
  }),
  example: {
    candidate: { ...candidate, status: 'hired' },
    employee_id: ids.employee,
    employment_id: ids.employment,
    start_date: '2026-09-01',
  },
})
