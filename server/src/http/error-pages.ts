import { readFile } from 'node:fs/promises'
import Type from 'typebox'
import { problemKinds } from '../kit/problem.ts'
import { noSuchRoute } from './problems.ts'
import type { RoutePlugin } from './route.ts'

/** Where each problem code has its page. */
export const ERROR_PAGES = new URL('../../../docs/errors/', import.meta.url)

/** `/errors/<code>`: what a problem's `type` leads to. Only declared codes are looked up, so no path of a caller's is read. */
export const errorPageRoutes: RoutePlugin = (app) => {
  app.get('/errors/:code', { schema: { hide: true, params: Type.Object({ code: Type.String() }) } }, async (request, reply) => {
    const kind = problemKinds().find(({ code }) => code === request.params.code)
    if (!kind) throw noSuchRoute({ detail: 'No problem has this code.' })
    const markdown = await readFile(new URL(`${kind.code}.md`, ERROR_PAGES), 'utf8').catch(
      () => `# ${kind.code} (${kind.status})\n\n${kind.title}\n`,
    )
    reply.header('cache-control', 'public, max-age=3600')
    if (request.headers.accept?.includes('text/markdown')) return reply.type('text/markdown; charset=utf-8').send(markdown)
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(htmlPage(kind.code, markdown))
  })
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}pre{white-space:pre-wrap;font:inherit}h1{font-size:1.4rem}'

/** The page as text that reads well: headings, bold and code are marked up, tables stay as they were written. */
function htmlPage(title: string, markdown: string): string {
  const text = markdown
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/^# (.+)$/gm, '<h1>$1</h1>')
    .replaceAll(/\*\*([^*\n]+)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/`([^`\n]+)`/g, '<code>$1</code>')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style><body><pre>${text}</pre></body></html>`
}
