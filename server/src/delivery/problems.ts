import { defineProblem } from '../kit/problem.ts'

export const endpointNotFound = defineProblem('endpoint-not-found', 404, 'There is no such endpoint.')
export const endpointNotValid = defineProblem('endpoint-not-valid', 422, 'The endpoint cannot be set up like this.')
export const deliveryNotFound = defineProblem('delivery-not-found', 404, 'There is no such delivery.')
export const deliveryNotPending = defineProblem('delivery-not-pending', 409, 'The delivery is not waiting for a retry.')
export const deliveryNotDead = defineProblem('delivery-not-dead', 409, 'The delivery is not a dead letter.')
