import { Country, identifier, internal } from '@tenure/contract'
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const code = internal(Type.String({ minLength: 1, maxLength: 60 }))
const name = internal(Type.String({ minLength: 1, maxLength: 200 }))

export const CreateDepartment = Type.Object({ code, name, parent_id: Type.Optional(identifier('dep')) }, closed)
export type CreateDepartment = Static<typeof CreateDepartment>

export const CreateLocation = Type.Object({ code, name, time_zone: internal(Type.String({ minLength: 1, maxLength: 60 })) }, closed)
export type CreateLocation = Static<typeof CreateLocation>

export const CreateLegalEntity = Type.Object({ code, name, country: internal(Country) }, closed)
export type CreateLegalEntity = Static<typeof CreateLegalEntity>
