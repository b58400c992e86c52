import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { connectApi } from './api.ts'

async function withServer(listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

describe('the client of the API', () => {
  it('gives up on a server that does not answer, with the code of its own for that', async () => {
    await withServer(
      () => {},
      async (url) => {
        await assert.rejects(connectApi({ url, key: 'k' }).send('GET', '/v1/events', { timeoutMs: 50 }), { exitCode: 5 })
      },
    )
  })

  it('follows no redirect: the key is for one host', async () => {
    const asked: (string | undefined)[] = []
    await withServer(
      (request, response) => {
        asked.push(request.url)
        response.writeHead(307, { location: '/elsewhere' }).end()
      },
      async (url) => {
        await assert.rejects(connectApi({ url, key: 'k' }).get('/v1/events'), { exitCode: 1 })
      },
    )
    assert.deepEqual(asked, ['/v1/events'])
  })

  it('says in a sentence that the answer is not Tenure\u2019s', async () => {
    await withServer(
      (_request, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
      async (url) => {
        await assert.rejects(connectApi({ url, key: 'k' }).get('/v1/events'), { exitCode: 1, message: 'The API answered 502.' })
      },
    )
  })

  it('reads a list to its end, or as far as it was asked to', async () => {
    const pages: Record<string, unknown> = { '': { data: [1, 2], next_cursor: 'b' }, b: { data: [3], next_cursor: null } }
    await withServer(
      (request, response) => {
        const { searchParams } = new URL(request.url!, 'http://x')
        response.end(JSON.stringify(pages[searchParams.get('cursor') ?? '']))
      },
      async (url) => {
        const api = connectApi({ url, key: 'k' })
        assert.deepEqual(await Array.fromAsync(api.list('/v1/things')), [1, 2, 3])
        assert.deepEqual(await Array.fromAsync(api.list('/v1/things', {}, 2)), [1, 2])
      },
    )
  })
})
