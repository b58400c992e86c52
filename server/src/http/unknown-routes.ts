import { answerProblem } from './error-handling.ts'
import { methodNotAllowed, noSuchRoute } from './problems.ts'
import type { TypedApp } from './route.ts'

/** Answers paths that nothing is at, and tells a known path with another method apart from them. */
export function answerUnknownRoutes(app: TypedApp): void {
  const methods = new Map<string, { readonly matches: RegExp; readonly names: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? { matches: pattern(url), names: new Set() }
    for (const name of [method].flat()) known.names.add(name)
    methods.set(url, known)
  })
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = [...methods.values()].filter(({ matches }) => matches.test(path)).flatMap(({ names }) => [...names])
    if (allowed.length === 0) return answerProblem(noSuchRoute(), request, reply)
    return answerProblem(methodNotAllowed(), request, reply.header('allow', [...new Set(allowed)].sort().join(', ')))
  })
}

/** The pattern of a route as a regular expression without nesting: linear on any path. */
function pattern(url: string): RegExp {
  const steps = url.split('/').map((step) => {
    if (step.startsWith(':')) return '[^/]+'
    return step.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  })
  return new RegExp(`^${steps.join('/')}$`)
}
