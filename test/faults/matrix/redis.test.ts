import { Redis } from 'ioredis'
import { describe, expect, it, type TestContext } from 'vitest'
import { freePort } from '../../../src/db/embedded/server.ts'
import { engines } from '../../support/app.ts'
import { quantile } from '../../support/faults/http-sender.ts'
import { type Installation, install, type Member, secondsUntil } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { createOrg, type TestOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { startRedis } from '../../support/redis.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { message, post } from '../../support/webhooks.ts'

const hasRedis = engines().includes('redis')

/** Posts so many new messages, ten at a time, and expects 200 each time; gives their wamids and the times in ms. */
async function postMany(site: Installation, url: string, org: TestOrg, count: number) {
  const wamids: string[] = []
  const ms: number[] = []
  const sender = async () => {
    while (wamids.length < count) {
      const m = message({ from: `1555666${1000 + (wamids.length % 40)}` })
      wamids.push(m.id)
      const before = performance.now()
      expect(await site.post(url, post(org.phones[0]!, m))).toBe(200)
      ms.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: 10 }, sender))
  return { wamids, ms }
}

async function newRedis(t: TestContext, port?: number) {
  const redis = await startRedis(port)
  t.onTestFinished(redis.stop)
  const client = new Redis(redis.url, { lazyConnect: true })
  client.on('error', () => undefined)
  t.onTestFinished(() => client.disconnect())
  return { ...redis, client }
}

/** How many lines the processes have logged. */
const linesOf = (members: Member[]) => members.reduce((sum, m) => sum + m.output().split('\n').length - 1, 0)

describe.runIf(hasRedis).concurrent('Redis', () => {
  it('away at the start, killed and frozen is no reason to refuse; all is routed once it is back', async (t) => {
    const port = await freePort()
    const site = await install(t, 'redis', { redisUrl: `redis://127.0.0.1:${port}` })
    const org = await createOrg(site.db)
    const receiver = await site.start('all')
    const sent = [await postMany(site, receiver.url, org, 200)]
    const recoveries: number[] = []
    const recovered = async () => {
      const all = sent.flatMap((s) => s.wamids)
      recoveries.push(await secondsUntil(async () => (await site.routed(all)) > all.length - 200))
      // The jobs in the Redis that died are lost.
      await site.passDueTime()
      await site.allRouted(all)
    }
    let redis = await newRedis(t, port)
    await recovered()
    await redis.stop()
    sent.push(await postMany(site, receiver.url, org, 200))
    redis = await newRedis(t, port)
    await recovered()
    process.kill(redis.pid, 'SIGSTOP')
    sent.push(await postMany(site, receiver.url, org, 200))
    process.kill(redis.pid, 'SIGCONT')
    await recovered()
    const ms = sent.flatMap((s) => s.ms)
    const also = {
      'first routed after (s)': recoveries.map((s) => s.toFixed(1)).join(' / '),
      'p99 (ms)': quantile(ms, 0.99),
    }
    publishFigure(5, { of: 'deliveries', n: ms.length, account: await site.account(), also })
  })

  it('that loses its data and scripts costs no message, and the schedules come back', async (t) => {
    const redis = await newRedis(t)
    const site = await install(t, 'redis', { redisUrl: redis.url })
    const org = await createOrg(site.db)
    const receiver = await site.start('server')
    const worker = await site.start('workers')
    const schedules = async () => Number(await redis.client.zcard('{usher}:maintenance:repeat'))
    await eventually(async () => (await schedules()) >= 4)
    worker.kill('SIGSTOP')
    const { wamids } = await postMany(site, receiver.url, org, 500)
    await redis.client.flushall()
    await redis.client.script('FLUSH')
    worker.kill('SIGCONT')
    await site.passDueTime()
    const ticks = await secondsUntil(async () => (await schedules()) >= 4)
    await site.allRouted(wamids)
    publishFigure(6, {
      of: 'deliveries whose jobs were flushed',
      n: wamids.length,
      account: await site.account(),
      also: { 'schedules back after (s)': ticks.toFixed(1) },
    })
  })

  it('that fails over to a replica that lagged loses jobs, and Usher no message', async (t) => {
    const [primary, replica] = [await newRedis(t), await newRedis(t)]
    const portOf = (url: string) => Number(new URL(url).port)
    const link = await startTcpProxy({ host: '127.0.0.1', port: portOf(primary.url) })
    const target = { host: '127.0.0.1', port: portOf(primary.url) }
    const address = await startTcpProxy(target)
    t.onTestFinished(async () => {
      await link.close()
      await address.close()
    })
    const site = await install(t, 'redis', { redisUrl: `redis://127.0.0.1:${address.port}` })
    const org = await createOrg(site.db)
    const receiver = await site.start('server')
    let worker = await site.start('workers')
    await replica.client.replicaof('127.0.0.1', link.port)
    await eventually(async () => (await replica.client.info('replication')).includes('master_link_status:up'))
    worker.kill('SIGKILL')
    const before = await postMany(site, receiver.url, org, 100)
    await link.set('blackhole')
    const after = await postMany(site, receiver.url, org, 200)
    await eventually(async () => Number(await primary.client.llen('{usher}:deliveries:wait')) > 0)
    const jobs = Number(await primary.client.llen('{usher}:deliveries:wait'))
    await primary.stop()
    target.port = portOf(replica.url)
    await replica.client.replicaof('NO', 'ONE')
    const kept = Number(await replica.client.llen('{usher}:deliveries:wait'))
    await address.set('reset')
    await address.set('pass')
    expect(kept).toBeLessThan(jobs)
    worker = await site.start('workers')
    await site.passDueTime()
    publishFigure(7, {
      of: 'deliveries',
      n: before.wamids.length + after.wamids.length,
      account: await site.account(),
      also: { 'jobs lost': `${jobs - kept} of ${jobs}` },
    })
  })

  it('that is full is no reason to refuse, and fills no log; all is routed when there is room', async (t) => {
    const redis = await newRedis(t)
    const site = await install(t, 'redis', { redisUrl: redis.url })
    const org = await createOrg(site.db)
    const members = [await site.start('all')]
    const sent = [await postMany(site, members[0]!.url, org, 50)]
    await site.allRouted(sent[0]!.wamids)
    await redis.client.config('SET', 'maxmemory', '1mb')
    const [start, lines] = [performance.now(), linesOf(members)]
    while (performance.now() - start < 5_000) sent.push(await postMany(site, members[0]!.url, org, 50))
    const perSecond = (linesOf(members) - lines) / ((performance.now() - start) / 1_000)
    await redis.client.config('SET', 'maxmemory', '0')
    const all = sent.flatMap((s) => s.wamids)
    await site.passDueTime()
    const seconds = await site.allRouted(all)
    expect(perSecond).toBeLessThan(10)
    const ms = sent.flatMap((s) => s.ms)
    const also = {
      'log lines/s': perSecond.toFixed(1),
      'p99 (ms)': quantile(ms, 0.99),
      'all routed after (s)': seconds.toFixed(1),
    }
    publishFigure(8, { of: 'deliveries', n: all.length, account: await site.account(), also })
  })
})
