import { createReceiver, type Inbox, type Receiver } from '@tenure/receiver'
import type { PoolClient } from 'pg'
import { applyAssignment, applyCompensation } from './dated-facts.ts'
import { noteEvent } from './effect.ts'
import { closeRecord, planEnd } from './end-record.ts'
import { openRecord } from './open-record.ts'
import { updateEmployee } from './update-employee.ts'

/** Types with a handler of their own below. */
const APPLIED = new Set<string>([
  'employment.started',
  'employment.termination_scheduled',
  'employment.termination_cancelled',
  'employment.terminated',
  'compensation.changed',
  'assignment.changed',
  'employee.updated',
])

export type HandlerOptions = {
  readonly secrets: readonly string[]
  readonly once: Inbox<PoolClient>
  readonly onError: (error: unknown, event?: { readonly id: string; readonly type: string }) => void
}

/** What payroll does with each event. Each handler is one statement, in the transaction in which the inbox remembers the event. */
export function handleEvents({ secrets, once, onError }: HandlerOptions): Receiver<PoolClient> {
  return createReceiver({ secret: secrets, once, onError })
    .on('employment.started', (event, { tx }) => openRecord(event, tx))
    .on('compensation.changed', (event, { tx }) => applyCompensation(event, tx))
    .on('assignment.changed', (event, { tx }) => applyAssignment(event, tx))
    .on('employee.updated', (event, { tx }) => updateEmployee(event, tx))
    .on('employment.termination_scheduled', (event, { tx }) => planEnd(event, tx))
    .on('employment.termination_cancelled', (event, { tx }) => planEnd(event, tx))
    .on('employment.terminated', (event, { tx }) => closeRecord(event, tx))
    .onAny((event, { tx }) => (APPLIED.has(event.type) ? undefined : noteEvent(tx, event)))
}
