import type { Static } from 'typebox'
import { candidateCreated, candidateHired, candidateStatusChanged } from './events/candidate.ts'
import { employeeCreated, employeeUpdated } from './events/employee.ts'
import {
  employmentStarted,
  employmentStartScheduled,
  employmentTerminated,
  employmentTerminationCancelled,
  employmentTerminationScheduled,
} from './events/employment.ts'
import { assignmentChanged, compensationChanged, webhookTest } from './events/job.ts'

/** The version of the API and of the events, as a date. */
export const API_VERSION = '2026-11-01'

/** Every type of event that there is. */
export const CATALOGUE = [
  candidateCreated,
  candidateStatusChanged,
  candidateHired,
  employeeCreated,
  employeeUpdated,
  employmentStartScheduled,
  employmentStarted,
  employmentTerminationScheduled,
  employmentTerminationCancelled,
  employmentTerminated,
  assignmentChanged,
  compensationChanged,
  webhookTest,
] as const

type CatalogueEntry = (typeof CATALOGUE)[number]

/** The data of each type of event, by its name. */
export type EventMap = { [Entry in CatalogueEntry as Entry['type']]: Static<Entry['data']> }
export type EventType = keyof EventMap

export const EVENT_TYPES: readonly EventType[] = CATALOGUE.map(({ type }) => type)
