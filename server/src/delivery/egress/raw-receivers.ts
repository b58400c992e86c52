import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** A receiver that answers with raw bytes, so that it can be as rude as the network. */
export type RawReceiver = { readonly port: number; readonly requests: string[]; connections: number; close(): Promise<void> }

/** Called for each request that has arrived in full (the tests' bodies are one line ending in a full stop). */
export type Respond = (socket: Socket, request: string, nth: number) => void

/** With `onSocket`, each connection is its to deal with, whatever arrives on it. */
export function openReceiver(respond: Respond, onSocket?: (socket: Socket) => void): Promise<RawReceiver> {
  return listen((read) => createServer(onSocket ?? read), respond)
}

export function openTlsReceiver(options: TlsOptions, respond: Respond): Promise<RawReceiver> {
  return listen((onSocket) => createTlsServer(options, onSocket).on('tlsClientError', () => {}), respond)
}

async function listen(create: (onSocket: (socket: Socket) => void) => Server, respond: Respond): Promise<RawReceiver> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const server = create((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('.')) return
      const request = text
      text = ''
      requests.push(request)
      respond(socket, request, requests.length)
    })
  })
  // Counted below TLS, so that a failed handshake is a connection too.
  server.on('connection', (socket: Socket) => {
    receiver.connections++
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  const receiver: RawReceiver = {
    port: 0,
    requests,
    connections: 0,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(receiver, { port: (server.address() as AddressInfo).port })
}

export type Certificate = { readonly key: string; readonly cert: string }

export type CertificateOptions = {
  /** Left out: a certificate without any name but the CN. */
  readonly names?: string
  readonly cn?: string
  readonly from?: string
  readonly until?: string
  /** Of an RSA key. Left out: an elliptic one, which is made at once. */
  readonly bits?: number
  readonly digest?: string
  readonly isAuthority?: boolean
  /** Left out: signed by the authority itself. */
  readonly issuer?: Certificate
}

export type Authority = Certificate & { issue(options: CertificateOptions): Certificate; remove(): void }

/** A certificate authority of the moment, by the `openssl` command. Undefined where there is none. */
export function createAuthority(): Authority | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-ca-'))
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  writeFileSync(join(folder, 'ca.cnf'), CA_CONFIG)
  try {
    run('req', '-x509', ...QUICK_KEY, '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test Authority')
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  const authority: Certificate = { key: read('ca.key'), cert: read('ca.crt') }
  let serial = 0

  function issue(options: CertificateOptions): Certificate {
    const { names, cn = 'leaf', bits, digest = 'sha256', isAuthority = false, issuer = authority } = options
    const { from = '20200101000000Z', until = '20491231235959Z' } = options
    const name = `leaf${++serial}`
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'index.txt'), '')
    writeFileSync(join(folder, 'serial'), `${serial.toString(16).padStart(4, '0')}\n`)
    writeFileSync(join(folder, 'issuer.key'), issuer.key)
    writeFileSync(join(folder, 'issuer.crt'), issuer.cert)
    writeFileSync(join(folder, 'ext.cnf'), `basicConstraints=CA:${isAuthority}\n${names ? `subjectAltName=${names}\n` : ''}`)
    run(
      'req',
      ...(bits ? ['-newkey', `rsa:${bits}`] : QUICK_KEY),
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${cn}`,
    )
    const days = ['-startdate', from, '-enddate', until]
    run(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      '-md',
      digest,
      ...days,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.crt`,
      '-extfile',
      'ext.cnf',
      '-outdir',
      name,
    )
    return { key: read(`${name}.key`), cert: read(`${name}.crt`) }
  }

  return { ...authority, issue, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const QUICK_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

const CA_CONFIG = `[ca]
default_ca = test
[test]
database = index.txt
serial = serial
certificate = issuer.crt
private_key = issuer.key
unique_subject = no
policy = any
[any]
commonName = supplied
`
