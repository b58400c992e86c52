import { CANDIDATE_STATUSES, internal, PersonRecord, publicField } from '@tenure/contract'
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const stage = Type.Optional(internal(Type.String({ minLength: 1, maxLength: 60 })))

export const CreateCandidate = Type.Object(
  {
    person: PersonRecord,
    /** The system that the candidate comes from, and the id there: together unique. */
    source: Type.Optional(internal(Type.String({ minLength: 1, maxLength: 60 }))),
    source_id: Type.Optional(internal(Type.String({ minLength: 1, maxLength: 120 }))),
    job_title: Type.Optional(internal(Type.String({ minLength: 1, maxLength: 200 }))),
    stage,
  },
  closed,
)
export type CreateCandidate = Static<typeof CreateCandidate>

/** Hiring is a command of its own, so `hired` cannot be set here. */
export const ChangeCandidateStatus = Type.Object(
  { status: Type.Optional(publicField(Type.Enum(CANDIDATE_STATUSES.filter((status) => status !== 'hired')))), stage },
  { ...closed, minProperties: 1 },
)
export type ChangeCandidateStatus = Static<typeof ChangeCandidateStatus>
