// Generated from the migrated database by `npm run generate`. Do not edit.
import type { ColumnType, Generated } from 'kysely'

/** A value sealed by privacy/, of the field class that the column comment names. */
export type Sealed<_Class extends 'internal' | 'personal' | 'secret'> = Buffer

/** Written as text, read as the value. */
export type Json = ColumnType<unknown, string, string>

export type Tables = {
  'api_key': {
    tenant_id: string
    id: string
    name: string
    starts_with: string
    key_hash: Buffer
    scopes: string[]
    created_at: Generated<Date>
    created_by: string
    expires_at: Date
    revoked_at: Date | null
    last_used_at: Date | null
  }
  'assignment': {
    tenant_id: string
    id: string
    employee_id: string
    employment_id: string
    is_primary: boolean
  }
  'assignment_fact': {
    tenant_id: string
    id: string
    subject_id: string
    valid_from: string
    valid_to: string | null
    valid_during: ColumnType<string, never, never>
    recorded_at: Date
    superseded_at: Date | null
    change_set_id: string
    superseded_by_change_set_id: string | null
    personal: Sealed<'personal'> | null
    secret: Sealed<'secret'> | null
    title: string | null
    department_id: string | null
    location_id: string | null
    manager_employee_id: string | null
    cost_center: string | null
    grade: string | null
    fte: string | null
    weekly_hours: string | null
  }
  'attempt': {
    tenant_id: string
    id: string
    delivery_id: string
    endpoint_id: string
    number: number
    started_at: Date
    duration_ms: number | null
    outcome: string
    status: number | null
    person_id: string | null
    exchange: Sealed<'personal'> | null
  }
  'audit_entry': {
    tenant_id: string
    position: ColumnType<number, never, never>
    id: string
    recorded_at: Generated<Date>
    actor_type: string
    actor_id: string
    source: string
    request_id: string | null
    remote_address: string | null
    action: string
    subject_type: string
    subject_id: string
    change_set_id: string | null
    fields: Generated<Json>
  }
  'candidate': {
    tenant_id: string
    id: string
    person_id: string
    status: string
    stage: string | null
    source: string
    source_id: string | null
    job_title: string | null
    version: Generated<number>
    created_at: Generated<Date>
    hire_digest: Buffer | null
  }
  'change_set': {
    tenant_id: string
    id: string
    recorded_at: Date
    actor_type: string
    actor_id: string
    source: string
    request_id: string | null
  }
  'compensation': {
    tenant_id: string
    id: string
    employee_id: string
    assignment_id: string
  }
  'compensation_fact': {
    tenant_id: string
    id: string
    subject_id: string
    valid_from: string
    valid_to: string | null
    valid_during: ColumnType<string, never, never>
    recorded_at: Date
    superseded_at: Date | null
    change_set_id: string
    superseded_by_change_set_id: string | null
    personal: Sealed<'personal'> | null
    secret: Sealed<'secret'> | null
    pay_group: string | null
    pay_frequency: string
  }
  'delivery': {
    tenant_id: string
    id: string
    endpoint_id: string
    order_key: string
    event_position: number
    event_id: string
    event_type: string
    employee_id: string | null
    previous_event_id: string | null
    state: Generated<string>
    due_at: Generated<Date>
    lease_until: Date | null
    lease_epoch: Generated<number>
    attempts: Generated<number>
    failures: Generated<number>
    failure: string | null
    created_at: Generated<Date>
    settled_at: Date | null
  }
  'department': {
    tenant_id: string
    id: string
    code: string
    name: string
    parent_id: string | null
  }
  'employee': {
    tenant_id: string
    id: string
    person_id: string
    candidate_id: string | null
    employee_number: string
    event_sequence: Generated<number>
    version: Generated<number>
    created_at: Generated<Date>
  }
  'employment': {
    tenant_id: string
    id: string
    employee_id: string
    legal_entity_id: string
  }
  'employment_fact': {
    tenant_id: string
    id: string
    subject_id: string
    valid_from: string
    valid_to: string | null
    valid_during: ColumnType<string, never, never>
    recorded_at: Date
    superseded_at: Date | null
    change_set_id: string
    superseded_by_change_set_id: string | null
    personal: Sealed<'personal'> | null
    secret: Sealed<'secret'> | null
    employee_id: string
    legal_entity_id: string
    employment_type: string
    last_day_worked: string | null
    access_cutoff_at: Date | null
  }
  'endpoint': {
    tenant_id: string
    id: string
    name: string
    url: string
    event_types: string[]
    detail: string
    grants: string[]
    state: Generated<string>
    disabled_reason: string | null
    secret: Sealed<'secret'>
    custom_headers: Sealed<'secret'> | null
    version: Generated<number>
    created_at: Generated<Date>
    created_by: string
  }
  'event': {
    tenant_id: string
    position: ColumnType<number, never, never>
    xid: Generated<string>
    id: string
    type: string
    employee_id: string | null
    order_key: string
    sequence: number | null
    recorded_at: Date
    effective_date: string | null
    source: string
    correlation_id: string
    person_id: string | null
    body: Sealed<'personal'>
  }
  'external_id': {
    tenant_id: string
    system: string
    subject_type: string
    external_id: string
    subject_id: string
  }
  'idempotency_key': {
    tenant_id: string
    credential_id: string
    key: string
    request_hash: Buffer
    status: number
    reply: Sealed<'internal'>
    created_at: Generated<Date>
  }
  'import': {
    tenant_id: string
    id: string
    kind: string
    state: string
    system: string
    dry_run: boolean
    all_or_nothing: boolean
    silent: boolean
    ignored_columns: Generated<string[]>
    rows_total: Generated<number>
    rows_applied: Generated<number>
    rows_unchanged: Generated<number>
    rows_bad: Generated<number>
    failure: string | null
    created_at: Generated<Date>
    created_by: string
    created_by_type: string
    request_id: string | null
    idempotency_key: string | null
    request_hash: Buffer | null
    started_at: Date | null
    lease_until: Date | null
    lease_epoch: Generated<number>
    settled_at: Date | null
  }
  'import_row': {
    tenant_id: string
    import_id: string
    line: number
    part: Generated<number>
    effective_date: string | null
    state: Generated<string>
    row_key: Buffer | null
    changed: Generated<boolean>
    payload: Sealed<'personal'> | null
    faults: Json | null
  }
  'keys.person_key': {
    tenant_id: string
    key_id: string
    person_id: string
    tenant_key_id: string
    wrapped: Buffer
    created_at: Generated<Date>
  }
  'keys.tenant_key': {
    tenant_id: string
    key_id: string
    root_key_id: string
    wrapped: Buffer
    created_at: Generated<Date>
  }
  'legal_entity': {
    tenant_id: string
    id: string
    code: string
    name: string
    country: string
  }
  'location': {
    tenant_id: string
    id: string
    code: string
    name: string
    time_zone: string
  }
  'migration': {
    number: number
    name: string
    digest: string
    applied_at: Generated<Date>
  }
  'person': {
    tenant_id: string
    id: string
    created_at: Generated<Date>
  }
  'person_fact': {
    tenant_id: string
    id: string
    subject_id: string
    valid_from: string
    valid_to: string | null
    valid_during: ColumnType<string, never, never>
    recorded_at: Date
    superseded_at: Date | null
    change_set_id: string
    superseded_by_change_set_id: string | null
    personal: Sealed<'personal'> | null
    secret: Sealed<'secret'> | null
  }
  'scheduled_event': {
    tenant_id: string
    id: string
    employee_id: string
    type: string
    subject_id: string
    effective_date: string
    change_set_id: string
    due_at: Date
    state: Generated<string>
    settled_at: Date | null
  }
  'tenant': {
    tenant_id: string
    name: string
    time_zone: string
    created_at: Generated<Date>
  }
}
