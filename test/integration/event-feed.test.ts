import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { readNow } from '../../src/db/read-now.ts'
import { keepPartitions } from '../../src/event-feed/keep-partitions.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { readEvents, untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { DAY } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const get = (org: TestOrg, query = '', call = {}) =>
  api.call('GET', `/v1/org/${org.id}/events${query && `?${query}`}`, call)
const note = (org: TestOrg, ...reasons: string[]) =>
  recordEvents(
    db,
    reasons.map((reason) => ({ orgId: org.id, kind: 'contact.updated', actor: 'test', reason })),
  )
const reasonsOf = (body: { events: { data: { reason: string } }[] }) => body.events.map((e) => e.data.reason)

/** Moves all events of an org and its position in time. */
const age = (org: TestOrg, days: number) =>
  db.$client.query(`update event_log set at = at - $2 * interval '1 day' where org_id = $1`, [org.id, days])

describe('the feed of events', () => {
  it('is read in pages without a gap or a repeat, each event under the same id whenever it is read', async () => {
    const org = await createOrg(db)
    const reasons = Array.from({ length: 7 }, (_, n) => `event ${n}`)
    for (const reason of reasons) await note(org, reason)
    await untilReadable(db)
    const paged = await readEvents(api, org.id, 'limit=2')
    expect(paged.map(({ data }) => data.reason)).toEqual(reasons)
    expect(await readEvents(api, org.id)).toEqual(paged)
  })

  it('gives the types that were asked for, and goes on behind those that were not', async () => {
    const org = await createOrg(db)
    await note(org, 'first')
    await recordEvents(db, [{ orgId: org.id, kind: 'contact.expired', actor: 'test' }])
    await note(org, 'second')
    await untilReadable(db)
    const { body } = await get(org, 'types=contact.updated,contact.created&limit=1')
    expect(reasonsOf(body)).toEqual(['first'])
    const rest = await get(org, `types=contact.updated&after=${body.next}`)
    expect(reasonsOf(rest.body)).toEqual(['second'])
    expect((await get(org, `types=message.sent&after=${body.next}`)).body).toMatchObject({
      events: [],
      has_more: false,
    })
  })

  it('waits for an event if there is none', async () => {
    const org = await createOrg(db)
    await untilReadable(db)
    const { body } = await get(org)
    expect(body.events).toEqual([])
    const waiting = get(org, `wait=25&after=${body.next}`)
    await sleep(600)
    await note(org, 'at last')
    expect(reasonsOf((await waiting).body)).toEqual(['at last'])
  })

  it('leaves out the content of messages if it is not wanted or too large', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    await deliver(
      db,
      post(org.phones[0]!, message({ body: 'secret' }), message({ body: 'x'.repeat(20_000) })),
    )
    await untilReadable(db)
    const contents = (events: { data: { content: unknown; content_omitted: string } }[]) =>
      events.map(({ data }) => [data.content !== null, data.content_omitted])
    const types = 'types=message.received'
    expect(contents(await readEvents(api, org.id, types))).toEqual([
      [true, null],
      [false, 'too large'],
    ])
    const without = await readEvents(api, org.id, `${types}&include_content=false`)
    expect(contents(without)).toEqual([
      [false, 'not wanted'],
      [false, 'not wanted'],
    ])
    expect(JSON.stringify(without)).not.toContain('secret')
  })

  it('every event is smaller than 20 kB', async () => {
    const org = await createOrg(db)
    const before = { text: 'é'.repeat(30_000) }
    await recordEvents(db, [{ orgId: org.id, kind: 'contact.updated', actor: 'test', before, after: before }])
    await untilReadable(db)
    const [event] = await readEvents(api, org.id)
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(20_000)
  })
})

