import { describe, expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { run } from '../../src/db/statement.ts'
import { dropOldAttempts, keepAttempts } from '../../src/event-push/attempt-log.ts'
import { createAttemptLog } from '../../workers/webhooks/attempts.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { readEvents, untilReadable } from '../support/event-log.ts'
import { createOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { createPusher, passTime, subscribe } from '../support/push.ts'
import { answers, startWebhookReceiver, takes } from '../support/webhook-receiver.ts'

const { db } = await createTestDatabase()
const secretsKey = Buffer.from(SECRETS_KEY, 'base64')
const api = await startTestApi(db, { secretsKey, allowPrivateWebhooks: true })
const pusher = createPusher(db)

const note = (org: TestOrg, ...reasons: string[]) =>
  recordEvents(
    db,
    reasons.map((reason) => ({ orgId: org.id, kind: 'contact.updated', actor: 'test', reason })),
  )

async function createSubscribed(settings = {}) {
  const org = await createOrg(db)
  const receiver = await startWebhookReceiver()
  const key = await subscribe(db, org, receiver, settings)
  const path = `/v1/org/${org.id}/webhook-endpoints/${key.endpointId}`
  const get = async () => (await api.call('GET', path)).body
  return { org, receiver, key, path, get }
}

const reasonsOf = (received: { event: { data: { reason: string } } }[]) =>
  received.map(({ event }) => event.data.reason)

describe('an endpoint shows how far it is', () => {
  it('as a place in the event log, and the events that are still to be posted', async () => {
    const { org, key, path, get } = await createSubscribed({ types: ['contact.updated'] })
    expect(await get()).toMatchObject({ lag_events: 0, lag_seconds: 0, held_lanes: 0, skipped_events: 0 })
    await note(org, 'one', 'two', 'three')
    await recordEvents(db, [{ orgId: org.id, kind: 'contact.expired', actor: 'test' }])
    await untilReadable(db)
    const behind = await get()
    expect(behind.lag_events).toBe(3)
    expect(behind.lag_seconds).toBeGreaterThan(0)
    const after = await api.call(
      'GET',
      `/v1/org/${org.id}/events?types=contact.updated&after=${behind.position}`,
    )
    expect(reasonsOf(after.body.events.map((event: object) => ({ event })))).toEqual(['one', 'two', 'three'])
    await pusher.pushAll(key)
    expect(await get()).toMatchObject({ lag_events: 0, lag_seconds: 0 })
    expect(path).toContain(key.endpointId)
  })

  it('with the events of a lane that waits, and no others', async () => {
    const { org, receiver, key, get } = await createSubscribed()
    receiver.set(answers(500))
    await note(org, 'waits')
    await pusher.pushAll(key)
    receiver.set(takes)
    await note(org, 'behind it')
    await untilReadable(db)
    expect(await get()).toMatchObject({ lag_events: 2 })
    await passTime(db)
    await pusher.pushAll(key)
    expect(await get()).toMatchObject({ lag_events: 0 })
  })
})

describe('the last requests', () => {
  it('are listed with status, duration and the beginning of the answer, the newest first', async () => {
    const { org, receiver, key, path } = await createSubscribed()
    const log = createAttemptLog(db, (error) => {
      throw error
    })
    receiver.set(answers(503))
    await note(org, 'x')
    const before = pusher.attempts.length
    await pusher.pushAll(key)
    receiver.set((res) => void res.socket?.resetAndDestroy())
    await passTime(db)
    await pusher.pushAll(key)
    for (const { lane, event, posted, verdict, at } of pusher.attempts.slice(before))
      log.add({
        ...{
          orgId: lane.orgId,
          endpointId: lane.endpointId,
          eventId: `evt_${event.seq}`,
          type: event.row.type,
        },
        ...{ at, outcome: verdict, status: posted.status, durationMs: posted.ms },
        error: posted.status === undefined ? posted.error : undefined,
        answer: posted.status === undefined ? undefined : posted.text,
      })
    await log.close()
    const [event] = await readEvents(api, org.id)
    const { body } = await api.call('GET', `${path}/attempts`)
    const common = { event_id: event!.id, type: 'contact.updated', at: expect.any(String), outcome: 'failed' }
    expect(body.attempts).toEqual([
      { ...common, status: null, error: 'ECONNRESET', duration_ms: expect.any(Number), answer: null },
      { ...common, status: 503, error: null, duration_ms: expect.any(Number), answer: 'status 503' },
    ])
    expect((await api.call('GET', `${path}/attempts?limit=1`)).body.attempts).toHaveLength(1)
    expect((await api.call('GET', `${path}/attempts?limit=501`)).status).toBe(422)
  })

  it('are 500 at most, and those of an endpoint that is gone are not kept', async () => {
    const { key, path } = await createSubscribed()
    const attempt = (n: number, endpointId = key.endpointId) => ({
      ...{ orgId: key.orgId, endpointId, eventId: `evt_${n}`, type: 'contact.updated', at: new Date() },
      ...{ outcome: 'failed' as const, status: 500, error: undefined, durationMs: 1, answer: '' },
    })
    const gone = attempt(0, '01890000-0000-7000-8000-000000000009')
    await run(db, keepAttempts([...Array.from({ length: 520 }, (_, n) => attempt(n)), gone]))
    await run(db, dropOldAttempts([key]))
    const { rows } = await db.$client.query(
      'select count(*)::int as n from webhook_attempts where org_id = $1',
      [key.orgId],
    )
    expect(rows[0].n).toBe(500)
    const { body } = await api.call('GET', `${path}/attempts?limit=500`)
    expect(body.attempts.map((one: { event_id: string }) => one.event_id).slice(0, 2)).toEqual([
      'evt_519',
      'evt_518',
    ])
  })

  it('that delivered an event are kept up to ten in a second, so that they cost little', async () => {
    const { key } = await createSubscribed()
    const log = createAttemptLog(db, () => {})
    for (let n = 0; n < 50; n += 1)
      log.add({
        ...{ ...key, eventId: `evt_${n}`, type: 'x', at: new Date(), outcome: 'delivered', status: 200 },
        ...{ error: undefined, durationMs: 1, answer: '' },
      })
    await log.close()
    const { rows } = await db.$client.query('select 1 from webhook_attempts where org_id = $1', [key.orgId])
    expect(rows).toHaveLength(10)
  })
})

describe('a test', () => {
  it('posts a signed event at once, also to an endpoint that is not enabled, and says how it ended', async () => {
    const { receiver, path } = await createSubscribed({ enabled: false })
    receiver.set(answers(418))
    const { status, body } = await api.call('POST', `${path}/test`)
    expect([status, body]).toEqual([
      200,
      {
        ...{ event_id: expect.stringMatching(/^test_/), type: 'webhook.test', at: expect.any(String) },
        ...{ outcome: 'rejected', status: 418, error: null, duration_ms: expect.any(Number) },
        answer: 'status 418',
      },
    ])
    expect(receiver.received.map(({ event }) => event.type)).toEqual(['webhook.test'])
    expect((await api.call('GET', `${path}/attempts`)).body.attempts).toHaveLength(1)
  })

  it('is refused within a second of the one before', async () => {
    const { path } = await createSubscribed()
    const replies = await Promise.all([1, 2, 3].map(() => api.call('POST', `${path}/test`)))
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 429, 429])
  })

  it('needs the key of the secret', async () => {
    const { path } = await createSubscribed()
    const other = await startTestApi(db, { allowPrivateWebhooks: true })
    expect((await other.call('POST', `${path}/test`)).body.error_message).toBe('SECRETS_KEY_MISSING')
  })
})

