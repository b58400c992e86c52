// The receiver of the benchmarks, in a process of its own: counts what arrives, and tells when.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let received = 0
let bytes = 0
let first = 0
let last = 0
/** Arrival by webhook-id, in milliseconds of the machine's clock. */
let arrivals: Record<string, number> = {}
let sample: { headers: Record<string, unknown>; body: string } | undefined

const now = () => performance.timeOrigin + performance.now()

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    last = now()
    if (received === 0) first = last
    received++
    for (const part of parts) bytes += part.length
    const id = request.headers['webhook-id']
    if (typeof id === 'string') arrivals[id] = last
    sample ??= { headers: request.headers, body: Buffer.concat(parts).toString() }
    response.writeHead(200, { 'content-length': '2' }).end('ok')
  })
})
server.keepAliveTimeout = 60_000

process.on('message', (message) => {
  if (message === 'count') process.send?.(received)
  if (message === 'report') process.send?.({ received, bytes, first, last, arrivals, sample })
  if (message === 'reset') {
    received = bytes = first = last = 0
    arrivals = {}
    process.send?.('reset')
  }
})

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
