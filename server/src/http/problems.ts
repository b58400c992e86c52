import { defineProblem } from '../kit/problem.ts'

export const badRequest = defineProblem('bad-request', 400, 'The request cannot be read.')
export const invalidJson = defineProblem('invalid-json', 400, 'The body is not JSON that Tenure takes.')
export const invalidRequest = defineProblem('invalid-request', 422, 'Something in the request is not as it should be.')
export const valueNotStorable = defineProblem('value-not-storable', 422, 'A value in the request cannot be stored.')
export const noSuchRoute = defineProblem('no-such-route', 404, 'There is nothing at this path.')
export const methodNotAllowed = defineProblem('method-not-allowed', 405, 'This path does not take that method.')
export const bodyTooLarge = defineProblem('body-too-large', 413, 'The body is too large.')
export const mediaTypeNotSupported = defineProblem('media-type-not-supported', 415, 'The body has a type that this route does not take.')
export const rateLimited = defineProblem('rate-limited', 429, 'Too many requests in too short a time.')
export const internalError = defineProblem('internal-error', 500, 'Tenure made a mistake.')
