import { readFile } from 'node:fs/promises'
import type { TypedApp } from './route.ts'

const PAGE = new URL('../../../console/index.html', import.meta.url)

/** The page has a style of its own and nothing else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The console's page. A placeholder for now. */
export function consoleRoutes(app: TypedApp): void {
  app.get('/', { schema: { operationId: 'getConsole', hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', POLICY)
      .send((await readFile(PAGE, 'utf8')) as never),
  )
}
