import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { problemKinds } from '../kit/problem.ts'
import { ERROR_PAGES } from './error-pages.ts'
import { createTestServer, type TestServer } from './test-server.ts'

describe('every code of a problem', () => {
  let server: TestServer
  before(async () => {
    await importProduct()
    server = await createTestServer()
  })
  after(() => server.stop())

  it('has a page in docs/errors whose heading names the code and the status', async () => {
    assert.ok(problemKinds().length > 15)
    const missing: string[] = []
    for (const { code, status } of problemKinds()) {
      const page = await readFile(new URL(`${code}.md`, ERROR_PAGES), 'utf8').catch(() => '')
      if (!page.startsWith(`# ${code} (${status})\n`)) missing.push(`# ${code} (${status})`)
    }
    assert.deepEqual(missing, [], 'These pages are missing in docs/errors, or have another heading.')
  })

  it('is served as a page that says what it means', async () => {
    for (const { code } of problemKinds()) {
      const reply = await server.app.inject(`/errors/${code}`)
      assert.equal(reply.statusCode, 200)
      assert.ok(reply.body.includes(`<h1>${code} (`), code)
    }
  })

  it('has a page that is inert: nothing in it runs, and Markdown is there for who asks', async () => {
    const reply = await server.app.inject('/errors/unauthenticated')
    assert.match(String(reply.headers['content-security-policy']), /^default-src 'none'/)
    const markdown = await server.app.inject({ url: '/errors/unauthenticated', headers: { accept: 'text/markdown' } })
    assert.match(markdown.body, /^# unauthenticated \(401\)/)
  })

  it('that nobody declared has none, and no path reaches another file', async () => {
    for (const code of ['nothing', '..%2f..%2fpackage', '%2e%2e', 'README']) {
      assert.equal((await server.app.inject(`/errors/${code}`)).json().code, 'no-such-route')
    }
  })
})

/** Loads every module that declares problems, so that the list is that of the whole product and not of what this test needs. */
async function importProduct(): Promise<void> {
  const source = new URL('../', import.meta.url)
  const files = await readdir(source, { recursive: true })
  const declaring: string[] = []
  for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
    if ((await readFile(new URL(file, source), 'utf8')).includes('defineProblem(')) declaring.push(file)
  }
  for (const file of declaring) await import(new URL(file, source).href)
}