describe('a replay', () => {
  it('behind a cursor posts everything that happened since once more, in order', async () => {
    const { org, receiver, key, path, get } = await createSubscribed()
    await note(org, 'one')
    await pusher.pushAll(key)
    const { position } = await get()
    await note(org, 'two', 'three')
    await pusher.pushAll(key)
    expect((await api.call('POST', `${path}/replay`, { body: { after: position } })).status).toBe(202)
    await note(org, 'four')
    await pusher.pushAll(key)
    expect(reasonsOf(receiver.taken())).toEqual(['one', 'two', 'three', 'two', 'three', 'four'])
    const ids = receiver.taken().map(({ id }) => id)
    expect(ids.slice(1, 3)).toEqual(ids.slice(3, 5))
  })

  it('of a period posts its events once more, one after another, and ends', async () => {
    const { org, receiver, key, path } = await createSubscribed()
    const reasons = Array.from({ length: 40 }, (_, n) => `event ${n}`)
    await note(org, 'before')
    const times: string[] = []
    const now = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      times.push(new Date().toISOString())
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await now()
    for (const reason of reasons) await note(org, reason)
    await now()
    await note(org, 'after')
    await pusher.pushAll(key)
    const posted = receiver.taken().length
    const body = { from: times[0], to: times[1] }
    expect((await api.call('POST', `${path}/replay`, { body })).status).toBe(202)
    expect((await api.call('POST', `${path}/replay`, { body })).body.error_message).toBe('REPLAY_IS_RUNNING')
    await pusher.pushAll(key)
    expect(reasonsOf(receiver.taken().slice(posted))).toEqual(reasons)
    expect((await api.call('POST', `${path}/replay`, { body })).status).toBe(202)
  })

  it.each([
    {},
    { after: 'nonsense' },
    { from: '2026-01-01T00:00:00Z' },
    { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
    { after: 'x', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
  ])('of %o is refused', async (body) => {
    const { path } = await createSubscribed()
    expect((await api.call('POST', `${path}/replay`, { body })).body.error_message).toBe('INVALID_INPUT')
  })

  it('behind a cursor of another org, or one that is not kept any more, is refused', async () => {
    const { org, path, get } = await createSubscribed()
    const other = await createSubscribed()
    const foreign = (await other.get()).position
    expect((await api.call('POST', `${path}/replay`, { body: { after: foreign } })).status).toBe(422)
    await note(org, 'x')
    const [orgId, position, seq, at] = JSON.parse(Buffer.from((await get()).position, 'base64url').toString())
    const old = Buffer.from(JSON.stringify([orgId, position, seq, at - 40 * 86_400_000])).toString(
      'base64url',
    )
    expect((await api.call('POST', `${path}/replay`, { body: { after: old } })).status).toBe(410)
  })
})

it('what an endpoint of another org does cannot be seen or caused', async () => {
  const { org, path } = await createSubscribed()
  const other = await createOrg(db)
  const foreign = path.replace(org.id, other.id)
  for (const [method, action, body] of [
    ['GET', ''],
    ['GET', '/attempts'],
    ['POST', '/test'],
    ['POST', '/replay', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }],
  ] as const)
    expect([action, (await api.call(method, foreign + action, { body })).status]).toEqual([action, 404])
})
