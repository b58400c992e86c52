import type { AddressInfo } from 'node:net'
import { createAuthenticator } from './access/authenticate.ts'
import type { Config } from './config.ts'
import { createDeliveryMetrics } from './delivery/delivery-metrics.ts'
import { deliveryRoutes } from './delivery/delivery-routes.ts'
import { createDispatcher } from './delivery/dispatcher.ts'
import type { EgressPolicy } from './delivery/egress/egress-policy.ts'
import { parsePrivateTargets } from './delivery/egress/egress-policy.ts'
import { createEgress } from './delivery/egress/send.ts'
import { endpointRoutes } from './delivery/endpoint-routes.ts'
import { eventRoutes } from './delivery/event-routes.ts'
import { createRemoteHandOver } from './delivery/remote-hand-over.ts'
import type { Ground } from './events/change.ts'
import { auditRoutes } from './http/audit-routes.ts'
import { consoleRoutes } from './http/console-page.ts'
import { forgetAnswersOnce } from './http/forget-answers.ts'
import { keyRoutes } from './http/key-routes.ts'
import { createMetrics, startMetricsServer } from './http/metrics.ts'
import { buildServer } from './http/server.ts'
import { applyImportsOnce } from './intake/apply-imports.ts'
import { importRoutes } from './intake/routes.ts'
import { systemClock } from './kit/clock.ts'
import type { Log } from './kit/log.ts'
import { poll } from './kit/poll.ts'
import { random } from './kit/random.ts'
import type { OpenedGround } from './open-ground.ts'
import { candidateRoutes } from './people/candidates/routes.ts'
import { openDueEvents } from './people/employees/open-due-events.ts'
import { employeeRoutes } from './people/employees/routes.ts'
import { organisationRoutes } from './people/organisation/routes.ts'

export type App = {
  /** Where the API answers; null for a worker. */
  readonly url: string | null
  readonly metricsUrl: string
  readonly ground: Ground
  stop(): Promise<void>
}

const OPENING_MS = 1_000
const IMPORTING_MS = 500
const FORGETTING_MS = 3_600_000

/** Builds the whole system from its configuration, in the order in which the parts need each other. */
export async function startApp(config: Config, log: Log, { ground: { database, vault } }: OpenedGround): Promise<App> {
  const stopping = new AbortController()
  const metrics = createMetrics()
  const policy = egressPolicy(config)
  const works = config.ROLE !== 'api'
  const answers = config.ROLE !== 'worker'

  const egress = createEgress({ policy })
  const dispatcher = createDispatcher({
    database,
    vault,
    egress,
    log,
    clock: systemClock,
    random,
    metrics: createDeliveryMetrics(metrics.registry),
  })
  const handOver = works ? dispatcher.handOver : createRemoteHandOver(database, log)
  const ground: Ground = { database, vault, handOver }

  const server = buildServer({
    ground,
    log,
    authenticate: createAuthenticator(database),
    metrics,
    limits: { perKey: { perSecond: config.RATE_LIMIT_PER_SECOND, burst: config.RATE_LIMIT_PER_SECOND } },
    ...(config.TRUSTED_PROXIES ? { trustProxy: config.TRUSTED_PROXIES.split(',').map((address) => address.trim()) } : {}),
    publicRoutes: [consoleRoutes],
    routes: [
      candidateRoutes,
      employeeRoutes,
      organisationRoutes,
      endpointRoutes(policy),
      deliveryRoutes,
      eventRoutes,
      importRoutes,

      keyRoutes,
      auditRoutes,
    ],
  })
  const measured = await startMetricsServer(metrics, { port: config.METRICS_PORT })
  if (answers) await server.listen({ host: config.HOST, port: config.PORT })

  const every = (name: string, idleMs: number, work: () => Promise<number>) => poll(work, { idleMs, signal: stopping.signal, log, name })
  const loops = works
    ? [
        dispatcher.run(stopping.signal),
        every('scheduled-events', OPENING_MS, () => openDueEvents(ground)),
        every('imports', IMPORTING_MS, () => applyImportsOnce(ground, log, { signal: stopping.signal })),
        every('forget-answers', FORGETTING_MS, () => forgetAnswersOnce(database)),
      ]
    : []

  return {
    url: answers ? urlOf(config.HOST, server.server.address() as AddressInfo) : null,
    metricsUrl: measured.url,
    ground,
    async stop() {
      await server.close()
      stopping.abort()
      await Promise.all(loops)
      await egress.close()
      await measured.close()
    },
  }
}

/** What endpoints may name is the operator's to say, in the configuration file. */
function egressPolicy({ file: { egress = {} } }: Config): EgressPolicy {
  return {
    allowedPrivate: parsePrivateTargets(egress.private_targets ?? []),
    extraPorts: egress.extra_ports ?? [],
    loopbackPorts: egress.loopback_ports ?? [],
  }
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`
}
