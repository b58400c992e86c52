/** Types alone: the catalogue's schemas, and the library they are written with, do not reach a receiver at run time. */
export type { AnyEvent, Envelope, EventMap, EventType } from '@tenure/contract'
