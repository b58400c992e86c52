import { readFile } from 'node:fs/promises'
import type { TypedApp } from './route.ts'

const PAGE = new URL('../../../console/index.html', import.meta.url)

/** The console's page. A placeholder for now. */
export function consoleRoutes(app: TypedApp): void {
  app.get('/', { schema: { operationId: 'getConsole', hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send((await readFile(PAGE, 'utf8')) as never),
  )
}
