import { describe, expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { disableEndpoint } from '../../src/event-push/health.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import { rotateSecret } from '../../src/webhook-endpoints/rotate-secret.ts'
import { updateEndpoint } from '../../src/webhook-endpoints/update-endpoint.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { readEvents, untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRooms, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { createPusher, lanesOf, passTime, subscribe } from '../support/push.ts'
import { answers, startWebhookReceiver, takes, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'
import { expectComplete } from '../support/webhooks-check.ts'

const { db, pool } = await createTestDatabase()
const api = await startTestApi(db)
const installation = { secretsKey: Buffer.from(SECRETS_KEY, 'base64'), allowPrivateWebhooks: true }
const pusher = createPusher(db)

/** An org with customers who have chatrooms; `write` lets each of them write so many messages, by turns. */
async function createWriters(people = 12) {
  const org = await createOrg(db)
  const phones = Array.from({ length: people }, (_, i) => `1555000${1_000 + i}`)
  const rooms = await createRooms(
    db,
    phones.map((phone) => ({ org, room: { customer: `+${phone}` } })),
  )
  await db.$client.query('delete from event_log where org_id = $1', [org.id])
  const write = async (each = 1, from = phones) => {
    for (let n = 0; n < each; n += 1)
      await deliver(db, post(org.phones[0]!, ...from.map((one) => message({ from: one, body: `text ${n}` }))))
  }
  return { org, phones, rooms, write }
}

const note = (org: TestOrg, ...reasons: string[]) =>
  recordEvents(
    db,
    reasons.map((reason) => ({ orgId: org.id, kind: 'contact.updated', actor: 'test', reason })),
  )
const change = ({ orgId, endpointId: id }: EndpointKey, changes: object) =>
  updateEndpoint(db, { orgId, id, changes, actor: 'test', installation })
const endpointOf = async ({ endpointId }: EndpointKey) =>
  (await db.$client.query('select * from webhook_endpoints where id = $1', [endpointId])).rows[0]

describe('the events that happen after an endpoint was created', () => {
  it('are posted as the event log shows them, those of a customer in order', async () => {
    const { org, write } = await createWriters()
    await write()
    await untilReadable(db)
    const before = await readEvents(api, org.id)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write(3)
    await pusher.pushAll(key)
    const log = (await readEvents(api, org.id)).slice(before.length)
    expect(log.length).toBeGreaterThanOrEqual(36)
    expectComplete(log, receiver.taken())
    expect(receiver.received).toHaveLength(log.length)
    const [first] = receiver.received
    expect(first!.event).toEqual(log.find(({ id }) => id === first!.id))
    expect(first!.headers['user-agent']).toBe('Usher/test')
    expect(await lanesOf(db, key)).toEqual([])
    expect(await pusher.pushAll(key)).toBe(0)
  })

  it('are posted if their type is wanted, without content if that is not wanted', async () => {
    const { org, write } = await createWriters(2)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver, { types: ['message.received'], include_content: false })
    await note(org, 'unwanted')
    await write()
    await pusher.pushAll(key)
    expect(receiver.received.map(({ event }) => [event.type, event.data.content_omitted])).toEqual([
      ['message.received', 'not wanted'],
      ['message.received', 'not wanted'],
    ])
  })

  it('are all posted, however many wait', async () => {
    const { org, write } = await createWriters(20)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write(60)
    await pusher.pushAll(key)
    const log = await readEvents(api, org.id, 'limit=1000')
    expect(log.length).toBeGreaterThanOrEqual(1_200)
    expectComplete(log, receiver.taken())
    expect(receiver.received).toHaveLength(log.length)
  })

  it('are posted in commit order: one that commits late is neither skipped nor out of order', async () => {
    const { org, write, phones, rooms } = await createWriters(2)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    const late = await pool.connect()
    await late.query('begin')
    await late.query('select 1 from customers where org_id = $1 and id = $2 for update', [
      org.id,
      rooms[0]!.customerId,
    ])
    await late.query(
      `insert into event_log (org_id, position, type, customer_id, data)
       values ($1, pg_current_xact_id()::text::bigint, 'customer.identified', $2, '{"kind":"wa_id","value":"late"}')`,
      [org.id, rooms[0]!.customerId],
    )
    await write(1, phones.slice(1))
    const taken = await pusher.take(key)
    await Promise.all(taken.map(pusher.push))
    await late.query('commit')
    late.release()
    await write(1, phones.slice(0, 1))
    await pusher.pushAll(key)
    expectComplete(await readEvents(api, org.id), receiver.taken())
    const ofFirst = receiver.taken().filter(({ event }) => event.data.customer.id === rooms[0]!.customerId)
    expect(ofFirst[0]!.event.data.value).toBe('late')
  })

  it('are signed by the former secret too, for 24 h after a rotation', async () => {
    const { org, write } = await createWriters(1)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver, { types: ['message.received'] })
    const rotation = { orgId: org.id, id: key.endpointId, actor: 'test', installation }
    const { secret } = await rotateSecret(db, rotation)
    await write()
    await pusher.pushAll(key)
    expect(receiver.taken()).toHaveLength(1)
    await db.$client.query('update webhook_endpoints set old_secret_until = now() where id = $1', [
      key.endpointId,
    ])
    await write()
    await pusher.pushAll(key)
    expect([receiver.taken().length, receiver.refused.length]).toEqual([1, 1])
    receiver.secret = secret
    await passTime(db)
    await pusher.pushAll(key)
    expect(receiver.taken()).toHaveLength(2)
  })

  it('are not taken by a process whose key does not fit', async () => {
    const { org, write } = await createWriters(1)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write()
    await db.$client.query(`update webhook_endpoints set secret = '\\x00' where id = $1`, [key.endpointId])
    expect(await pusher.pushAll(key)).toBe(0)
    expect(receiver.received).toEqual([])
  })
})

