import { describe, expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { type Db, openDatabase } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { firstCursor } from '../../src/event-feed/cursor.ts'
import { keepPartitions } from '../../src/event-feed/keep-partitions.ts'
import { listEvents } from '../../src/event-feed/list-events.ts'
import { POSITION } from '../../src/event-log/position.ts'
import { dropOldAttempts, keepAttempts } from '../../src/event-push/attempt-log.ts'
import { readWebhookFigures } from '../../src/event-push/figures.ts'
import { findDue, LIST_DUE_LANES, LIST_SUBSCRIBED, listTargets } from '../../src/event-push/find-due.ts'
import { disableEndpoint, noteFailure, noteWorks } from '../../src/event-push/health.ts'
import { LANES } from '../../src/event-push/plan-lanes.ts'
import { replayPeriod } from '../../src/event-push/replay.ts'
import { noteSkip } from '../../src/event-push/skip-event.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { createOrg } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { createPusher, passTime, subscribe } from '../support/push.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'
import { answers, startWebhookReceiver, takes } from '../support/webhook-receiver.ts'

const DAYS = 30
const OTHER_ENDPOINTS = 300

/** A log of 30 days of the org and of another, and lanes of many other endpoints that are behind. */
async function load({ pool }: TestDatabase, orgId: string): Promise<void> {
  await pool.query(
    `insert into event_log (org_id, position, at, type)
     select case when n % 2 = 0 then $1 else 'other' end, n / 100, now() - (30 - n / 2000) * interval '1 day', 'contact.updated'
     from generate_series(1, 59999) n`,
    [orgId],
  )
  await pool.query(
    `insert into orgs (id, name) select 'other-' || n, 'x' from generate_series(1, $1::int) n`,
    [OTHER_ENDPOINTS],
  )
  await pool.query(
    `with made as (
       insert into webhook_endpoints (org_id, id, slot, url, enabled, include_content, on_rejection, secret, position)
       select 'other-' || n, gen_random_uuid(), 1, 'https://x.example/', true, true, 'skip', '', 1
       from generate_series(1, $1::int) n returning org_id, id)
     insert into webhook_lanes (org_id, endpoint_id, lane, position, seq, at, due_at)
     select org_id, id, lane, 1, 1, now(), now() + interval '1 hour' from made, generate_series(0, 31) lane`,
    [OTHER_ENDPOINTS],
  )
}

describe.each(['empty', 'loaded'])('on %s tables, the statements that post events', (fill) => {
  it('read by index, and little where there is nothing to do', async () => {
    const database = await createTestDatabase()
    const { db } = database
    for (let day = DAYS; day > 0; day -= 7) await keepPartitions(db, ago(day), 365)
    const org = await createOrg(db)
    if (fill === 'loaded') await load(database, org.id)
    const receiver = await startWebhookReceiver()
    const pusher = createPusher(db)
    const key = await subscribe(db, org, receiver)
    const statements = await recordEverything(async () => {
      for (const reply of [answers(500), answers(400), takes]) {
        receiver.set(reply)
        await recordEvents(db, [{ orgId: org.id, kind: 'contact.updated', actor: 'test' }])
        await pusher.pushAll(key)
        await passTime(db)
      }
      await pusher.pushAll(key)
      await recordEvents(db, [{ orgId: org.id, kind: 'contact.expired', actor: 'test' }])
      await db.$client.query(
        `update event_log set wamid = 'of no message' where org_id = $1 and type = 'contact.expired'`,
        [org.id],
      )
      await untilReadable(db)
      const [lane] = await pusher.take(key)
      await run(db, noteSkip(key, lane!.events[0]!, 'x'))
      await db.$client.query(`update event_log set type = 'contact.updated' where org_id = $1`, [org.id])
      await db.$client.query(`update webhook_endpoints set types = '{message.sent}' where org_id = $1`, [
        org.id,
      ])
      await passTime(db)
      await pusher.pushAll(key)
      await run(db, noteFailure(key, 1_000))
      await run(db, noteWorks(key))
      await run(db, listTargets([org.id]))
      await run(db, LIST_SUBSCRIBED)
      await run(db, LIST_DUE_LANES)
      await run(db, findDue())
      await readWebhookFigures(db)
      const attempt = { ...key, eventId: 'e', type: 'x', at: new Date(), outcome: 'failed' as const }
      await run(db, keepAttempts([{ ...attempt, status: 500, error: undefined, durationMs: 1, answer: '' }]))
      await run(db, dropOldAttempts([key]))
      const replay = { orgId: org.id, id: key.endpointId, actor: 'test' }
      await replayPeriod(db, replay, { from: ago(1), to: new Date() })
      await db.$client.query('update webhook_endpoints set paused_until = null, types = null')
      const [replayed] = await pusher.take(key)
      expect(await disableEndpoint(db, replayed!, 'x')).toBe(true)
    })
    expect(missingIn('webhook-plans', statements)).toEqual([])
    expect(await scansOf(database, statements)).toEqual([])
    const page = statements.find(({ name }) => name === 'read-lane-events')!
    expect(await blocksOf(database, page)).toBeLessThan(200)
    expect(
      await blocksOf(database, statements.find(({ name }) => name === 'find-due-webhooks')!),
    ).toBeLessThan(fill === 'empty' ? 300 : 40 * OTHER_ENDPOINTS)
  })
})

it('a page of a log that has grown since its plan was made reads no more than its own rows', async () => {
  const { db, pool, url } = await createTestDatabase()
  const org = await createOrg(db)
  const key = await subscribe(db, org, await startWebhookReceiver())
  const one = openDatabase(url, { max: 1, name: 'test', onLost: () => {} })
  const pusher = createPusher(one.db)
  const list = () =>
    listEvents(one.db, {
      ...{ orgId: org.id, after: firstCursor(org.id), types: undefined },
      ...{ limit: 100, waitSeconds: 0, includeContent: true },
    })
  await pool.query(
    `insert into event_log (org_id, position, at, type)
     select 'org-' || n % 9, ${POSITION}, now(), 'contact.updated' from generate_series(1, 9000) n`,
  )
  await pool.query('analyze event_log')
  await pusher.take(key)
  await list()
  await pool.query(
    `with recorded as (
       insert into events (org_id, id, kind, actor, customer_id) select $1, gen_random_uuid(), 'contact.updated', 'test', gen_random_uuid()
       from generate_series(1, 20000) returning id, customer_id)
     insert into event_log (org_id, position, at, type, audit_id, customer_id)
     select $1, ${POSITION}, now(), 'contact.updated', id, customer_id from recorded`,
    [org.id],
  )
  await untilReadable(db)
  const readBefore = await rowsRead(one.db)
  expect((await pusher.take(key, 1)).length).toBe(1)
  // The other lanes are behind the place that this one has reached, and read no further.
  await pool.query(
    `update webhook_lanes l set position = e.position, seq = e.seq - 300 from webhook_endpoints e
     where e.id = l.endpoint_id and l.lease_id is null`,
  )
  expect((await pusher.take(key)).length).toBe(LANES - 1)
  expect((await rowsRead(one.db)) - readBefore).toBeLessThan(5_000)
  await list()
  expect((await rowsRead(one.db)) - readBefore).toBeLessThan(6_000)
  await one.close()
})

/** Rows of the log and of the audit that the only connection of a pool has read by index. */
async function rowsRead({ $client: pool }: Db): Promise<number> {
  await pool.query('select pg_stat_force_next_flush()')
  const { rows } = await pool.query(
    `select coalesce(sum(idx_tup_read), 0)::int as read from pg_stat_user_indexes
     where relname = 'events' or relname like 'event_log%'`,
  )
  return rows[0].read
}

async function scansOf({ db }: TestDatabase, statements: Statement[]): Promise<string[]> {
  const scans: string[] = []
  for (const statement of statements.filter(({ name }) => name !== '')) {
    const nodes = await planNodes(db, statement)
    const isBig = (node: string) =>
      /^Seq Scan on (event_log|webhook_lanes|webhook_skips|messages|events)/.test(node)
    scans.push(...nodes.filter(isBig).map((node) => `${statement.name}: ${node}`))
  }
  return scans
}

async function blocksOf({ pool }: TestDatabase, { text, values }: Statement): Promise<number> {
  const { rows } = await pool.query(`explain (analyze, buffers, format json) ${text}`, values)
  const { Plan } = rows[0]['QUERY PLAN'][0]
  return Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']
}
