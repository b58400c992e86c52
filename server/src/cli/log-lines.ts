import type { DestinationStream } from 'pino'

export type LogLine = { readonly level: number; readonly msg?: string } & Readonly<Record<string, unknown>>

/** pino's numbers of the levels. */
export const LEVEL = { info: 30, warn: 40, error: 50 } as const

/** A destination for the log of this process that hands each line on as an object instead of writing it. */
export function readLogLines(onLine: (line: LogLine) => void): DestinationStream {
  return { write: (text) => onLine(JSON.parse(text) as LogLine) }
}
