import { beforeAll, describe, expect, it } from 'vitest'
import { engines, OPS_LOGIN, startTestApp, type TestApp } from '../support/app.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type RecordingGraph, refuses, resets, stalls } from '../support/graph-server.ts'
import { readMessage } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

describe.each(engines())('the auto-reply, queue on %s', (engine) => {
  let graph: RecordingGraph
  let app: TestApp

  beforeAll(async () => {
    graph = await startGraph()
    app = await startTestApp(engine, { GRAPH_API_URL: graph.url, SECRETS_KEY }, { until: 'file' })
  })

  /** An org with an auto-reply, whose one customer has an expired chatroom; and the requests to send as its number. */
  async function createClosedRoom() {
    const org = await createSendingOrg(app.db)
    await createRoom(app.db, org, { expiredAt: ago(1) })
    const phone = org.phones[0]!
    const requests = () => graph.requests.filter(({ path }) => path.includes(phone)).length
    return { org, phone, requests }
  }

  it('answers each message into an expired chatroom once, however often Meta delivers it', async () => {
    const { org, phone, requests } = await createClosedRoom()
    const [first, second] = [message({}), message({})]
    const bodies = [post(phone, first), post(phone, first), post(phone, second), post(phone, first)]
    await Promise.all(bodies.map((body) => app.post(body)))
    await app.drained()
    const sent = async () => {
      const text = `select 1 from outbox where state = 'sent' and org_id = $1`
      return (await app.db.$client.query(text, [org.id])).rowCount
    }
    await expect.poll(sent).toBe(2)
    expect(requests()).toBe(2)
  })

  it('that stalls does not make the next customer wait', async () => {
    const { org, phone } = await createClosedRoom()
    graph.set(stalls)
    const customers = Array.from({ length: 30 }, (_, i) => `1555888${1000 + i}`)
    await Promise.all(
      customers.map(async (from) => {
        await createRoom(app.db, org, { customer: `+${from}`, expiredAt: ago(1) })
        await app.post(post(phone, message({ from })))
      }),
    )
    await expect.poll(() => graph.requests.length).toBeGreaterThan(5)
    const m = message({ from: '15558887777' })
    expect(await app.post(post(phone, m))).toBe(200)
    // A send that stalls is given up after 10 s. The message must not wait for that.
    await expect
      .poll(() => readMessage(app.db, org.id, m.id), { timeout: 9_000 })
      .toMatchObject({ route: 'held' })
    graph.set(resets)
    const waiting = `select 1 from outbox where state in ('queued', 'sending')`
    await expect.poll(async () => (await app.db.$client.query(waiting)).rowCount).toBe(0)
    graph.set(accepts)
  })

  it('that is refused for its token stops the number, which metrics and /ready tell', async () => {
    const { phone, requests } = await createClosedRoom()
    graph.script.push(refuses(190, 401))
    await app.post(post(phone, message({})))
    await expect.poll(requests).toBe(1)
    const get = async (path: string) =>
      (await fetch(`${app.opsUrl}${path}`, { headers: { authorization: OPS_LOGIN } })).text()
    await expect.poll(() => get('/metrics')).toContain('usher_numbers_stopped 1')
    // On a loaded machine a check of /ready may be late for a moment.
    const ready = async () => JSON.parse(await get('/ready'))
    await expect.poll(ready).toMatchObject({ status: 'ready', details: { stopped_numbers: 1 } })
    await app.post(post(phone, message({})))
    await app.drained()
    expect(requests()).toBe(1)
  })
})
