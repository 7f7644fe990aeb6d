import { describe, expect, it } from 'vitest'
import { engines, OPS_LOGIN, startTestApp } from '../support/app.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type Reply, refuses } from '../support/graph-server.ts'
import { readMessage } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

async function start(engine: 'postgres' | 'redis', ...script: Reply[]) {
  const graph = await startGraph(...script)
  const app = await startTestApp(engine, { GRAPH_API_URL: graph.url, SECRETS_KEY })
  const org = await createSendingOrg(app.db)
  await createRoom(app.db, org, { expiredAt: new Date(Date.now() - 1000) })
  return { app, graph, org, phone: org.phones[0]! }
}

describe.each(engines())('the auto-reply, queue on %s', (engine) => {
  it('answers each message into an expired chatroom once, however often Meta delivers it', async () => {
    const { app, graph, phone } = await start(engine)
    const [first, second] = [message({}), message({})]
    const bodies = [post(phone, first), post(phone, first), post(phone, second), post(phone, first)]
    await Promise.all(bodies.map((body) => app.post(body)))
    await expect.poll(() => graph.requests.length).toBe(2)
    await app.drained()
    await expect
      .poll(async () => (await app.db.$client.query(`select 1 from outbox where state = 'sent'`)).rows.length)
      .toBe(2)
    expect(graph.requests).toHaveLength(2)
  })

  it('that stalls does not make the next customer wait', async () => {
    const stall: Reply = () => undefined
    const { app, org, phone } = await start(engine, ...Array.from({ length: 30 }, () => stall))
    for (let i = 0; i < 30; i++) await app.post(post(phone, message({})))
    const m = message({ from: '15558887777' })
    expect(await app.post(post(phone, m))).toBe(200)
    // A send that stalls is given up after 10 s. The message must not wait for that.
    await expect
      .poll(() => readMessage(app.db, org.id, m.id), { timeout: 9_000 })
      .toMatchObject({ route: 'held' })
  })

  it('that is refused for its token stops the number, which metrics and /ready tell', async () => {
    const { app, graph, phone } = await start(engine, refuses(190, 401), accepts)
    await app.post(post(phone, message({})))
    await expect.poll(() => graph.requests.length).toBe(1)
    const get = async (path: string) =>
      (await fetch(`${app.opsUrl}${path}`, { headers: { authorization: OPS_LOGIN } })).text()
    await expect.poll(() => get('/metrics')).toContain('usher_numbers_stopped 1')
    expect(JSON.parse(await get('/ready'))).toMatchObject({
      status: 'ready',
      details: { stopped_numbers: 1 },
    })
    await app.post(post(phone, message({})))
    await app.drained()
    expect(graph.requests).toHaveLength(1)
  })
})
