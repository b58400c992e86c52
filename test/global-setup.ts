import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../server/src/database/embedded/embedded-postgres.ts'
import { prepareTestCluster } from '../server/src/database/test-database.ts'
import { createLog } from '../server/src/kit/log.ts'

let postgres: EmbeddedPostgres | undefined
let folder: string | undefined

/** One PostgreSQL for all test files; each clones the migrated template. TEST_DATABASE_ADMIN names a server that runs already. */
export async function globalSetup(): Promise<void> {
  if (process.env['TEST_DATABASE_ADMIN']) return
  folder = await mkdtemp(join(tmpdir(), 'tenure-test-'))
  await chmod(folder, 0o755)
  // The data is thrown away with the folder: the tests need its speed, and the crash proofs run on settings of their own.
  postgres = await startEmbeddedPostgres({ folder, log: createLog('silent'), settings: { max_connections: '300', fsync: 'off' } })
  await prepareTestCluster(postgres.admin)
  process.env['TEST_DATABASE_ADMIN'] = JSON.stringify(postgres.admin)
}

export async function globalTeardown(): Promise<void> {
  await postgres?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
}
