import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FREE_LANES } from '../events/fan-out.ts'
import type { Lane } from '../events/hand-over.ts'
import { useDeliverySite } from './testing/delivery-suite.ts'

const COPY = `
  with copied as (
    insert into event (tenant_id, id, type, order_key, recorded_at, source, correlation_id, body)
    select tenant_id, 'evt_copy' || n, type, 'lane_' || n / 2, recorded_at, source, correlation_id, body
      from (select * from event order by position desc limit 1) one, generate_series(1, 4000) n
    returning *
  )
  insert into delivery (tenant_id, id, endpoint_id, order_key, event_position, event_id, event_type)
  select tenant_id, 'dlv_' || id, $1, order_key, position, id, type from copied`

describe('a look at lanes', () => {
  const use = useDeliverySite()

  it('reads the first delivery of each and not all that is pending, also before the database has statistics', async () => {
    const { site, receiver } = use
    const { id } = await site.addEndpoint(receiver)
    await site.emit(['a'])
    await site.sql(COPY, [id])
    const lanes = Array.from({ length: 500 }, (_, n) => `lane_${n}`)
    const values = [lanes.map(() => site.tenantId), lanes.map(() => id), lanes]
    const [row] = await site.sql<{ 'QUERY PLAN': [{ Plan: object }] }>(`explain (format json) ${FREE_LANES.text}`, values)
    const plan = JSON.stringify(row!['QUERY PLAN'][0].Plan)
    assert.match(plan, /"Index Scan"[^{}]*"delivery_lane"/)
    assert.doesNotMatch(plan, /Seq Scan|delivery_due/)
    assert.equal(
      plan.match(/Nested Loop|Hash Join|Merge Join/g)?.length,
      1,
      'lanes are joined to their first delivery, and nothing to anything else',
    )
  })

  it('is asked for by a change whose delivery waits behind one of before, and not by what waits behind its own', async () => {
    const { site, receiver } = use
    await site.addEndpoint(receiver)
    const asked: Lane[] = []
    const dispatcher = site.dispatcher()
    const handOver = { ...dispatcher.handOver, room: () => 0, waiting: (lanes: readonly Lane[]) => void asked.push(...lanes) }
    await site.emit(['a.1', 'a.2', 'b.1'], { handOver })
    assert.deepEqual(asked, [])
    await site.emit(['a.3', 'a.4', 'c.1'], { handOver })
    assert.deepEqual(
      asked.map(({ orderKey }) => orderKey),
      ['lane_a'],
    )
  })
})
