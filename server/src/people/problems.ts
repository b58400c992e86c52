import { defineProblem } from '../kit/problem.ts'

export const candidateNotFound = defineProblem('candidate-not-found', 404, 'There is no such candidate.')
export const candidateNotActive = defineProblem('candidate-not-active', 409, 'The candidate is no longer active.')
export const candidateAlreadyHired = defineProblem('candidate-already-hired', 409, 'The candidate was hired already, with other details.')
export const candidateSourceTaken = defineProblem(
  'candidate-source-taken',
  409,
  'A candidate with this source and source_id exists already.',
)
export const employeeNotFound = defineProblem('employee-not-found', 404, 'There is no such employee.')
export const employeeNumberTaken = defineProblem('employee-number-taken', 409, 'Another employee has this employee number.')
export const employmentOverlaps = defineProblem(
  'employment-overlaps',
  409,
  'The employee is employed by this legal entity on some of these dates already.',
)
export const notEmployed = defineProblem('not-employed', 409, 'The employee is not employed on that date.')
export const alreadyTerminated = defineProblem('already-terminated', 409, 'The employment has an end already.')
export const noScheduledTermination = defineProblem('no-scheduled-termination', 409, 'There is no scheduled termination to cancel.')
export const invalidDate = defineProblem('invalid-date', 422, 'A date does not fit the others.')
export const unknownCurrency = defineProblem('unknown-currency', 422, 'That is not a currency of ISO 4217.')
export const componentRepeated = defineProblem('component-repeated', 422, 'A kind of pay stands twice.')
export const referenceNotFound = defineProblem('reference-not-found', 422, 'The request names something that does not exist.')
export const codeTaken = defineProblem('code-taken', 409, 'The code is taken.')
export const unknownTimeZone = defineProblem('unknown-time-zone', 422, 'That is not a time zone of the IANA database.')
