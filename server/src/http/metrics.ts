import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export type ObservedRequest = { readonly method: string; readonly route: string | undefined; readonly status: number; readonly ms: number }

/** The numbers of one process. Other parts add theirs to `registry`. Labels are closed sets: never an id, never a value. */
export type Metrics = { readonly registry: Registry; observeRequest(request: ObservedRequest): void }

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'tenure_http_request_seconds',
    help: 'Requests by pattern of route and class of status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  return {
    registry,
    observeRequest({ method, route, status, ms }) {
      requests.observe({ method, route: route ?? 'none', status: `${Math.floor(status / 100)}xx` }, ms / 1_000)
    },
  }
}

export type MetricsServer = { readonly url: string; close(): Promise<void> }

/** Serves `/metrics` on a port of its own, so that what is open to the world does not tell how it is doing. */
export async function startMetricsServer(
  metrics: Metrics,
  { port, host = '127.0.0.1' }: { port: number; host?: string },
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return response.writeHead(404).end()
    const text = await metrics.registry.metrics()
    response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
