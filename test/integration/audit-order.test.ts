import { afterEach, expect, it, vi } from 'vitest'
import { type AuditEvent, insertEvents, recordEvents } from '../../src/audit/record-events.ts'
import { send } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'

const DAYS_31_MS = 31 * 86_400_000

afterEach(() => vi.useRealTimers())

async function setUp() {
  const { db, pool } = await createTestDatabase()
  const org = await createOrg(db)
  const event = (reason: string): AuditEvent => ({
    orgId: org.id,
    kind: 'chatroom.assigned',
    actor: 'test',
    reason,
  })
  const reasons = async () => {
    const { rows } = await pool.query(
      "select reason from events where kind = 'chatroom.assigned' order by id",
    )
    return rows.map(({ reason }) => reason)
  }
  return { db, pool, event, reasons }
}

it.each([
  ['ahead', DAYS_31_MS],
  ['behind', -DAYS_31_MS],
])('a process whose clock is 31 days %s writes the audit in the order of the changes', async (_, shift) => {
  const { db, pool, event, reasons } = await setUp()
  await recordEvents(db, [event('first')])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + shift })
  await recordEvents(db, [event('second')])
  vi.useRealTimers()
  await recordEvents(db, [event('third')])
  expect(await reasons()).toEqual(['first', 'second', 'third'])
  const { rows } = await pool.query(`select bool_and(abs(extract(epoch from created_at)
      - ('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) < 60) as near
    from events`)
  expect(rows).toEqual([{ near: true }])
})

it('the audit keeps the order of the events of a statement, and of the statements of a transaction', async () => {
  const { db, event, reasons } = await setUp()
  const names = Array.from({ length: 3_000 }, (_, i) => String(i))
  const [some, others] = [names.slice(0, 2_000), names.slice(2_000)]
  await inTransaction(db, async (tx) => {
    await send(tx, [insertEvents(some.map(event)), ...others.map((name) => insertEvents([event(name)]))])
  })
  expect(await reasons()).toEqual(names)
})

it('the ids of the audit are UUIDs of version 7', async () => {
  const { db, pool, event } = await setUp()
  await recordEvents(db, [event('one')])
  const { rows } = await pool.query('select id from events')
  for (const { id } of rows)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
