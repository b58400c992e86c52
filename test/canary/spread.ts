import { randomUUID } from 'node:crypto'
import { CompensationComponent, PersonRecord, Termination } from '@tenure/contract'
import type { Canaries } from './canaries.ts'
import type { Answer, Platform } from './platform.ts'

/** Puts canaries into every personal and secret field, through the API, and answers what it was refused with. */
export async function spreadByApi(platform: Platform, canaries: Canaries, employees: number): Promise<{ refusals: Answer[] }> {
  await createEndpoints(platform, canaries)
  for (let count = 0; count < employees; count++) await liveOneLife(platform, canaries, count)
  return { refusals: await sendBadInput(platform, canaries) }
}

async function createEndpoints(platform: Platform, canaries: Canaries): Promise<void> {
  for (const path of ['/accept', '/refuse']) {
    const secret = canaries.keep(`whsec_${Buffer.from(randomUUID()).toString('base64')}`, 'endpoint.secret', 'secret')
    const custom_headers = { 'x-token': canaries.keep(`token-${randomUUID()}`, 'endpoint.custom_headers', 'secret') }
    const name = canaries.text('endpoint.name', 'control')
    const url = `${platform.receiverUrl}${path}`
    await post(platform, '/v1/endpoints', { name, url, event_types: ['*'], detail: 'full', grants: ['personal'], secret, custom_headers })
  }
}

async function liveOneLife(platform: Platform, canaries: Canaries, count: number): Promise<void> {
  const terms = () => ({
    start_date: '2024-01-01',
    assignment: { title: canaries.text('assignment.title', 'control') },
    compensation: pay(canaries),
  })
  let id: unknown
  if (count % 3 === 0) {
    const candidate = await post(platform, '/v1/candidates', { person: person(canaries), job_title: canaries.text('job_title', 'control') })
    await post(platform, `/v1/candidates/${candidate.json['id']}/status`, { stage: 'offer' })
    id = (await post(platform, `/v1/candidates/${candidate.json['id']}/hire`, terms())).json['employee_id']
  } else {
    id = (await post(platform, '/v1/employees', { person: person(canaries), ...terms() })).json['employee_id']
  }
  if (count % 2 === 0) await post(platform, `/v1/employees/${id}/person`, { person: person(canaries) })
  await post(platform, `/v1/employees/${id}/compensation`, pay(canaries))
  const termination = { ...(canaries.valueFor(Termination, 'termination') as object) }
  await post(platform, `/v1/employees/${id}/termination`, { end_date: '2030-01-01', termination })
  for (const path of ['', '/history']) expect(await platform.request('GET', `/v1/employees/${id}${path}`), 200)
}

/** Requests that are refused, each with canaries in it. */
async function sendBadInput(platform: Platform, canaries: Canaries): Promise<Answer[]> {
  const bad = () => canaries.text('refused')
  const whole = person(canaries)
  const bodies: unknown[] = [
    { person: { ...whole, email: bad() } },
    { person: { ...whole, birth_date: bad() } },
    { person: { ...whole, [bad()]: bad() } },
    { person: { ...whole, given_name: { deep: bad() } } },
    { person: { ...whole, given_name: bad().repeat(20) } },
    { person: bad() },
    { person: whole, start_date: bad() },
    {
      person: whole,
      start_date: '2024-01-01',
      compensation: { ...pay(canaries), components: [{ kind: bad(), amount: bad(), currency: bad(), period: bad() }] },
    },
    { person: { ...whole, national_id: bad() }, start_date: '2024-01-01' },
    `{"person": {"given_name": "${bad()}", `,
    `{"person": {"given_name": "${bad()}", "given_name": "${bad()}"}}`,
    `"${bad()}"`,
    bad(),
  ]
  const answers: Answer[] = []
  for (const body of bodies) answers.push(await platform.request('POST', '/v1/employees', body, { 'idempotency-key': randomUUID() }))
  answers.push(await platform.request('GET', `/v1/candidates?status=${encodeURIComponent(bad())}`))
  answers.push(await platform.request('GET', `/v1/employees?cursor=${encodeURIComponent(bad())}`))
  answers.push(await platform.request('GET', `/v1/employees/${encodeURIComponent(bad())}`))
  answers.push(await platform.request('POST', '/v1/employees', { person: whole }, { 'idempotency-key': encodeURIComponent(bad()) }))
  return answers
}

/** Sent twice with one idempotency key: the second answer comes from what was stored of the first. */
async function post(platform: Platform, path: string, body: unknown): Promise<Answer> {
  const headers = { 'idempotency-key': randomUUID() }
  const first = await platform.request('POST', path, body, headers)
  if (first.status >= 300) throw new Error(`POST ${path} was answered ${first.status}: ${first.text}`)
  expect(await platform.request('POST', path, body, headers), first.status)
  return first
}

function expect(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`Answered ${answer.status} instead of ${status}: ${answer.text}`)
}

const person = (canaries: Canaries) => ({
  ...(canaries.valueFor(PersonRecord, 'person') as Record<string, unknown>),
})

const pay = (canaries: Canaries) => ({
  components: [{ kind: 'base', currency: 'EUR', period: 'month', ...(canaries.valueFor(CompensationComponent, 'compensation') as object) }],
  pay_frequency: 'monthly',
})
