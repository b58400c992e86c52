import { Buffer } from 'node:buffer'
import { type Actor, systemActor } from '../access/actor.ts'
import { createLog } from '../kit/log.ts'
import type { Company } from '../people/testing/company.ts'
import { type ApplyOptions, applyImportsOnce } from './apply-imports.ts'
import type { BadRowView, ImportView } from './queries.ts'
import { getImport, listBadRows } from './queries.ts'
import { type ImportOrder, receiveImport } from './receive-import.ts'

export const importer: Actor = systemActor('importer', 'api')
const log = createLog('silent')

export async function* stream(text: string, size = 16_384): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Lets imports have their turns until none is open. */
export async function applyAll({ ground }: Company, options: ApplyOptions = {}): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) if ((await applyImportsOnce(ground, log, options)) === 0) return
  throw new Error('The imports do not come to an end.')
}

export function receive(company: Company, order: Omit<ImportOrder, 'system'> & { system?: string }, csv: string) {
  return receiveImport(company.ground, company.tenantId, importer, { system: 'test', ...order }, stream(csv))
}

export type Imported = ImportView & { readonly badRows: BadRowView[] }

export function look({ database, tenantId }: Company, id: string): Promise<Imported> {
  return database.withTenant(tenantId, async (tx) => ({
    ...(await getImport(tx, importer, id)),
    badRows: await listBadRows(tx, importer, id, 0, 1_000),
  }))
}

/** Imports a file to its end. */
export async function importCsv(
  company: Company,
  order: Omit<ImportOrder, 'system'> & { system?: string },
  csv: string,
  options: ApplyOptions = {},
): Promise<Imported> {
  const { id } = await receive(company, order, csv)
  await applyAll(company, options)
  return look(company, id)
}
