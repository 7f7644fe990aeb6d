import { describe, expect, it } from 'vitest'
import { engines } from '../support/app.ts'
import { measured } from '../support/figures.ts'
import { type Reply, refuses, replies, startGraph } from '../support/graph.ts'
import { install, quantile, secondsUntil, sendOnce } from '../support/installation.ts'
import { createRoom, createSendingOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

/** Each way to fail: whether Meta may have taken the message, and if so nobody may send it again. */
const FAILURES: [maybeTaken: boolean, reply: Reply][] = [
  [false, refuses(2, 500)],
  [false, replies(429, { error: { code: 130429 } }, { 'retry-after': '1' })],
  [false, refuses(131056)],
  [true, replies(200, 'junk')],
  [true, replies(502, '<html>')],
  [true, (res) => void res.socket?.resetAndDestroy()],
  [true, () => undefined],
]

describe.concurrent.each(engines())('the Graph API, queue on %s', (engine) => {
  it('that fails in every way gets no reply twice, and inbound messages do not wait for it', async (t) => {
    const site = await install(t, engine)
    const script = [...FAILURES, ...FAILURES]
    const graph = await startGraph(...script.map(([, reply]) => reply))
    const org = await createSendingOrg(site.db)
    const customers = Array.from({ length: 2 * FAILURES.length + 6 }, (_, i) => `1555444${1000 + i}`)
    for (const customer of customers)
      await createRoom(site.db, org, { customer: `+${customer}`, expiredAt: new Date(Date.now() - 1_000) })
    const env = { GRAPH_API_URL: graph.url }
    const receiver = await site.start('server')
    await Promise.all([site.start('workers', { env }), site.start('workers', { env })])
    const wamids: string[] = []
    const ms: number[] = []
    for (const from of customers) {
      const m = message({ from })
      wamids.push(m.id)
      const before = performance.now()
      expect(await sendOnce(receiver.url, post(org.phones[0]!, m))).toBe(200)
      await site.allRouted(wamids, 10_000)
      ms.push(performance.now() - before)
    }
    const count = async (state: string) =>
      (await site.db.$client.query('select 1 from outbox where state = $1', [state])).rows.length
    const unknown = 2 * FAILURES.filter(([maybeTaken]) => maybeTaken).length
    await secondsUntil(async () => (await count('unknown')) === unknown, 40_000)
    await secondsUntil(async () => (await count('sent')) === customers.length - unknown, 60_000)
    const ids = graph.requests.map(({ body }) => body.biz_opaque_callback_data)
    const sentAgain = ids.filter((id, i) => script[i]?.[0] && ids.indexOf(id, i + 1) !== -1)
    expect([new Set(ids).size, sentAgain]).toEqual([customers.length, []])
    const again = ids.length - customers.length
    const also = {
      unknown,
      'tried again after a certain refusal': again,
      'routed p99 (ms)': quantile(ms, 0.99),
    }
    measured(15, { of: 'replies', engine, n: customers.length, lost: 0, doubled: 0, also })
  })
})
