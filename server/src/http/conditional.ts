import type { FastifyRequest } from 'fastify'
import { defineProblem } from '../kit/problem.ts'

const preconditionFailed = defineProblem('precondition-failed', 412, 'The record has changed since you read it.')

/** The entity tag of a record that counts its versions. Strong: equal tags mean equal content for the same reader. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/**
 * Refuses a change that was made on an older version than `version` (RFC 9110 §13.1.1). Call it after the row is locked,
 * or two changes can both pass. A request without If-Match passes: the last writer wins, as it asked for.
 */
export function requireMatch(request: Pick<FastifyRequest, 'headers'>, version: number): void {
  const given = request.headers['if-match']
  if (given === undefined || given.trim() === '*') return
  const tags = given.split(',').map((tag) => tag.trim())
  if (tags.includes(etagOf(version))) return
  throw preconditionFailed({ detail: 'The `If-Match` header names another version. Read the record again and repeat the change on it.' })
}
