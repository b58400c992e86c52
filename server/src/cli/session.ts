import { type Api, connectApi } from './api.ts'
import { type ConnectionFlags, resolveProfile } from './profile.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** The options that every command which asks the API has. */
export type ApiFlags = ConnectionFlags & { readonly json?: boolean }

export type Session = { readonly api: Api; readonly terminal: Terminal }

export function openSession(flags: ApiFlags): Session {
  return { api: connectApi(resolveProfile(flags, process.env)), terminal: createTerminal({ json: flags.json }) }
}
