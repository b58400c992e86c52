import { once } from 'node:events'
import { createServer } from 'node:net'

const TRIES = 100

/** The wanted port where it is free, else the next one that is. 0 takes any. */
export async function findFreePort(host: string, wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + TRIES && port <= 65_535; port++) {
    const free = await tryPort(host, port)
    if (free !== undefined) return free
  }
  throw new Error(`None of the ports from ${wanted} on is free on ${host}.`)
}

async function tryPort(host: string, port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return (server.address() as { port: number }).port
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined
    throw error
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
}
