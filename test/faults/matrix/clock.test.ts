import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { engines } from '../../support/app.ts'
import { install } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { createRoom, createSendingOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { DAY } from '../../support/time.ts'

/** Sets the clock of a process wrong by so many seconds, from so many seconds after its start. */
const wrongBy = (seconds: number, afterSeconds = 0) => `
  const RealDate = Date
  const start = RealDate.now()
  const now = () => RealDate.now() + (RealDate.now() - start >= ${afterSeconds * 1_000} ? ${seconds * 1_000} : 0)
  globalThis.Date = class extends RealDate {
    constructor(...args) { if (args.length === 0) super(now()); else super(...args) }
    static now() { return now() }
  }`

describe.concurrent.each(engines())('workers whose clocks are wrong, queue on %s', (engine) => {
  it('expire nothing too early or too late, and do nothing twice', async (t) => {
    const site = await install(t, engine)
    const graph = await startGraph()
    const env = { GRAPH_API_URL: graph.url }
    const org = await createSendingOrg(site.db, { expiry_days: 1 })
    // The first expires in five minutes, the other has been overdue for 20 s; both write all the time.
    const room = (customer: string, dueInMs: number) =>
      createRoom(site.db, org, { customer, createdAt: new Date(Date.now() - DAY + dueInMs) })
    const living = await room('+15556661000', 300_000)
    const overdue = await room('+15556661001', -20_000)
    const members = await Promise.all([
      site.start('all', { env }),
      site.start('workers', { env, preload: wrongBy(4) }),
      site.start('workers', { env, preload: wrongBy(-60) }),
      site.start('workers', { env, preload: wrongBy(600) }),
      site.start('workers', { env, preload: wrongBy(600, 3) }),
    ])
    const stop = site.startLoad(() => members[0]!.url, org.phones[0]!, 40)
    await sleep(8_000)
    const wamids = await stop()
    for (const one of members.slice(2, 4)) expect(one.output()).toContain('clock is wrong')
    await site.passDueTime()
    await site.allRouted(wamids)
    const { rows } = await site.db.$client.query(
      `select id, state, (select count(*)::int from outbox o where o.chatroom_id = r.id) as replies,
        (select count(*)::int from messages m where m.chatroom_id = r.id and m.direction = 'in') as messages
       from chatrooms r order by created_at desc`,
    )
    const [active, expired] = rows
    expect([active.id, active.state, active.replies]).toEqual([living.id, 'active', 0])
    expect([expired.id, expired.state, expired.replies]).toEqual([overdue.id, 'expired', expired.messages])
    const sent = () => site.db.$client.query(`select 1 from outbox where state = 'sent'`)
    // The pair rate lets ten a minute through.
    const sends = Math.min(expired.messages, 10)
    await eventually(async () => (await sent()).rows.length >= sends)
    const account = await site.account({ accepted: graph.accepted })
    publishFigure(14, { of: 'deliveries', engine, n: account.acknowledged, account })
  })
})
