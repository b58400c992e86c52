import { defineProblem } from '../kit/problem.ts'

export const unauthenticated = defineProblem('unauthenticated', 401, 'A valid API key is needed.')
export const keyNotFound = defineProblem('key-not-found', 404, 'There is no such API key.')
export const scopeNotHeld = defineProblem('scope-not-held', 403, 'A key can only be given scopes that its creator has.')
export const expiryNotAllowed = defineProblem('expiry-not-allowed', 422, 'A key cannot expire at that time.')
