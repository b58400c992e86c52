import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { parse } from 'yaml'
import { CliError, EXIT } from './exit.ts'
import { awaitImport, type Import, reportImport } from './imports.ts'
import { createProgress, type Progress } from './progress.ts'
import { type ApiFlags, openSession } from './session.ts'

type ImportFlags = ApiFlags & {
  readonly file: string
  readonly map?: string
  readonly system?: string
  readonly dryRun?: boolean
  readonly allOrNothing?: boolean
  readonly silent?: boolean
}

/** A header may hold 16 KiB, of which others want some. */
const MAX_MAPPING = 12_000

/** Streams a file to the API, waits until it is applied, and reports every row that was not. Fails where there were bad rows. */
export async function importFile(kind: string, { file, map, system, dryRun, allOrNothing, silent, ...flags }: ImportFlags): Promise<void> {
  const session = openSession(flags)
  const headers = map ? { 'tenure-import-map': await readMapping(map) } : {}
  const total = await sizeOf(file)
  const progress = createProgress(session.terminal)
  let settled: Import
  try {
    const bytes = ReadableStream.from(counted(file, total, progress)) as ReadableStream<Uint8Array>
    const { id } = await session.api.send<{ id: string }>('POST', '/v1/imports', {
      query: { kind, system, dry_run: dryRun, all_or_nothing: allOrNothing, silent },
      headers,
      stream: { bytes, type: 'text/csv' },
    })
    settled = await awaitImport(session, id, progress)
  } finally {
    progress.end()
  }
  await reportImport(session, settled)
}

/** The size of the file, or 0 where nobody knows it. */
async function sizeOf(file: string): Promise<number> {
  if (file === '-') return 0
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new CliError(EXIT.usage, `There is no file ${file}.`)
  return found.size
}

async function* counted(file: string, total: number, progress: Progress): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
    yield chunk
    sent += chunk.length
    progress.update('Sending', sent, total)
  }
}

async function readMapping(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CliError(EXIT.usage, `There is no file ${path}.`)
  })
  let mapping: unknown
  try {
    mapping = parse(text)
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} is not YAML: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
  }
  const encoded = Buffer.from(JSON.stringify(mapping)).toString('base64url')
  if (encoded.length > MAX_MAPPING) throw new CliError(EXIT.usage, `${path} is too large: a mapping has at most 9,000 bytes.`)
  return encoded
}
