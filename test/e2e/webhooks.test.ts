import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { engines, startTestApp, type TestApp } from '../support/app.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { readEvents, type Shown, untilReadable } from '../support/event-log.ts'
import { createOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { startUsher } from '../support/process.ts'
import { passTime, subscribe } from '../support/push.ts'
import { startRedis } from '../support/redis.ts'
import {
  answers,
  type ReceiverReply,
  startWebhookReceiver,
  takes,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'
import { expectComplete } from '../support/webhooks-check.ts'

const ENV = { SECRETS_KEY, WEBHOOK_ALLOW_PRIVATE: 'true' }
const PEOPLE = Array.from({ length: 24 }, (_, i) => `1555800${1_000 + i}`)

/** All events of an org, once they can be read. */
async function logOf(db: TestDatabase['db'], api: TestApi, org: TestOrg): Promise<Shown[]> {
  await untilReadable(db)
  return readEvents(api, org.id, 'limit=1000')
}

/** Posts messages of all people, some at a time. */
async function write(app: Pick<TestApp, 'post' | 'drained'>, org: TestOrg, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const bodies = PEOPLE.map((from) => post(org.phones[0]!, message({ from, body: `round ${round}` })))
    expect(new Set(await Promise.all(bodies.map((body) => app.post(body))))).toEqual(new Set([200]))
  }
  await app.drained()
}

/** Lets the time pass again and again, until the receiver took all events of the log. */
async function untilAllTaken(db: TestDatabase['db'], api: TestApi, org: TestOrg, receiver: WebhookReceiver) {
  const log = await logOf(db, api, org)
  await eventually(async () => {
    const ids = new Set(receiver.taken().map(({ id }) => id))
    if (log.every(({ id }) => ids.has(id))) return true
    await db.$client.query(
      'update webhook_lanes set due_at = now() where held_at is null and lease_id is null',
    )
    await db.$client.query('update webhook_endpoints set paused_until = null')
    await sleep(200)
    return false
  })
  expectComplete(log, receiver.taken())
  expect(receiver.refused).toEqual([])
  return log
}

/** An answer for each request, by turns. */
function byTurns(...replies: ReceiverReply[]): ReceiverReply {
  let n = 0
  return (...request) => replies[n++ % replies.length]!(...request)
}

const slow: ReceiverReply = (...request) => void setTimeout(() => takes(...request), 50)
const resets: ReceiverReply = (res) => void res.socket?.resetAndDestroy()
/** The event is stored, and the answer gets lost. */
const takesAndResets: ReceiverReply = (res, _received, take) => {
  take()
  res.socket?.resetAndDestroy()
}

describe.each(engines())('webhooks, with the queue on %s', (engine) => {
  async function start() {
    const app = await startTestApp(engine, ENV)
    const org = await createOrg(app.db, { unknown_sender: 'create' })
    const receiver = await startWebhookReceiver()
    const api = await startTestApi(app.db as TestDatabase['db'])
    const db = app.db as TestDatabase['db']
    return { app, db, org, receiver, api, key: await subscribe(db, org, receiver) }
  }

  it('are posted soon, all of them, and in order for each customer', async () => {
    const { app, db, org, receiver, api } = await start()
    await write(app, org, 4)
    const log = await untilAllTaken(db, api, org, receiver)
    expect(log.length).toBeGreaterThanOrEqual(4 * PEOPLE.length)
    expect(receiver.received).toHaveLength(log.length)
  })

  it('reach a receiver that refuses some, asks for pauses, redirects, resets, and is slow', async () => {
    const { app, db, org, receiver, api } = await start()
    const elsewhere = await startWebhookReceiver()
    const [ok, no] = [takes, answers(503)]
    receiver.set(
      byTurns(
        ...[ok, no, ok, ok, no, slow, ok, no, resets, ok, answers(429, { 'retry-after': '1' }), ok, no],
        ...[answers(307, { location: elsewhere.url }), ok, takesAndResets, ok, answers(404), slow, no],
      ),
    )
    await write(app, org, 4)
    await untilAllTaken(db, api, org, receiver)
    expect(elsewhere.received).toEqual([])
  })

  it('reach a receiver that was down, or did not answer, when it is back', async () => {
    const { app, db, org, receiver, api } = await start()
    await write(app, org, 1)
    await receiver.stop()
    await write(app, org, 2)
    await eventually(async () => {
      const { rows } = await db.$client.query(
        'select 1 from webhook_endpoints where failing_since is not null',
      )
      return rows.length === 1
    })
    const hanging: ReceiverReply = () => {}
    receiver.set(hanging)
    await receiver.start()
    await passTime(db)
    await eventually(() => receiver.received.length > receiver.taken().length)
    receiver.set(takes)
    await untilAllTaken(db, api, org, receiver)
  })

  it('of an endpoint that is gone wait until it is enabled', async () => {
    const { app, db, org, receiver, api, key } = await start()
    receiver.set(answers(410))
    await write(app, org, 1)
    const endpoint = `/v1/org/${org.id}/webhook-endpoints/${key.endpointId}`
    await eventually(async () => (await api.call('GET', endpoint)).body.enabled === false)
    receiver.set(takes)
    expect((await api.call('PATCH', endpoint, { body: { enabled: true } })).status).toBe(200)
    await untilAllTaken(db, api, org, receiver)
  })

  it('of one org wait for no endpoint of another, however dead', async () => {
    const { app, db, org, receiver, api } = await start()
    for (let n = 0; n < 5; n += 1) {
      const other = await createOrg(db, { unknown_sender: 'create' })
      const dead = await startWebhookReceiver()
      dead.set(() => {})
      await subscribe(db, other, dead)
      await write(app, other, 1)
      await eventually(() => dead.received.length > 0)
    }
    await write(app, org, 1)
    await untilAllTaken(db, api, org, receiver)
  })

  it('come again where workers are killed, at most those in flight, and go on with the others', async () => {
    const database = await createTestDatabase()
    const { db, url } = database
    const redis = engine === 'redis' ? await startRedis() : undefined
    const stores = { DATABASE_URL: url, ...(redis && { REDIS_URL: redis.url }) }
    const app = await startTestApp(engine, { ...ENV, ...stores }, { role: 'server' })
    const org = await createOrg(db, { unknown_sender: 'create' })
    const receiver = await startWebhookReceiver()
    receiver.set(slow)
    await subscribe(db, org, receiver)
    const api = await startTestApi(db)
    const written = write({ ...app, drained: async () => {} }, org, 6)
    for (let n = 0; n < 3; n += 1) {
      const worker = await startUsher('workers', { ...ENV, ...stores })
      const before = receiver.received.length
      await eventually(() => receiver.received.length > before + 20)
      worker.child.kill('SIGKILL')
      await worker.exited()
      await passTime(db)
    }
    await written
    await startUsher('workers', { ...ENV, ...stores })
    await eventually(async () => (await db.$client.query('select 1 from inbox limit 1')).rows.length === 0)
    await passTime(db)
    await untilAllTaken(db, api, org, receiver)
    const log = await logOf(db, api, org)
    expect(receiver.received.length - log.length).toBeLessThanOrEqual(3 * 32)
    await redis?.stop()
  })
})
