import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: Record<string, unknown> & { id: string; type: string }
}

/** How a receiver answers: a status, a status with headers, or never. */
export type Reply = number | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } | 'hang'

export type TestReceiver = {
  readonly url: string
  /** Every request that arrived whole, in order. */
  readonly received: Received[]
  /** TCP connections that were opened. */
  readonly connections: () => number
  /** Decides the answer to what arrives from now on. */
  answer(reply: Reply | ((received: Received) => Reply | Promise<Reply>)): void
  /** Resolves once `count` requests have arrived. */
  arrived(count: number): Promise<void>
  close(): Promise<void>
}

/** A real receiver on loopback, for tests. It answers 200 until told otherwise. */
export async function startReceiver(): Promise<TestReceiver> {
  const received: Received[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const hanging: ServerResponse[] = []
  let decide: (received: Received) => Reply | Promise<Reply> = () => 200
  let connections = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      const one = { headers: request.headers, body, event: JSON.parse(body || '{}') }
      received.push(one)
      for (const { count, resolve } of waiting) if (received.length >= count) resolve()
      const reply = await decide(one)
      if (reply === 'hang') return void hanging.push(response)
      const { status, headers = {}, body: answer = '' } = typeof reply === 'number' ? { status: reply } : reply
      response.writeHead(status, headers).end(answer)
    })
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    connections: () => connections,
    answer: (reply) => {
      decide = typeof reply === 'function' ? reply : () => reply
    },
    arrived: (count) => new Promise((resolve) => (received.length >= count ? resolve() : waiting.push({ count, resolve }))),
    async close() {
      for (const response of hanging) response.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
