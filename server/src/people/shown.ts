import { identifier, publicField } from '@tenure/contract'
import Type from 'typebox'

/** What the answers of people/ have in common. */
export const version = publicField(Type.Integer({ description: 'Rises with every change; the ETag of the record.' }))
export const Changed = Type.Object({
  changed: publicField(Type.Boolean({ description: 'False: nothing was different, so nothing was written or sent.' })),
})
export const Hired = Type.Object({ employee_id: identifier('emp'), employment_id: identifier('ept') })
export const IdCursor = Type.Tuple([Type.String()])

/** A record whose fields follow the classes that the reader may see; those that it may not are named in `restricted`. */
export const Record = Type.Object({ id: publicField(Type.String()), version }, { additionalProperties: true })
