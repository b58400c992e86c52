import { connect as connectTcp, isIP } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { isGlobalAddress } from './address-class.ts'
import { createConnector } from './connector.ts'
import { PUBLIC_ONLY } from './egress-policy.ts'
import { bareHost } from './egress-url.ts'
import type { Resolver } from './resolve-host.ts'
import type { Guard } from './ssrf-harness.ts'

/**
 * Guards as they are often written, each with the one fault that its name tells. The harness must catch every one of them,
 * or its silence about ours would mean nothing.
 */
export const BROKEN_GUARDS: Readonly<Record<string, Guard>> = {
  'no guard': (url, resolver) => post(url, buildConnector(through(resolver))),

  'lookup hook only': (url, resolver) => {
    return post(url, buildConnector(through(async (host) => allPublic(await resolver(host)))))
  },

  'first answer only': (url, resolver) => {
    const firstJudged: Resolver = async (host) => {
      const answers = await resolver(host)
      allPublic(answers.slice(0, 1))
      return answers
    }
    return post(url, refusingLiterals(buildConnector(through(firstJudged))))
  },

  'check, then request': async (url, resolver) => {
    const host = bareHost(new URL(url).hostname)
    allPublic(isIP(host) ? [{ address: host }] : await resolver(host))
    return post(url, buildConnector(through(resolver)))
  },

  'opens before it judges': (url, resolver) => {
    const connector: buildConnector.connector = ({ hostname }, callback) => {
      const socket = connectTcp({ host: bareHost(hostname), port: 443, ...through(resolver) })
      socket.once('connect', () => socket.destroy(new Error(isGlobalAddress(socket.remoteAddress ?? '') ? 'public' : 'inside')))
      socket.once('error', (error) => callback(error, null))
    }
    return post(url, connector)
  },
}

/** The connector of ours without the URL rules before it: each must hold alone. */
export const connectorAlone: Guard = (url, resolver) => {
  return post(url, createConnector({ policy: PUBLIC_ONLY, resolver, timeoutMs: 2_000 }))
}

async function post(url: string, connect: buildConnector.connector): Promise<void> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connect, connections: 1, allowH2: false })
  try {
    await pool.request({ path: pathname, method: 'POST', body: '{}' })
  } finally {
    await pool.destroy()
  }
}

function refusingLiterals(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) => {
    const host = bareHost(target.hostname)
    if (isIP(host) && !isGlobalAddress(host)) callback(new Error('inside'), null)
    else connect(target, callback)
  }
}

function allPublic<Answers extends readonly { address: string }[]>(answers: Answers): Answers {
  if (!answers.every(({ address }) => isGlobalAddress(address))) throw new Error('inside')
  return answers
}

/** A resolver as the `lookup` option of node:net wants it. */
function through(resolver: Resolver): { timeout: number; lookup: NonNullable<import('node:net').TcpNetConnectOpts['lookup']> } {
  return {
    timeout: 2_000,
    lookup: (host, _options, done) => {
      resolver(host).then(
        (answers) => done(null, answers as { address: string; family: number }[]),
        (error: Error) => done(error, []),
      )
    },
  }
}
