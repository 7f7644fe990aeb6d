import { describe, expect, test } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { keepAttempts, toAttempt } from '../../src/event-push/attempt-log.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { deliver } from '../support/inbox.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrgs, type TestOrg } from '../support/org.ts'
import { createPusher, lanesOf, passTime, subscribe } from '../support/push.ts'
import { answers, type ReceiverReply, startWebhookReceiver, takes } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const TEXT = 'canary-text'
const { db } = await createTestDatabase()
const pusher = createPusher(db)

/** Posts all that is due, and keeps the requests, as a worker does. */
async function pushAll(key: EndpointKey): Promise<void> {
  await pusher.pushAll(key)
  const rows = pusher.attempts.splice(0).map(({ event: { row }, posted, at }) => {
    const { seq, type } = row
    return toAttempt({ ...key, eventId: `evt_${seq}`, type, at }, posted)
  })
  await run(db, keepAttempts(rows))
}

/** The text of a page, without its markup. */
const read = async (url: string) => {
  const { status, body } = await loggedIn(url)
  expect([url, status]).toEqual([url, 200])
  return body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

/** An endpoint of an org that has got a message, whose receiver repeats what it gets in its answers. */
async function start({ readOnly = false, settings = {} } = {}) {
  const [org, other] = (await createOrgs(db, 2)) as [TestOrg, TestOrg]
  const receiver = await startWebhookReceiver()
  const repeats: ReceiverReply = (res, { event }, take) => {
    take()
    res.end(JSON.stringify(event))
  }
  receiver.set(repeats)
  const key = await subscribe(db, org, receiver, settings)
  await deliver(db, post(org.phones[0]!, message({ body: TEXT })))
  const logged: string[] = []
  const log = createLogger({ logLevel: 'info' }, { write: (line) => void logged.push(line) })
  const url = `${await startOps(db, { log, readOnly })}/console/webhooks`
  const page = `${url}/${org.id}/${key.endpointId}`
  return { org, other, receiver, key, url, page, logged }
}

const change = (page: string, name: string, body?: string) =>
  loggedIn(`${page}/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    ...(body && { body }),
  })

describe('the page of webhook endpoints', () => {
  test('shows state, lag and success of the endpoints of an org', async () => {
    const { org, other, receiver, key, url } = await start()
    const list = () => read(`${url}?org=${org.id}`)
    // An event can be read when no transaction of the cluster is left that began before it.
    await expect.poll(list).toMatch(/enabled \d+ events, for \d+ s no request yet/)
    receiver.set(answers(500))
    await pushAll(key)
    expect(await list()).toMatch(/failing since \S+ \S+ \d+ events, for \d+ s 0 % of \d+ requests/)
    receiver.set(takes)
    await passTime(db)
    await pushAll(key)
    expect(await list()).toMatch(/enabled nothing waits [1-9]\d? % of \d+ requests/)
    expect(await read(`${url}?org=${other.id}`)).not.toContain(receiver.url)
  })

  test('shows the last requests with their answers, whose text only on request, and the log names who requested it', async () => {
    const { key, page, logged } = await start()
    await pushAll(key)
    const shown = await read(page)
    expect(shown).toMatch(/POST http:\S+ webhook-id: evt_\d+ message.held delivered 200 \d+ ms/)
    expect(shown).not.toContain(TEXT)
    expect(logged).toEqual([])
    expect(await read(`${page}?text=show`)).toContain(TEXT)
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ user: 'ops', org: key.orgId, endpoint: key.endpointId }),
    ])
  })

  test('tests an endpoint, and posts a period once more', async () => {
    const { receiver, key, page, logged } = await start()
    const tested = await change(page, 'test')
    expect([tested.status, tested.headers.location]).toEqual([303, expect.stringMatching(/#attempts$/)])
    expect(receiver.received.map(({ event }) => event.type)).toEqual(['webhook.test'])
    await pushAll(key)
    const before = receiver.received.length
    expect((await change(page, 'replay', 'hours=24')).status).toBe(303)
    expect(await read(page)).toContain('a replay is running')
    expect((await change(page, 'replay', 'hours=24')).status).toBe(409)
    await pushAll(key)
    expect(receiver.received.length).toBeGreaterThan(before)
    expect(await lanesOf(db, key)).toEqual([])
    expect((await change(page, 'replay', 'hours=5')).status).toBe(422)
    expect(logged.map((line) => JSON.parse(line).user)).toEqual(['ops', 'ops'])
  })

  test('enables an endpoint that was disabled, which goes on where it stopped', async () => {
    const { receiver, key, page, url } = await start()
    receiver.set(answers(410))
    await pushAll(key)
    expect(await read(url)).toContain('disabled the endpoint answered 410 Gone')
    receiver.set(takes)
    expect((await change(page, 'enable')).status).toBe(303)
    await pushAll(key)
    expect(receiver.taken().map(({ event }) => event.type)).toContain('message.held')
    expect(await read(page)).not.toContain('410 Gone')
  })

  test('has no button and changes nothing if it is read-only, for another site, or for an endpoint that is not there', async () => {
    const { org, other, receiver, key, page, url } = await start({
      readOnly: true,
      settings: { enabled: false },
    })
    for (const address of [url, page]) expect((await loggedIn(address)).body).not.toContain('method="post"')
    for (const name of ['test', 'enable', 'replay']) expect((await change(page, name)).status).toBe(403)
    const open = `${await startOps(db)}/console/webhooks`
    for (const name of ['test', 'enable', 'replay']) {
      const headers = { 'sec-fetch-site': 'cross-site' }
      const address = `${open}/${org.id}/${key.endpointId}/${name}`
      expect((await loggedIn(address, { method: 'POST', headers })).status).toBe(403)
      expect((await send(address, { method: 'POST' })).status).toBe(401)
      expect((await change(`${open}/${other.id}/${key.endpointId}`, name, 'hours=1')).status).toBe(404)
      expect((await change(`${open}/${org.id}/1`, name, 'hours=1')).status).toBe(404)
    }
    expect(receiver.received).toEqual([])
  })

  test('shows no query of a URL, in which a secret may be', async () => {
    const { receiver, page, url } = await start({
      settings: { url: 'https://crm.example/hooks?token=canary' },
    })
    for (const address of [url, page]) {
      expect(await read(address)).toContain('https://crm.example/hooks?…')
      expect(await read(address)).not.toContain('token=canary')
    }
    expect(receiver.received).toEqual([])
  })
})
