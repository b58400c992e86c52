import type { ActorReference, Source } from '@tenure/contract'

/** An event as the log keeps it: everything, before any endpoint's cut. Sealed as this exact JSON. */
export type StoredEvent = {
  readonly id: string
  readonly type: string
  readonly api_version: string
  readonly timestamp: string
  readonly recorded_at: string
  readonly effective_date: string | null
  readonly retroactive: boolean
  readonly tenant: string
  readonly employee_id: string | null
  readonly employment_id: string | null
  readonly status: string | null
  readonly sequence: number | null
  readonly actor: ActorReference
  readonly source: Source
  readonly correlation_id: string
  readonly causation_id: string | null
  readonly data: Record<string, unknown>
  readonly changed: readonly string[]
  readonly previous_attributes: Record<string, unknown>
  readonly links: { readonly self: string | null }
}