describe('an event that is rejected', () => {
  const reject = (wamidOf: (data: { wamid: string }) => boolean) => (receiver: WebhookReceiver) =>
    receiver.set(((res, received, take) =>
      wamidOf(received.event.data)
        ? answers(400)(res, received, take)
        : takes(res, received, take)) as typeof takes)

  async function withBadEvent(on_rejection: 'skip' | 'wait') {
    const { org, write, phones } = await createWriters(12)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver, { on_rejection })
    await write(2)
    await untilReadable(db)
    const log = await readEvents(api, org.id)
    const bad = log.find(({ type }) => type === 'message.received')!
    reject(({ wamid }) => wamid === bad.data.wamid)(receiver)
    return { org, write, phones, receiver, key, log, bad }
  }

  it('is tried ten times, and then skipped and noted; the others go on meanwhile', async () => {
    const { receiver, key, log, bad } = await withBadEvent('skip')
    await pusher.pushAll(key)
    const [waiting] = await lanesOf(db, key)
    expect(waiting).toMatchObject({ rejections: 1, failures: 0 })
    expect(waiting.wait_ms).toBeGreaterThan(3_000)
    expect(receiver.taken().length).toBeGreaterThan(log.length / 2)
    for (let n = 1; n < 10; n += 1) {
      await passTime(db)
      await pusher.pushAll(key)
    }
    expect(receiver.received.filter(({ id }) => id === bad.id)).toHaveLength(10)
    expectComplete(
      log.filter(({ id }) => id !== bad.id),
      receiver.taken(),
    )
    const { rows } = await db.$client.query(
      `select 'evt_' || seq as id, type, reason from webhook_skips where endpoint_id = $1`,
      [key.endpointId],
    )
    expect(rows).toEqual([{ id: bad.id, type: 'message.received', reason: 'answer 400' }])
    expect(await endpointOf(key)).toMatchObject({ enabled: true, failing_since: null })
  })

  it('holds only its lane, if the endpoint waits, until the endpoint is changed', async () => {
    const { receiver, key, log, bad, write } = await withBadEvent('wait')
    for (let n = 0; n < 12; n += 1) {
      await pusher.pushAll(key)
      await passTime(db)
    }
    expect(receiver.received.filter(({ id }) => id === bad.id)).toHaveLength(10)
    const held = await lanesOf(db, key)
    expect(held.map((lane) => lane.held_at !== null)).toEqual([true])
    await write()
    await pusher.pushAll(key)
    const { rows } = await db.$client.query('select 1 from webhook_skips where endpoint_id = $1', [
      key.endpointId,
    ])
    expect(rows).toEqual([])
    receiver.set(takes)
    await change(key, { include_content: false })
    await pusher.pushAll(key)
    expect(receiver.taken().some(({ id }) => id === bad.id)).toBe(true)
    expectComplete(
      log,
      receiver.taken().filter(({ id }) => log.some((event) => event.id === id)),
    )
    expect(await lanesOf(db, key)).toEqual([])
  })
})

