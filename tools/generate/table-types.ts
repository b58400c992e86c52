import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../server/src/database/embedded/embedded-postgres.ts'
import { generateTableTypes } from '../../server/src/database/generate-table-types.ts'
import { migrate } from '../../server/src/database/migrate.ts'
import { prepareCluster } from '../../server/src/database/roles.ts'
import { createLog } from '../../server/src/kit/log.ts'

/** Writes server/src/database/tables.ts from a database that has just run every migration, and is thrown away after. */
async function writeTableTypes({ check }: { check: boolean }): Promise<boolean> {
  const log = createLog('silent')
  const folder = await mkdtemp(join(tmpdir(), 'tenure-types-'))
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ folder, log, settings: { fsync: 'off' } })
  try {
    const database = 'tenure_types'
    await prepareCluster(postgres.admin, { database, ownerPassword: 'owner', serverPassword: 'server' })
    await migrate({ ...postgres.admin, database, user: 'tenure_owner', password: 'owner' }, log)
    return await generateTableTypes({ ...postgres.admin, database }, { check })
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const check = process.argv.includes('--check')
const current = await writeTableTypes({ check })
if (check && !current) {
  console.error('server/src/database/tables.ts is not what the migrations make')
  process.exitCode = 1
}
