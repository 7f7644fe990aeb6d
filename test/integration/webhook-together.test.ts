import { expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { run } from '../../src/db/statement.ts'
import type { EventType } from '../../src/event-log/types.ts'
import { LANES } from '../../src/event-push/plan-lanes.ts'
import { readLanePages, rowsOfPage } from '../../src/event-push/read-lane-pages.ts'
import { type Taken, takeLanes } from '../../src/event-push/take-lanes.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import { createTestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { createOrg, SECRETS_KEY } from '../support/org.ts'
import { createPusher, lanesOf, subscribe } from '../support/push.ts'
import { recordStatements } from '../support/statements.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

/** Where the statement has how many lanes are read of each page, and what comes before the number in a binary array. */
const LANES_PARAMETER = 9
const ARRAY_HEADER = 24

/** All lanes of an endpoint, at the beginning of the log. */
const CANDIDATES = Array.from({ length: LANES }, (_, lane) => ({
  position: 0,
  seq: 0,
  at: new Date(0),
  lane,
}))

const { db, pool } = await createTestDatabase()
const secretsKey = Buffer.from(SECRETS_KEY, 'base64')
const receiver = await startWebhookReceiver()

/** Endpoints of as many orgs, with an event in each of so many lanes. */
async function createEndpoints(count: number, lanes: number): Promise<EndpointKey[]> {
  const keys: EndpointKey[] = []
  for (let n = 0; n < count; n += 1) {
    const org = await createOrg(db)
    keys.push(await subscribe(db, org, receiver))
    for (let lane = 0; lane < lanes; lane += 1)
      await pool.query(
        `insert into event_log (org_id, position, at, type, customer_id)
         select $1, pg_current_xact_id()::text::bigint, now(), 'contact.updated', id
         from (select gen_random_uuid() as id from generate_series(1, 2000)) c
         where get_byte(sha256(convert_to(id::text, 'UTF8')), 0) % 32 = $2 limit 1`,
        [org.id, lane],
      )
  }
  await untilReadable(db)
  return keys
}

const take = (keys: EndpointKey[], slots = 256, key: Buffer | undefined = secretsKey) =>
  takeLanes(db, keys, { slots, secretsKey: key })

it('lanes of many endpoints are taken with as few round trips as those of one, and each endpoint gets its own events', async () => {
  const keys = await createEndpoints(5, 1)
  const recorded = recordStatements(pool)
  const taken = await take(keys)
  recorded.stop()
  const names = recorded.statements.map(({ name }) => name ?? '')
  expect(names.filter((name) => name !== '')).toEqual([
    'lock-webhook-endpoints',
    'read-webhook-lanes',
    'read-lane-events',
    'write-webhook-lanes',
    'move-webhook-heads',
  ])
  expect(taken.map(({ lanes }) => lanes.length)).toEqual([1, 1, 1, 1, 1])
  expect(taken.map(({ lanes: [lane] }) => lane?.endpointId)).toEqual(keys.map(({ endpointId }) => endpointId))
  expect(new Set(taken.map(({ lanes: [lane] }) => lane?.events[0]?.row.seq)).size).toBe(5)
  expect(await Promise.all(keys.map(async (key) => (await lanesOf(db, key)).length))).toEqual([1, 1, 1, 1, 1])
})

it('endpoints of a take share its slots: the first ones get theirs, and of the others there is more to take', async () => {
  const keys = await createEndpoints(3, 3)
  const taken = await take(keys, 4)
  expect(taken.map(({ lanes, isMore }) => [lanes.length, isMore])).toEqual([
    [3, false],
    [1, true],
    [0, true],
  ])
  const rest = await take(keys.slice(1))
  expect(rest.map(({ lanes, isMore }) => [lanes.length, isMore])).toEqual([
    [2, false],
    [3, false],
  ])
})

it('endpoints of one org that want other types get each its own events, also when one is behind', async () => {
  const org = await createOrg(db)
  const wants = (types: EventType[] | null) => subscribe(db, org, receiver, { types })
  const keys = [await wants(['contact.created']), await wants(null), await wants(['contact.updated'])]
  const happens = async (kind: 'contact.created' | 'contact.updated') => {
    await recordEvents(db, [{ orgId: org.id, kind, actor: 'test' }])
    await untilReadable(db)
  }
  const typesOf = (taken: Taken[]) =>
    taken.map(({ lanes }) => lanes.flatMap(({ events }) => events.map(({ row }) => row.type)))
  await happens('contact.created')
  expect(typesOf(await take([keys[0]!]))).toEqual([['contact.created']])
  await happens('contact.updated')
  expect(typesOf(await take(keys))).toEqual([[], ['contact.created', 'contact.updated'], ['contact.updated']])
})

it('an endpoint that is disabled, or whose secret has another key, gives nothing, and hinders no other', async () => {
  const [disabled, other] = await createEndpoints(2, 1)
  await pool.query('update webhook_endpoints set enabled = false where id = $1', [disabled!.endpointId])
  const taken = await take([disabled!, other!])
  expect(taken.map(({ lanes }) => lanes.length)).toEqual([0, 1])
  const sealed = await take([other!], 256, Buffer.alloc(32, 1))
  expect(sealed).toEqual([{ lanes: [], isMore: false, isPending: false, isSealed: true }])
})

it('of lanes for which there is no slot a take learns only that they have events, which are posted later, whole', async () => {
  const [key] = await createEndpoints(1, 8)
  await pool.query(`update event_log set data = '{"reason": "test"}' where org_id = $1`, [key!.orgId])
  const readData = async (lanes: number) => {
    const wanted = { orgId: key!.orgId, candidates: CANDIDATES, types: null, bound: undefined, lanes }
    const [page] = await run(db, readLanePages([wanted]))
    return page!.shares.map(({ lane, isRead, events }) => [lane, isRead, events[0]?.row.data?.reason])
  }
  const whole = (await readData(LANES)).toSorted()
  expect(whole).toEqual(Array.from({ length: 8 }, (_, lane) => [lane, true, 'test']))
  expect((await readData(2)).toSorted()).toEqual([
    ...whole.slice(0, 2),
    ...whole.slice(2).map(([lane]) => [lane, false, undefined]),
  ])
  const recorded = recordStatements(pool)
  const [first] = await take([key!], 1)
  recorded.stop()
  const page = recorded.statements.find(({ name }) => name === 'read-lane-events')
  expect((page!.values[LANES_PARAMETER] as Buffer).readInt32BE(ARRAY_HEADER)).toBe(2)
  expect(first).toMatchObject({ lanes: [{ lane: 0 }], isMore: true })
  const [rest] = await take([key!])
  const taken = [...first!.lanes, ...rest!.lanes]
  expect(taken.map(({ lane, events }) => [lane, true, events[0]?.row.data?.reason])).toEqual(whole)
})

it('endpoints with very much to post share the rows of a page, and all of it is posted', async () => {
  const org = await createOrg(db)
  const pusher = createPusher(db)
  const [key, ...others] = [
    await subscribe(db, org, await startWebhookReceiver()),
    ...(await createEndpoints(3, 2)),
  ]
  await recordEvents(
    db,
    Array.from({ length: 3_000 }, (_, n) => ({
      orgId: org.id,
      kind: 'contact.updated' as const,
      actor: 'test',
      reason: `${n}`,
    })),
  )
  await untilReadable(db)
  const recorded = recordStatements(pool)
  const [first, ...small] = await take([key!, ...others])
  recorded.stop()
  const pages = recorded.statements.filter(({ name }) => name === 'read-lane-events')
  expect(pages.map(({ values }) => values.at(-1))).toEqual([rowsOfPage(4)])
  expect(small.map(({ lanes }) => lanes.length)).toEqual([2, 2, 2])
  expect(first?.isMore).toBe(true)
  await Promise.all(first!.lanes.map(pusher.push))
  await pusher.pushAll(key!)
  expect(new Set(pusher.attempts.map(({ event }) => event.row.seq)).size).toBe(3_000)
})
