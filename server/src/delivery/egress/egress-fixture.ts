import { type EgressPolicy, PUBLIC_ONLY } from './egress-policy.ts'
import type { SendResult } from './exchange.ts'
import { openReceiver, type RawReceiver, type Respond } from './raw-receivers.ts'
import { createEgress, type Egress, type EgressOptions } from './send.ts'

/** The deadline of the tests' requests. */
export const TIMEOUT_MS = 600
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

const LOOPBACK: EgressPolicy = { ...PUBLIC_ONLY, loopbackPorts: 'any' }

const open: { close(): Promise<void> }[] = []

/** Ends what a test has opened. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((thing) => thing.close()))
}

/** A way out that may reach receivers on this machine, with short times. */
export function egressWith(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ policy: LOOPBACK, timeoutMs: TIMEOUT_MS, connectTimeoutMs: 300, ...options })
  open.push(egress)
  return egress
}

export async function receiverWith(respond: Respond): Promise<RawReceiver> {
  const receiver = await openReceiver(respond)
  open.push(receiver)
  return receiver
}

export function post(
  egress: Egress,
  port: number,
  { path = '/hook', pool = 'tenant/endpoint', headers = {} }: { path?: string; pool?: string; headers?: object } = {},
): Promise<SendResult> {
  return egress.send({ url: `http://127.0.0.1:${port}${path}`, method: 'POST', headers: { ...headers }, body: '{"a":1}.', pool })
}

export const writes =
  (text: string): Respond =>
  (socket) =>
    socket.write(text, 'latin1')
