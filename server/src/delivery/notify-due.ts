import type { Tx } from '../database/tenant-transaction.ts'

/** Tells every process at commit that something has become due: a hint, which may be lost. */
export async function notifyDue(tx: Tx): Promise<void> {
  await tx.scope.run({ name: 'notify-due', text: "select pg_notify('delivery_due', '')" }, [])
}