describe('an endpoint that fails', () => {
  it('is tried by one lane at a time, and gets everything in order when it works again', async () => {
    const { org, write } = await createWriters(12)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    receiver.set(answers(503))
    await write()
    await pusher.pushAll(key)
    expect((await endpointOf(key)).failing_since).not.toBeNull()
    await passTime(db)
    const lanes = await pusher.take(key)
    expect(lanes).toHaveLength(1)
    expect(await pusher.take(key)).toEqual([])
    await write()
    receiver.set(takes)
    await db.$client.query(
      `update webhook_endpoints set failing_since = now() - interval '1 hour' where id = $1`,
      [key.endpointId],
    )
    await Promise.all(lanes.map(pusher.push))
    expect((await endpointOf(key)).failing_since).toBeNull()
    await pusher.pushAll(key)
    expectComplete(await readEvents(api, org.id), receiver.taken())
    expect(await lanesOf(db, key)).toEqual([])
  })

  it('waits 5 s, then 5 min, for the second and third try of an event', async () => {
    const { org, write } = await createWriters(1)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    receiver.set((res) => void res.socket?.resetAndDestroy())
    await write()
    const waits: number[] = []
    for (let n = 0; n < 3; n += 1) {
      await pusher.pushAll(key)
      waits.push((await lanesOf(db, key))[0].wait_ms / 1_000)
      await passTime(db)
    }
    for (const [i, seconds] of [5, 300, 1_800].entries()) {
      expect(waits[i]).toBeGreaterThan(seconds * 0.8)
      expect(waits[i]).toBeLessThan(seconds * 1.21)
    }
  })

  it('gets the pause that it asks for', async () => {
    const { org, write } = await createWriters(12)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    receiver.set(answers(429, { 'retry-after': '120' }))
    await write()
    await pusher.pushAll(key)
    const { rows } = await db.$client.query(
      'select extract(epoch from paused_until - now())::float8 as s from webhook_endpoints where id = $1',
      [key.endpointId],
    )
    expect(rows[0].s).toBeGreaterThan(100)
    expect(rows[0].s).toBeLessThanOrEqual(120)
    await db.$client.query('update webhook_lanes set due_at = now()')
    expect(await pusher.take(key)).toEqual([])
  })

  it('for three days is disabled, with a reason and an event, and goes on where it stopped when it is enabled', async () => {
    const { org, write } = await createWriters(3)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    receiver.set(answers(500))
    await write()
    await pusher.pushAll(key)
    await db.$client.query(
      `update webhook_endpoints set failing_since = now() - interval '3 days' where id = $1`,
      [key.endpointId],
    )
    await passTime(db)
    await pusher.pushAll(key)
    const reason = 'failing for three days; the last try: answer 500'
    expect(await endpointOf(key)).toMatchObject({ enabled: false, disabled_reason: reason })
    expect(pusher.disabled).toContain(reason)
    const requests = receiver.received.length
    await write()
    await passTime(db)
    expect(await pusher.pushAll(key)).toBe(0)
    receiver.set(takes)
    await change(key, { enabled: true })
    await pusher.pushAll(key)
    const log = await readEvents(api, org.id)
    expect(log.filter(({ type }) => type === 'webhook_endpoint.disabled')).toMatchObject([
      { data: { reason, after: { id: key.endpointId } } },
    ])
    expectComplete(log, receiver.taken())
    expect(receiver.received.length).toBe(requests + log.length)
  })

  it('by answering 410 is disabled at once', async () => {
    const { org, write } = await createWriters(1)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    receiver.set(answers(410))
    await write()
    expect(await pusher.pushAll(key)).toBe(1)
    expect(await endpointOf(key)).toMatchObject({
      enabled: false,
      disabled_reason: 'the endpoint answered 410 Gone',
    })
    receiver.set(takes)
    await change(key, { enabled: true })
    await pusher.pushAll(key)
    expect(receiver.taken().filter(({ event }) => event.type === 'message.received')).toHaveLength(1)
  })

  it('is disabled once, and not by an answer to a request from before it was changed', async () => {
    const { org, write } = await createWriters(1)
    const key = await subscribe(db, org, await startWebhookReceiver())
    await write()
    await untilReadable(db)
    const [former] = await pusher.take(key)
    await change(key, { description: 'corrected' })
    expect(await disableEndpoint(db, former!, 'x')).toBe(false)
    const [lane] = await pusher.take(key)
    const ends = await Promise.all([1, 2, 3].map(() => disableEndpoint(db, lane!, 'x')))
    expect(ends.toSorted()).toEqual([false, false, true])
  })
})

