import { beforeAll, describe, expect, it } from 'vitest'
import { firstCursor } from '../../src/event-feed/cursor.ts'
import { type EventPage, readEventPage } from '../../src/event-feed/read-page.ts'
import { POSITION } from '../../src/event-log/position.ts'
import { replayPeriod } from '../../src/event-push/replay.ts'
import { createTestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { insertMessage } from '../support/ledger.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { createPusher, subscribe } from '../support/push.ts'
import { recordEverything } from '../support/statements.ts'
import { ago } from '../support/time.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

const { db, pool } = await createTestDatabase()
/** In days: of now, the edges of the days around the event, other months, no partition, and a time still to come. */
const AGES = [0, 7, 9, 40, 99, 400, 20_000, -40]
const AGAIN = 'read-events-again'
let org: TestOrg

const logStatus = async (of: TestOrg, wamids: string[]) => {
  await pool.query(
    `insert into event_log (org_id, position, at, type, customer_id, wamid)
     select m.org_id, ${POSITION}, now(), 'message.status', m.customer_id, m.wamid
     from messages m where m.org_id = $1 and m.wamid = any($2)`,
    [of.id, wamids],
  )
  await untilReadable(db)
}

async function createOldMessages(): Promise<TestOrg> {
  const created = await createOrg(db)
  const { id: roomId, customerId } = await createRoom(db, created, { customer: '+15550000001' })
  for (const days of AGES) {
    const place = { roomId, customerId, direction: 'out' } as const
    await insertMessage(pool, created, { wamid: `of ${days}`, at: ago(days), ...place })
  }
  return created
}

beforeAll(async () => {
  org = await createOldMessages()
})

const ALL = AGES.map((days) => `of ${days}`).sort()
const found = (rows: EventPage['events']) =>
  rows
    .filter(({ message, chatroomId, contact }) => message && chatroomId && contact)
    .map(({ wamid }) => wamid)
    .sort()

/** The work's statements that read messages of all times. */
async function readsAgain(work: () => Promise<void>): Promise<number> {
  return (await recordEverything(work)).filter(({ name }) => name === AGAIN).length
}

describe('an event about a message of any time has the message, its chatroom and its contact', () => {
  it('in the feed', async () => {
    await logStatus(org, ALL)
    const { events } = await readEventPage(db, firstCursor(org.id), { types: undefined, limit: 100 })
    expect(found(events)).toEqual(ALL)
  })

  it('at a webhook endpoint, and in a replay', async () => {
    const own = await createOldMessages()
    const pusher = createPusher(db)
    const key = await subscribe(db, own, await startWebhookReceiver())
    await logStatus(own, ALL)
    const rowsOf = (lanes: { events: { row: EventPage['events'][number] }[] }[]) =>
      lanes.flatMap(({ events }) => events.map(({ row }) => row))
    expect(found(rowsOf(await pusher.take(key)))).toEqual(ALL)
    const replay = { orgId: own.id, id: key.endpointId, actor: 'test' }
    await replayPeriod(db, replay, { from: ago(1), to: new Date() })
    await pool.query('update webhook_endpoints set paused_until = null')
    expect(found(rowsOf(await pusher.take(key)))).toEqual(ALL)
  })
})

it('a page of events about messages of the days before takes one statement, another one a second', async () => {
  const own = await createOldMessages()
  const page = (after = firstCursor(own.id)) => readEventPage(db, after, { types: undefined, limit: 100 })
  await logStatus(own, ['of 0', 'of 7'])
  expect(await readsAgain(async () => void (await page()))).toBe(0)
  const { next } = await page()
  await logStatus(own, ['of 40', 'of 9', 'of 0'])
  expect(await readsAgain(async () => expect((await page(next)).events.length).toBe(3))).toBe(1)
})
