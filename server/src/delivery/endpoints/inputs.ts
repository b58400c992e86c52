import { internal, publicField, secret } from '@tenure/contract'
import Type, { type Static } from 'typebox'
import { DETAILS } from '../../events/cut-event.ts'

const MAX_HEADERS = 20

const fields = {
  name: internal(Type.String({ minLength: 1, maxLength: 100, description: 'What it is for, such as "payroll".' })),
  url: internal(Type.String({ minLength: 1, maxLength: 2_048, description: 'Where events are posted to: an https URL.' })),
  event_types: publicField(
    Type.Array(Type.String({ maxLength: 100 }), {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'Types of the catalogue, `subject.*` for all of a subject, or `*` for all.',
    }),
  ),
  detail: publicField(
    Type.Enum([...DETAILS], {
      description: '`ids`: identifiers only. `changed`: the names of the changed fields as well. `full`: values, as far as grants allow.',
    }),
  ),
  grants: publicField(
    Type.Array(Type.String({ maxLength: 200 }), {
      maxItems: 200,
      uniqueItems: true,
      description: 'Personal fields that are sent: paths such as `person.email` or `compensation`, or `personal` for all of them.',
    }),
  ),
  custom_headers: secret(
    Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Type.String({ maxLength: 4_096 }), {
      maxProperties: MAX_HEADERS,
      description: 'Headers that are added to each request. Their values are sealed and never shown again.',
    }),
  ),
}

export const CreateEndpoint = Type.Object(
  {
    name: fields.name,
    url: fields.url,
    event_types: fields.event_types,
    detail: Type.Optional(fields.detail),
    grants: Type.Optional(fields.grants),
    custom_headers: Type.Optional(fields.custom_headers),
    secret: Type.Optional(
      secret(
        Type.String({
          maxLength: 120,
          description: 'Your own signing secret: `whsec_` and 24 to 64 bytes in base64. Left out: a new one.',
        }),
      ),
    ),
  },
  { additionalProperties: false },
)
export type CreateEndpoint = Static<typeof CreateEndpoint>

export const UpdateEndpoint = Type.Object(
  {
    name: Type.Optional(fields.name),
    url: Type.Optional(fields.url),
    event_types: Type.Optional(fields.event_types),
    detail: Type.Optional(fields.detail),
    grants: Type.Optional(fields.grants),
    custom_headers: Type.Optional(fields.custom_headers),
    state: Type.Optional(
      publicField(
        Type.Enum(['active', 'paused'], {
          description: 'A paused endpoint keeps what is meant for it. `active` also revives a disabled one.',
        }),
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type UpdateEndpoint = Static<typeof UpdateEndpoint>
