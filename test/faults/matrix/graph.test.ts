import { describe, expect, it } from 'vitest'
import { engines } from '../../support/app.ts'
import { quantile } from '../../support/faults/http-sender.ts'
import { install } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { acceptsBut, type Reply, refuses, replies, resets, stalls } from '../../support/graph-server.ts'
import { createRoom, createSendingOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { message, post } from '../../support/webhooks.ts'

/** Each way to fail, and whether Meta may have accepted the message: then it must not be sent again. */
const FAILURES: [maybeAccepted: boolean, reply: Reply][] = [
  [false, refuses(2, 500)],
  [false, replies(429, { error: { code: 130429 } }, { 'retry-after': '1' })],
  [false, refuses(131056)],
  [true, acceptsBut(replies(200, 'junk'))],
  [true, acceptsBut(replies(502, '<html>'))],
  [true, acceptsBut(resets)],
  [true, acceptsBut(stalls)],
]

describe.concurrent.each(engines())('the Graph API, queue on %s', (engine) => {
  it('that fails in every way is sent no reply twice, and inbound messages do not wait for it', async (t) => {
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
      await site.deliver(receiver.url, post(org.phones[0]!, m))
      await site.allRouted(wamids)
      ms.push(performance.now() - before)
    }
    const count = async (state: string) =>
      (await site.db.$client.query('select 1 from outbox where state = $1', [state])).rows.length
    const unknown = 2 * FAILURES.filter(([maybeAccepted]) => maybeAccepted).length
    await eventually(async () => (await count('unknown')) === unknown)
    await eventually(async () => (await count('sent')) === customers.length - unknown)
    const ids = graph.requests.map(({ body }) => body.biz_opaque_callback_data)
    const sentAgain = ids.filter((id, i) => script[i]?.[0] && ids.indexOf(id, i + 1) !== -1)
    expect([new Set(ids).size, sentAgain]).toEqual([customers.length, []])
    const again = ids.length - customers.length
    const also = {
      unknown,
      'tried again after a certain refusal': again,
      'routed p99 (ms)': quantile(ms, 0.99),
    }
    const account = await site.account({ accepted: graph.accepted })
    publishFigure(15, { of: 'replies', engine, n: customers.length, account, also })
  })
})
