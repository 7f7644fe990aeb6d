import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { engines } from '../../support/app.ts'
import { newTally, quantile } from '../../support/faults/http-sender.ts'
import { type Installation, install, type Member } from '../../support/faults/installation.ts'
import { seededRandom } from '../../support/faults/random.ts'
import { publishFigure, rounds, SEED } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { openSocket } from '../../support/http.ts'
import { createOrg, createRoom, createSendingOrg } from '../../support/org.ts'
import { message, post } from '../../support/webhooks.ts'

/** Ends a process and starts its successor on the same port. */
async function replace(site: Installation, role: 'server' | 'workers', old: Member, signal: NodeJS.Signals) {
  const before = performance.now()
  old.kill(signal)
  await old.exited()
  const seconds = (performance.now() - before) / 1_000
  const PORT = old.url ? new URL(old.url).port : '0'
  return { seconds, member: await site.start(role, { env: { PORT } }) }
}

describe.concurrent.each(engines())('a receiver, queue on %s', (engine) => {
  it('that is killed amid requests loses nothing it answered 200', async (t) => {
    const site = await install(t, engine)
    const org = await createOrg(site.db, { unknown_sender: 'create' })
    const random = seededRandom(SEED)
    await site.start('workers')
    let receiver = await site.start('server')
    const tally = newTally()
    const stop = site.startLoad(() => receiver.url, org.phones[0]!, 3, tally)
    const kills = rounds(2)
    for (let i = 0; i < kills; i++) {
      await sleep(100 + random.next() * 300)
      receiver = (await replace(site, 'server', receiver, 'SIGKILL')).member
    }
    const wamids = await stop()
    // The killed receivers had stored deliveries whose jobs they did not enqueue any more.
    await site.passDueTime()
    const account = await site.account()
    expect([account.acknowledged, tally.answers.get(200)]).toEqual([wamids.length, wamids.length])
    const unanswered = [...tally.answers].reduce((sum, [status, n]) => (status === 200 ? sum : sum + n), 0)
    expect(unanswered).toBeGreaterThan(0)
    const also = { kills, unanswered }
    publishFigure(1, { of: 'deliveries', engine, n: account.acknowledged, seed: SEED, account, also })
  })

  it('and a worker are replaced under load again and again: nothing is lost, each ends in time', async (t) => {
    const site = await install(t, engine)
    const org = await createOrg(site.db, { unknown_sender: 'create' })
    const receivers = [await site.start('server'), await site.start('server')]
    let worker = await site.start('workers')
    const tally = newTally()
    let turn = 0
    const stop = site.startLoad(() => receivers[turn++ % 2]!.url, org.phones[0]!, 5, tally)
    const exits: number[] = []
    const restarts = rounds(2)
    for (let i = 0; i < restarts; i++) {
      const next = await replace(site, 'server', receivers[i % 2]!, 'SIGTERM')
      receivers[i % 2] = next.member
      exits.push(next.seconds)
      if (i % 2 === 1) continue
      const other = await replace(site, 'workers', worker, 'SIGTERM')
      worker = other.member
      exits.push(other.seconds)
    }
    await site.allRouted(await stop())
    const account = await site.account()
    expect(Math.max(...exits)).toBeLessThan(10)
    const also = { 'slowest exit (s)': Math.max(...exits).toFixed(1), 'p99 (ms)': quantile(tally.ms, 0.99) }
    publishFigure(30, {
      of: `deliveries over ${exits.length} restarts`,
      engine,
      n: account.acknowledged,
      account,
      also,
    })
  })
})

describe.concurrent('copies of one delivery', () => {
  it('100 at once, over two receivers, are one message, one chatroom and one reply', async (t) => {
    const site = await install(t, 'postgres')
    const graph = await startGraph()
    const org = await createSendingOrg(site.db, { unknown_sender: 'create' })
    await createRoom(site.db, org, { expiredAt: new Date(Date.now() - 1_000) })
    const env = { GRAPH_API_URL: graph.url }
    await Promise.all([site.start('workers', { env }), site.start('workers', { env })])
    const receivers = await Promise.all([site.start('server'), site.start('server')])
    const wamids: string[] = []
    // Meta's pair rate lets ten replies a minute through.
    const times = Math.min(rounds(5), 10)
    for (let round = 0; round < times; round++) {
      // One message goes to the expired chatroom and gets a reply; the other is of a new sender, who gets a chatroom.
      const pair = [message({}), message({ from: `155500077${10 + round}` })]
      const body = post(org.phones[0]!, ...pair)
      await Promise.all(Array.from({ length: 100 }, (_, i) => site.deliver(receivers[i % 2]!.url, body)))
      wamids.push(...pair.map((m) => m.id))
    }
    await site.allRouted(wamids)
    await expect.poll(() => graph.accepted.length).toBe(times)
    const { rows } = await site.db.$client.query(
      `select (select count(*)::int from messages where direction = 'in') as messages,
        (select count(*)::int from chatrooms) as rooms, (select count(*)::int from outbox) as replies`,
    )
    expect(rows).toEqual([{ messages: 2 * times, rooms: 1 + times, replies: times }])
    const account = await site.account({ accepted: graph.accepted })
    publishFigure(16, { of: 'times 100 copies', n: times, account })
  })

  it('a thousand replays are one message and one reply', async (t) => {
    const site = await install(t, 'postgres')
    const graph = await startGraph()
    const org = await createSendingOrg(site.db)
    await createRoom(site.db, org, { expiredAt: new Date(Date.now() - 1_000) })
    const { url } = await site.start('all', { env: { GRAPH_API_URL: graph.url } })
    const m = message({})
    const body = post(org.phones[0]!, m)
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, () => site.deliver(url, body)))
    await site.allRouted([m.id])
    await expect.poll(() => graph.accepted.length).toBe(1)
    const { rows } = await site.db.$client.query(
      'select (select count(*)::int from messages where direction = $1) as messages, (select count(*)::int from outbox) as sends',
      ['in'],
    )
    expect(rows).toEqual([{ messages: 1, sends: 1 }])
    const account = await site.account({ accepted: graph.accepted })
    publishFigure(22, { of: 'replays', n: 1_000, account, also: { sends: graph.requests.length } })
  })
})

describe.concurrent('a receiver', () => {
  it('that slow senders hold open by the hundred answers the others, and closes every one', async (t) => {
    const site = await install(t, 'postgres')
    const org = await createOrg(site.db)
    const { url } = await site.start('all')
    const count = Number(process.env.FAULT_SOCKETS ?? 400)
    const start = performance.now()
    const slow = await Promise.all(Array.from({ length: count }, () => openSocket(url)))
    for (const [i, { socket }] of slow.entries()) {
      const head = 'POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\n'
      socket.write(i % 2 === 0 ? `${head}x-slow: ` : `${head}content-length: 1000\r\n\r\n`)
    }
    const trickle = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('a')
    }, 500)
    t.onTestFinished(() => clearInterval(trickle))
    const closed = Promise.all(slow.map((s) => s.closed)).then(() => (performance.now() - start) / 1_000)
    const ms: number[] = []
    for (let i = 0; i < 200; i++) {
      const before = performance.now()
      await site.deliver(url, post(org.phones[0]!, message({})))
      ms.push(performance.now() - before)
      await sleep(20)
    }
    const seconds = await closed
    expect(seconds).toBeLessThan(15)
    const open = slow.filter(({ socket }) => !socket.closed)
    publishFigure(23, {
      of: 'sockets',
      n: count,
      wrong: open,
      also: { 'others p99 (ms)': quantile(ms, 0.99), 'all closed after (s)': seconds.toFixed(1) },
    })
  })
})