describe('a lane', () => {
  it('that a worker has is not taken by another, until its lease ends; only what was in flight comes twice', async () => {
    const { org, write } = await createWriters(6)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write(2)
    await untilReadable(db)
    const dead = await pusher.take(key)
    expect(dead.length).toBeGreaterThan(0)
    await pusher.pushAll(key)
    expect(receiver.received).toEqual([])
    await passTime(db)
    await pusher.pushAll(key)
    const log = await readEvents(api, org.id)
    expectComplete(log, receiver.taken())
    const posted = receiver.received.length
    await Promise.all(dead.map(pusher.push))
    // The worker that came back posts one event of each lane, and finds that it has lost the lanes.
    expect(receiver.received.length - posted).toBe(dead.length)
    expectComplete(log, receiver.taken())
  })

  it('is lost to its worker when the endpoint changes, and its event is posted to the new URL', async () => {
    const { org, write } = await createWriters(1)
    const [former, present] = [await startWebhookReceiver(), await startWebhookReceiver()]
    const key = await subscribe(db, org, former)
    present.secret = former.secret
    await write(3)
    await untilReadable(db)
    const [lane] = await pusher.take(key)
    await change(key, { url: present.url })
    expect(await pusher.push(lane!)).toBe(false)
    expect(former.received).toHaveLength(1)
    await pusher.pushAll(key)
    expectComplete(await readEvents(api, org.id), present.taken())
  })

  it('that there is no slot for is taken later', async () => {
    const { org, write } = await createWriters(20)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write()
    await untilReadable(db)
    const first = await pusher.take(key, 2)
    expect(first).toHaveLength(2)
    await Promise.all(first.map(pusher.push))
    await pusher.pushAll(key)
    expectComplete(await readEvents(api, org.id), receiver.taken())
  })

  it('that stands beyond all that this server has written goes on with what it writes from now on', async () => {
    const { org, write } = await createWriters(3)
    const receiver = await startWebhookReceiver()
    const key = await subscribe(db, org, receiver)
    await write()
    await db.$client.query('update webhook_endpoints set position = position + 1000000000 where id = $1', [
      key.endpointId,
    ])
    expect(await pusher.pushAll(key)).toBe(0)
    await write()
    await pusher.pushAll(key)
    expect(receiver.taken().filter(({ event }) => event.type === 'message.received')).toHaveLength(3)
  })
})

it('events of no customer are posted too, in order', async () => {
  const org = await createOrg(db)
  const receiver = await startWebhookReceiver()
  const key = await subscribe(db, org, receiver)
  const reasons = Array.from({ length: 20 }, (_, n) => `change ${n}`)
  for (const reason of reasons) await note(org, reason)
  await pusher.pushAll(key)
  expect(receiver.taken().map(({ event }) => event.data.reason)).toEqual(reasons)
})
