import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { engines } from '../../support/app.ts'
import { newTally } from '../../support/faults/http-sender.ts'
import { install } from '../../support/faults/installation.ts'
import { createLabDatabase } from '../../support/faults/lab/database.ts'
import { startReplicated } from '../../support/faults/lab/replicated.ts'
import { publishFigure } from '../../support/figures.ts'
import { startGraph } from '../../support/graph.ts'
import { createRoom, createSendingOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { message, post } from '../../support/webhooks.ts'

type Engine = 'postgres' | 'redis'

const CUSTOMERS = 40

/** Usher on a primary with a standby; customers whose messages are answered with an auto-reply. */
async function installReplicated(
  t: TestContext,
  engine: Engine,
  { isSynchronous }: { isSynchronous: boolean },
) {
  const folder = await mkdtemp(join(tmpdir(), 'usher-failover-'))
  await chmod(folder, 0o755)
  t.onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const servers = await startReplicated(folder)
  t.onTestFinished(servers.stop)
  const database = await createLabDatabase(servers.url)
  t.onTestFinished(database.close)
  if (isSynchronous) await servers.makeSynchronous()
  const site = await install(t, engine, { database })
  const org = await createSendingOrg(site.db)
  for (let i = 0; i < CUSTOMERS; i += 1)
    await createRoom(site.db, org, {
      customer: `+1555666${1000 + i}`,
      expiredAt: new Date(Date.now() - 1_000),
    })
  const graph = await startGraph()
  const usher = await site.start('all', { env: { GRAPH_API_URL: graph.url } })
  const replication = async () => (await (await fetch(`${usher.opsUrl}/ready`)).json()).details?.replication
  const sendsEnded = () =>
    eventually(async () => {
      const open = `select 1 from outbox where state in ('queued', 'sending')`
      return (await site.db.$client.query(open)).rows.length === 0
    })
  return { servers, site, org, graph, usher, replication, sendsEnded }
}

describe.each(engines())('with the queue on %s', (engine) => {
  it('a failover to a synchronous standby loses and doubles nothing, also when the standby was cut off just before', async (t) => {
    const { servers, site, org, graph, usher, replication, sendsEnded } = await installReplicated(t, engine, {
      isSynchronous: true,
    })
    await eventually(async () => expect(await replication()).toBe('synchronous'))
    const tally = newTally()
    const stop = site.startLoad(() => usher.url, org.phones[0]!, 50, tally)
    await eventually(() => graph.accepted.length > CUSTOMERS)
    await servers.cutReplication()
    // What the primary alone has is not acknowledged: the receiver answers 503.
    await eventually(() => (tally.answers.get(503) ?? 0) > 0)
    const failedAt = Date.now()
    await servers.failOver()
    await eventually(async () => (await site.post(usher.url, post(org.phones[0]!, message({})))) === 200)
    const wamids = await stop()
    await site.passDueTime()
    await site.allRouted(wamids)
    await sendsEnded()
    const account = await site.account({ accepted: graph.accepted, workerEnds: [failedAt] })
    const also = { replies: graph.accepted.length, '503s while cut off': tally.answers.get(503) ?? 0 }
    publishFigure(32, { of: 'deliveries, synchronous', engine, n: account.acknowledged, account, also })
  })

  it('a failover to an asynchronous standby loses what the standby lacked, and nothing else', async (t) => {
    const { servers, site, org, usher, replication, sendsEnded } = await installReplicated(t, engine, {
      isSynchronous: false,
    })
    await eventually(async () => expect(await replication()).toBe('asynchronous'))
    expect(usher.output()).toMatch(/standbys follow this database asynchronously/)
    const deliver = async (count: number) => {
      const messages = Array.from({ length: count }, (_, i) => message({ from: `1555666${1000 + i}` }))
      for (const one of messages) await site.deliver(usher.url, post(org.phones[0]!, one))
      const wamids = messages.map(({ id }) => id)
      await site.allRouted(wamids)
      await sendsEnded()
      return wamids
    }
    const replicated = await deliver(CUSTOMERS)
    await servers.caughtUp()
    await servers.cutReplication()
    const lacking = await deliver(CUSTOMERS / 2)
    await servers.failOver()
    const counts = async () => [await site.routed(replicated), await site.routed(lacking)]
    await eventually(async () => expect(await counts()).toEqual([CUSTOMERS, 0]))
    expect(await deliver(CUSTOMERS)).toHaveLength(CUSTOMERS)
    const also = { 'answered 200 after the standby was cut off, and lost': lacking.length }
    publishFigure(32, { of: 'deliveries, asynchronous', engine, n: replicated.length, wrong: [], also })
  })
})
