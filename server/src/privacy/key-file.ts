import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A root key: wraps the keys of tenants, never a value. It lives outside the database. */
export type RootKey = { readonly id: string; readonly secret: Buffer }

/** The first key wraps what is new; all of them unwrap. */
export type RootKeys = readonly [RootKey, ...RootKey[]]

const LINE = /^([a-z0-9-]{1,40}) ([A-Za-z0-9+/]{43}=)$/

/** Reads the key file: one line a key, `<id> <32 bytes in base64>`, the newest first. Refuses one that others can read. */
export async function readKeyFile(path: string): Promise<RootKeys> {
  const found = await stat(path).catch(() => undefined)
  if (!found)
    throw new Error(
      `There is no key file at ${path}. Run \`tenure init\` to make one, or restore it from your backup: without it, sealed data cannot be read.`,
    )
  if ((found.mode & 0o077) !== 0) throw new Error(`The key file ${path} can be read by others. Run: chmod 0400 ${path}`)
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const keys = lines.map((line, at) => {
    const [, id, secret] = LINE.exec(line) ?? []
    if (!id || !secret) throw new Error(`Line ${at + 1} of the key file ${path} is not \`<id> <32 bytes in base64>\`.`)
    return { id, secret: Buffer.from(secret, 'base64') }
  })
  const [first, ...rest] = keys
  if (!first) throw new Error(`The key file ${path} holds no key.`)
  if (keys.some(({ secret }) => secret.every((byte) => byte === secret[0])))
    throw new Error(`The key file ${path} holds a sample key. Run \`tenure init\` to make a real one.`)
  return [first, ...rest]
}

/** Makes a key file of mode 0400 and answers true, or leaves an existing one alone. */
export async function createKeyFile(path: string): Promise<boolean> {
  // Entered by others, but not read: the embedded server's account has its data below the same folder.
  await mkdir(dirname(path), { recursive: true, mode: 0o711 })
  const file = await open(path, 'wx', 0o400).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  if (!file) return false
  try {
    await file.writeFile(
      `# Root keys of Tenure. Keep a copy apart from the database: without it, sealed data cannot be read.\nroot-1 ${randomBytes(32).toString('base64')}\n`,
    )
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(path, 0o400)
  return true
}