describe('a cursor', () => {
  it.each(['x', 'WyJhIl0', '1'])('that Usher has not given (%s) is refused', async (cursor) => {
    const org = await createOrg(db)
    expect((await get(org, `after=${cursor}`)).body).toMatchObject({ error_message: 'INVALID_INPUT' })
  })

  it('of another org is refused', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const { body } = await get(other)
    expect(await get(org, `after=${body.next}`)).toMatchObject({
      status: 422,
      body: { error_message: 'INVALID_INPUT' },
    })
  })

  it('whose events are not kept any more is answered 410 with one that works', async () => {
    const org = await createOrg(db)
    await note(org, 'kept')
    await untilReadable(db)
    const { body } = await get(org, 'limit=1')
    const [orgId, position, seq, at] = JSON.parse(Buffer.from(body.next, 'base64url').toString())
    const old = Buffer.from(JSON.stringify([orgId, position, seq, at - 40 * DAY])).toString('base64url')
    const gone = await get(org, `after=${old}`)
    expect(gone).toMatchObject({ status: 410, body: { error_message: 'EVENTS_ARE_GONE' } })
    const again = await get(org, `after=${gone.body.payload.oldest}`)
    expect(reasonsOf(again.body)).toEqual(['kept'])
  })

  it('from another server, which a dump was restored from, is answered 410; the restored events come first', async () => {
    const org = await createOrg(db)
    for (const reason of ['first', 'second']) await note(org, reason)
    await db.$client.query('update event_log set position = position + 1000000000 where org_id = $1', [
      org.id,
    ])
    await note(org, 'third')
    await untilReadable(db)
    const { rows } = await db.$client.query('select max(position)::text as position from event_log')
    const cursor = Buffer.from(JSON.stringify([org.id, rows[0].position, '0', Date.now()])).toString(
      'base64url',
    )
    expect(await keepPartitions(db, await readNow(db), 30)).toMatchObject({ adopted: 2 })
    const gone = await get(org, `after=${cursor}&wait=25`)
    expect(gone).toMatchObject({ status: 410, body: { error_message: 'EVENTS_ARE_GONE' } })
    const again = await get(org, `after=${gone.body.payload.oldest}`)
    expect(reasonsOf(again.body)).toEqual(['first', 'second', 'third'])
  })

  it('of a reader that finds nothing new does not grow old', async () => {
    const org = await createOrg(db)
    await note(org, 'long ago')
    await untilReadable(db)
    await age(org, 1)
    const { body } = await get(org)
    const [, , , at] = JSON.parse(Buffer.from(body.next, 'base64url').toString())
    expect(Date.now() - at).toBeLessThan(DAY / 2)
  })

  it.each([
    'types=nothing',
    'types=',
    'limit=0',
    'limit=1001',
    'wait=26',
    'include_content=maybe',
    'other=1',
  ])('a query with %s is refused', async (query) => {
    const org = await createOrg(db)
    expect((await get(org, query)).status).toBe(422)
  })
})

describe('the partitions of the log', () => {
  const partitions = async () =>
    (
      await db.$client.query(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'event_log'::regclass order by 1`,
      )
    ).rows.map(({ name }) => name as string)
  const dayOf = (at: Date) => `event_log_${at.toISOString().slice(0, 10).replaceAll('-', '')}`

  it('are made a week ahead, and dropped when their last event is too old; what is kept can still be read', async () => {
    const org = await createOrg(db)
    await note(org, 'kept')
    await untilReadable(db)
    const now = await readNow(db)
    // The database may have been made before midnight: the partitions of one day more are made, and one is dropped.
    await keepPartitions(db, now, 1)
    expect(await keepPartitions(db, now, 30)).toMatchObject({ made: 0, dropped: 0, deleted: 0 })
    const later = new Date(now.getTime() + 3 * DAY)
    const { made, dropped } = await keepPartitions(db, later, 3)
    expect([made, dropped]).toEqual([3, 1])
    const names = await partitions()
    expect(names).toContain(dayOf(new Date(now.getTime() + 10 * DAY)))
    expect(names).not.toContain(dayOf(new Date(now.getTime() - DAY)))
    expect((await readEvents(api, org.id)).map(({ data }) => data.reason)).toEqual(['kept'])
  })

  it('events of a day without a partition are kept, read and deleted like all others', async () => {
    const org = await createOrg(db)
    await note(org, 'stray')
    await untilReadable(db)
    await age(org, 20)
    const { rows } = await db.$client.query('select count(*)::int as count from event_log_default')
    expect(rows[0].count).toBe(1)
    expect((await readEvents(api, org.id)).map(({ data }) => data.reason)).toEqual(['stray'])
    expect(await keepPartitions(db, await readNow(db), 30)).toMatchObject({ deleted: 0 })
    expect(await keepPartitions(db, await readNow(db), 19)).toMatchObject({ deleted: 1 })
    expect(await readEvents(api, org.id)).toEqual([])
  })
})
