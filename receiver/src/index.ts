export type { WebhookAnswer } from './answers.ts'
export type { AnyEvent, Envelope, EventMap, EventType } from './event-types.ts'
export { Gone, InProgress, RetryLater } from './handler-errors.ts'
export type { Inbox, InboxEvent } from './inbox.ts'
export { type OnceInMemoryOptions, onceInMemory } from './once-in-memory.ts'
export {
  createReceiver,
  type Handler,
  type HandlerContext,
  type IncomingHeaders,
  type IncomingRequest,
  type Receiver,
  type ReceiverOptions,
} from './receiver.ts'
