import type { Problem } from '../kit/problem.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem as it is answered (RFC 9457). `instance` is the id of the request, under which the log speaks of it. */
export function problemBody({ code, status, title, details }: Problem, requestId: string): string {
  return JSON.stringify({
    type: `/errors/${code}`,
    title,
    status,
    code,
    detail: details.detail,
    instance: requestId,
    errors: details.errors,
    ids: details.ids,
  })
}

/** The headers that a problem brings along. */
export function problemHeaders({ status, details }: Problem): Record<string, string> {
  return {
    'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
    ...(details.retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.ceil(details.retryAfterSeconds)) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="tenure"' } : {}),
  }
}
