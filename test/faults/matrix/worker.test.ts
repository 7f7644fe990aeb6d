import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { describe, expect, it, type TestContext, vi } from 'vitest'
import { openEngine } from '../../../src/queue/connection.ts'
import { engines } from '../../support/app.ts'
import { type Installation, install, type Member, secondsUntil } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { acceptsBut, stalls } from '../../support/graph-server.ts'
import { createOrg, createRoom, createSendingOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { message, post } from '../../support/webhooks.ts'

// The tests mostly wait for locks to run out.
vi.setConfig({ maxConcurrency: 6 })

/** From now on, and until `over`, every insert of messages hangs for 8 s, as on a slow disk. */
async function hangInserts({ db }: Installation) {
  await db.$client.query(`create table slow as select 1;
    create function hang() returns trigger language plpgsql as $$
      begin
        if exists (select from slow) then perform pg_sleep(8); end if;
        return new;
      end $$;
    create trigger hang before insert on messages for each statement execute function hang()`)
  const hanging = async () => {
    const { rows } = await db.$client.query(
      `select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
    )
    return rows.map((r): number => r.pid)
  }
  const over = async () => {
    await db.$client.query('delete from slow')
  }
  return { hanging, over }
}

/** Runs requeue-stranded at once, as its schedule does every 5 s. */
function requeuer(t: TestContext, { databaseUrl, redisUrl }: Installation): () => Promise<unknown> {
  const engine = openEngine({
    redis: redisUrl ? { urls: [redisUrl], prefix: 'usher' } : undefined,
    databaseUrl,
  })
  const { options, disconnect } = engine.connectWorker()
  const queue = new Queue('maintenance', options, engine.backend)
  t.onTestFinished(disconnect)
  return () => queue.add('requeue-stranded', {}, { removeOnComplete: true })
}

/** A process that reads a delivery with this text ends as one that runs out of memory does. */
const KILLER = 'KILLS-ITS-WORKER'
const DIES_OF_IT = `const parse = JSON.parse
  JSON.parse = (text, ...more) => {
    if (String(text).includes('${KILLER}')) process.kill(process.pid, 'SIGKILL')
    return parse(text, ...more)
  }`

describe.concurrent.each(engines())('a worker, queue on %s', (engine) => {
  it('that is killed amid a transaction leaves nothing half done, and another worker does it once', async (t) => {
    const site = await install(t, engine)
    const { hanging, over } = await hangInserts(site)
    const receiver = await site.start('server')
    const worker = await site.start('workers')
    const wamids: string[] = []
    for (let i = 0; i < 4; i++) {
      const org = await createOrg(site.db, { unknown_sender: 'create' })
      const m = message({})
      wamids.push(m.id)
      await site.deliver(receiver.url, post(org.phones[0]!, m))
    }
    await eventually(async () => (await hanging()).length > 1)
    worker.kill('SIGKILL')
    await over()
    // The backends of the killed worker would sleep on and then find that it is gone; they are ended now instead.
    for (const pid of await hanging()) await site.db.$client.query('select pg_terminate_backend($1)', [pid])
    expect(await site.routed(wamids)).toBe(0)
    await site.start('workers')
    const seconds = await secondsUntil(async () => (await site.routed(wamids)) === wamids.length)
    publishFigure(2, {
      of: 'deliveries that it had claimed',
      engine,
      n: wamids.length,
      account: await site.account(),
      seconds,
    })
  })

  it('that is frozen for longer than its lock lasts, and then goes on, does nothing twice', async (t) => {
    const site = await install(t, engine)
    const graph = await startGraph(acceptsBut(stalls))
    const env = { GRAPH_API_URL: graph.url }
    const org = await createSendingOrg(site.db)
    await createRoom(site.db, org, { expiredAt: new Date(Date.now() - 1_000) })
    const { hanging, over } = await hangInserts(site)
    await over()
    const receiver = await site.start('server')
    const frozen = await site.start('workers', { env })
    const replied = message({})
    await site.deliver(receiver.url, post(org.phones[0]!, replied))
    await eventually(() => graph.requests.length === 1)
    await site.db.$client.query('insert into slow values (1)')
    const routing = [message({ from: '15558880001' }), message({ from: '15558880002' })]
    for (const m of routing) await site.deliver(receiver.url, post(org.phones[0]!, m))
    await eventually(async () => (await hanging()).length > 0)
    frozen.kill('SIGSTOP')
    await over()
    for (const pid of await hanging()) await site.db.$client.query('select pg_cancel_backend($1)', [pid])
    await site.start('workers', { env })
    const wamids = [replied, ...routing].map((m) => m.id)
    const seconds = await site.allRouted(wamids)
    frozen.kill('SIGCONT')
    const others = Array.from({ length: 20 }, (_, i) => message({ from: `15558881${100 + i}` }))
    for (const m of others) await site.deliver(receiver.url, post(org.phones[0]!, m))
    await site.allRouted([...wamids, ...others.map((m) => m.id)])
    expect(frozen.output()).toContain('could not renew lock')
    await sleep(500)
    const { rows } = await site.db.$client.query(
      `select count(*)::int as n from messages where direction = 'in'`,
    )
    expect([rows[0].n, graph.requests.length]).toEqual([23, 1])
    publishFigure(3, {
      of: 'messages and a reply that it had claimed',
      engine,
      n: 1 + routing.length,
      account: await site.account({ accepted: graph.accepted }),
      seconds,
    })
  })

  it('that a delivery kills again and again makes it a dead letter after some tries; all others are routed', async (t) => {
    const site = await install(t, engine)
    const org = await createOrg(site.db)
    const receiver = await site.start('server')
    const killer = message({ body: KILLER })
    const others = Array.from({ length: 30 }, () => message({}))
    const all = [...others.slice(0, 15), killer, ...others.slice(15)]
    await Promise.all(all.map((m) => site.deliver(receiver.url, post(org.phones[0]!, m))))
    let deaths = 0
    let stopped = false
    t.onTestFinished(() => {
      stopped = true
    })
    let worker: Member | undefined
    const supervisor = (async () => {
      while (!stopped) {
        // It may end before it says that it is up.
        worker = await site.start('workers', { preload: DIES_OF_IT }).catch(() => undefined)
        await worker?.exited()
        if (!stopped) deaths += 1
      }
    })()
    const wamids = others.map((m) => m.id)
    const seconds = await secondsUntil(async () => (await site.routed(wamids)) === wamids.length)
    // To save time, the delivery is made a suspect that has had all its tries but one.
    const requeue = requeuer(t, site)
    const inbox = async () => (await site.db.$client.query('select state, error from inbox')).rows
    await site.db.$client.query('update inbox set requeues = 3, attempts = 4')
    await eventually(async () => {
      await site.passDueTime()
      await requeue()
      await sleep(500)
      return (await inbox())[0].state === 'dead'
    })
    expect(await inbox()).toEqual([{ state: 'dead', error: 'never finished in 5 tries' }])
    const before = deaths
    const later = message({})
    await site.deliver(receiver.url, post(org.phones[0]!, later))
    await site.allRouted([...wamids, later.id])
    stopped = true
    worker?.kill('SIGTERM')
    await supervisor
    expect(deaths).toBe(before)
    publishFigure(4, {
      of: 'deliveries beside it',
      engine,
      n: others.length,
      account: await site.account({ deadLetters: [killer.id] }),
      seconds,
      also: { 'workers killed': deaths },
    })
  })
})
