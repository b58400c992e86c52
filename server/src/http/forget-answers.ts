import type { Database } from '../database/database.ts'

const KEPT_FOR = '7 days'
const BATCH = 5_000

/** Deletes stored answers whose idempotency key nobody can still be waiting on, for every tenant, and says how many. */
export async function forgetAnswersOnce(database: Database): Promise<number> {
  const tenants = await database.asWorker<{ tenant_id: string }>({ name: 'list-tenants', text: 'select tenant_id from tenant' })
  let forgotten = 0
  for (const { tenant_id } of tenants) {
    const [row] = await database.withTenant(tenant_id, (tx) => tx.scope.run<{ forgotten: number }>(FORGET, [tenant_id, KEPT_FOR, BATCH]))
    forgotten += row?.forgotten ?? 0
  }
  return forgotten
}

const FORGET = {
  name: 'forget-idempotent-answers',
  text: `
    with old as (
      select credential_id, key from idempotency_key where tenant_id = $1 and created_at < now() - $2::interval limit $3
    ), gone as (
      delete from idempotency_key i using old
       where i.tenant_id = $1 and i.credential_id = old.credential_id and i.key = old.key returning 1
    )
    select count(*)::int as forgotten from gone`,
}
