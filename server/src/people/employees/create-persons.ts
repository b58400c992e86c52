import type { Change } from '../../events/change.ts'
import { newId } from '../../kit/ids.ts'
import type { DataKey } from '../../privacy/sealed-value.ts'

const INSERT_PERSONS = { name: 'insert-persons', text: 'insert into person (tenant_id, id) select $1, * from unnest($2::text[])' }

/** Makes a person with a key of its own for each input that names none, and answers the key of every one. */
export async function createPersons(
  change: Change,
  inputs: readonly { readonly personId?: string }[],
): Promise<{ personId: string; key: DataKey }[]> {
  const { tx, vault } = change
  const made = inputs.filter(({ personId }) => !personId).map(() => newId('per'))
  if (made.length > 0) await tx.scope.run(INSERT_PERSONS, [tx.scope.tenantId, made])
  const fresh = made.length > 0 ? await vault.createPersonKeys(tx, made) : new Map<string, DataKey>()
  const known = await vault.personKeys(
    tx,
    inputs.flatMap(({ personId }) => (personId ? [personId] : [])),
  )
  return inputs.map((input) => {
    const personId = input.personId ?? made.pop()!
    const key = fresh.get(personId) ?? known.get(personId)
    if (!key) throw new Error('The key of a person is gone.')
    return { personId, key }
  })
}
