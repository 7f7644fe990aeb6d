import { expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { run } from '../../src/db/statement.ts'
import { inReplayableTransaction } from '../../src/db/transaction.ts'
import { recordProgress } from '../../src/event-push/record-progress.ts'
import { createTestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { createOrg } from '../support/org.ts'
import { createPusher, subscribe } from '../support/push.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

const { db, pool } = await createTestDatabase()
const pusher = createPusher(db)

/** An org with an endpoint, and `note`, which lets something happen without waiting for the disk. */
async function createWorld() {
  const org = await createOrg(db)
  const key = await subscribe(db, org, await startWebhookReceiver())
  const note = async () => {
    await inReplayableTransaction(db, { first: [] }, (tx) =>
      recordEvents(tx, [{ orgId: org.id, kind: 'contact.updated', actor: 'test' }]),
    )
  }
  return { key, note }
}

it('what a worker has taken is on the disk before it is posted', async () => {
  const { key, note } = await createWorld()
  await untilReadable(db)
  await note()
  const { rows } = await pool.query('select pg_current_wal_insert_lsn() as written')
  await expect.poll(() => pusher.take(key), { interval: 1 }).toHaveLength(1)
  const on = await pool.query('select pg_current_wal_flush_lsn() >= $1::pg_lsn as disk', [rows[0].written])
  expect(on.rows).toEqual([{ disk: true }])
})

it('progress extends a lease when little of it is left, and leaves it as it is otherwise', async () => {
  const { key, note } = await createWorld()
  await note()
  await untilReadable(db)
  const [lane] = await pusher.take(key)
  const { lane: number, leaseId, place } = lane!
  const goesOn = { step: 'goes_on', waitMs: 0, failures: 0, rejections: 0 } as const
  const progress = async () => {
    await run(db, recordProgress([{ ...key, lane: number, leaseId, place, ...goesOn }]))
    const { rows } = await pool.query(
      `select due_at, extract(epoch from due_at - now())::float8 as left from webhook_lanes
       where endpoint_id = $1`,
      [key.endpointId],
    )
    return rows[0]
  }
  const first = await progress()
  expect(await progress()).toMatchObject({ due_at: first.due_at })
  await pool.query(`update webhook_lanes set due_at = now() + interval '39 seconds' where endpoint_id = $1`, [
    key.endpointId,
  ])
  expect((await progress()).left).toBeGreaterThan(50)
})
