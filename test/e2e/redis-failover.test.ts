import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { engines, startTestApp, type TestApp } from '../support/app.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'
import { type RunningRedis, startRedis, startSentinel } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const portOf = ({ url }: RunningRedis) => new URL(url).port

async function command(redis: RunningRedis, ...words: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(redis.url)
  const reply = await client.call(...words)
  client.disconnect()
  return reply
}

/** A primary with a replica that has all its data. */
async function startPair(): Promise<[RunningRedis, RunningRedis]> {
  const [primary, replica] = await Promise.all([startRedis(), startRedis()])
  await command(replica, 'REPLICAOF', '127.0.0.1', portOf(primary))
  await eventually(async () =>
    /master_link_status:up/.test(String(await command(replica, 'INFO', 'replication'))),
  )
  return [primary, replica]
}

/** Resolves when a schedule has run after this call, which shows that jobs are added, taken and done again. */
async function sweptAgain({ db }: TestApp): Promise<number> {
  const began = performance.now()
  const { rows } = await db.$client.query('select now() as now')
  const text = `select 1 from heartbeats where name = 'requeue-stranded' and answered_at > $1::timestamptz + interval '1 second'`
  await eventually(async () => (await db.$client.query(text, [rows[0].now])).rowCount === 1)
  return performance.now() - began
}

describe.runIf(engines().includes('redis'))('a primary of Redis that changes', () => {
  it('to a replica at the same address is left for the new one: schedules run again within 15 s', async () => {
    const [primary, replica] = await startPair()
    const target = { host: '127.0.0.1', port: Number(portOf(primary)) }
    const proxy = await startTcpProxy(target)
    const app = await startTestApp('redis', { REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
    await sweptAgain(app)
    await command(replica, 'REPLICAOF', 'NO', 'ONE')
    target.port = Number(portOf(replica))
    await command(primary, 'REPLICAOF', '127.0.0.1', portOf(replica))
    expect(await sweptAgain(app)).toBeLessThan(15_000 * SLOWNESS)
    await app.lifetime.stop(10_000)
    await proxy.close()
    await Promise.all([primary.stop(), replica.stop()])
  })

  it('by a failover of Sentinel is found: schedules run again', async () => {
    const [primary, replica] = await startPair()
    const sentinel = await startSentinel('main', Number(portOf(primary)))
    const app = await startTestApp('redis', {
      REDIS_URL: `redis+sentinel://127.0.0.1:${portOf(sentinel)}/main`,
    })
    await sweptAgain(app)
    await primary.stop()
    await sweptAgain(app)
    expect(String(await command(replica, 'INFO', 'replication'))).toContain('role:master')
    await app.lifetime.stop(10_000)
    await Promise.all([sentinel.stop(), replica.stop()])
  })
})
