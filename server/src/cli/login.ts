import { createInterface } from 'node:readline/promises'
import { connectApi } from './api.ts'
import { CliError, EXIT } from './exit.ts'
import { userProfilePath, writeProfile } from './profile.ts'
import { createTerminal } from './terminal.ts'

/** Keeps a profile that works: the key is tried before it is written down. */
export async function logIn({ url }: { readonly url: string }): Promise<void> {
  const terminal = createTerminal()
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new CliError(EXIT.usage, `${url} is not a URL of an API.`)
  const key = process.env.TENURE_API_KEY || (await readKey(terminal.interactive))
  if (!key) throw new CliError(EXIT.usage, 'No key was given.', ['Set TENURE_API_KEY, or write the key to standard input.'])
  const profile = { url: url.replace(/\/+$/, ''), key }
  await tryKey(profile)
  const path = userProfilePath(process.env)
  await writeProfile(path, profile)
  terminal.out(`Logged in at ${profile.url}. The profile is ${path}, readable by you alone.`)
}

/** Any answer but "who are you" will do: a key need not have the scope for lists. */
async function tryKey(profile: { url: string; key: string }): Promise<void> {
  try {
    await connectApi(profile).get('/v1/endpoints', { limit: 1 })
  } catch (error) {
    if (error instanceof CliError && error.facts.status === 403) return
    throw error
  }
}

async function readKey(interactive: boolean): Promise<string> {
  const lines = createInterface({ input: process.stdin, ...(interactive ? { output: process.stderr } : {}) })
  try {
    return (await lines.question(interactive ? 'API key: ' : '')).trim()
  } finally {
    lines.close()
  }
}
