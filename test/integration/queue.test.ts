import type { Job } from 'bullmq'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { createLogger, type Logger } from '../../src/logger.ts'
import { oncePerSecond } from '../../src/queue/calm-log.ts'
import { type Engine, openEngine, ping } from '../../src/queue/connection.ts'
import { queueDepths } from '../../src/queue/health.ts'
import type { Jobs, QueueName } from '../../src/queue/names.ts'
import { createProducer, type Producer } from '../../src/queue/producer.ts'
import { keepSchedules, type Schedule } from '../../src/queue/schedules.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

type Kind = Engine['kind']

const log = createLogger({ logLevel: (process.env.TEST_LOG ?? 'silent') as 'silent' })
const hasRedis = inject('redisUrl') !== ''
let redis: RunningRedis | undefined
let database: TestDatabase
let redisDatabases = 0

beforeAll(async () => {
  if (hasRedis) redis = await startRedis()
})
afterAll(() => redis?.stop())

/** A store without jobs, reached through a proxy. */
async function openStore(kind: Kind): Promise<{ engine: Engine; proxy: TcpProxy }> {
  const url = new URL(kind === 'redis' ? `${redis!.url}/${redisDatabases++}` : (await createTestDatabase()).url)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  onTestFinished(proxy.close)
  url.host = `127.0.0.1:${proxy.port}`
  return { engine: engineOf(kind, url.href), proxy }
}

function engineOf(kind: Kind, url: string): Engine {
  return openEngine(
    kind === 'redis' ? { redisUrls: [url], databaseUrl: '' } : { redisUrls: [], databaseUrl: url },
  )
}

function newProducer(engine: Engine): Producer {
  const producer = createProducer({ engine, log })
  onTestFinished(() => producer.close(2_000))
  return producer
}

function newWorker<N extends QueueName>(
  engine: Engine,
  name: N,
  process: (job: Job<Jobs[N]>) => Promise<void>,
): QueueWorker {
  const worker = createWorker({ engine, name, concurrency: 2, process, log })
  onTestFinished(() => worker.close(2_000))
  return worker
}

/** A worker on deliveries, and the ids it was given. */
function newCollector(engine: Engine): { worker: QueueWorker; ids: number[] } {
  const ids: number[] = []
  const worker = newWorker(engine, 'deliveries', async (job) => {
    ids.push(...job.data.ids)
  })
  return { worker, ids }
}

async function untilTrue(check: () => boolean | Promise<boolean>, timeout = 10_000): Promise<number> {
  const start = performance.now()
  await expect.poll(check, { timeout, interval: 20 }).toBe(true)
  return performance.now() - start
}

const enqueues = (producer: Producer, id = 0) => untilTrue(() => producer.enqueueDeliveries([id]))

async function refuses(producer: Producer): Promise<number> {
  const start = performance.now()
  expect(await producer.enqueueDeliveries([-1])).toBe(false)
  return performance.now() - start
}

describe.each<Kind>(hasRedis ? ['postgres', 'redis'] : ['postgres'])('queues on %s', (kind) => {
  test('the engine is the one asked for and answers', async () => {
    const { engine, proxy } = await openStore(kind)
    expect(engine.kind).toBe(kind)
    await ping(engine)
    for (const mode of ['blackhole', 'reset', 'refuse'] as const) {
      await proxy.set(mode)
      const start = performance.now()
      await expect(ping(engine)).rejects.toThrow()
      expect(performance.now() - start).toBeLessThan(1_200)
    }
  })

  test('a job reaches a worker in another object, and leaves nothing behind', async () => {
    const { engine } = await openStore(kind)
    const producer = newProducer(engine)
    const sent: unknown[] = []
    const { ids, worker } = newCollector(engine)
    const outbound = newWorker(engine, 'outbound', async (job) => {
      sent.push(job.data)
    })
    await Promise.all([worker.ready(), outbound.ready()])
    await enqueues(producer, 1)
    await expect(producer.enqueueDeliveries([2, 3])).resolves.toBe(true)
    await untilTrue(() => producer.enqueueOutbound({ org: 'o', id: 'x' }))
    await untilTrue(() => ids.length === 3 && sent.length === 1)
    expect(ids.toSorted()).toEqual([1, 2, 3])
    expect(sent).toEqual([{ org: 'o', id: 'x' }])
    await untilTrue(async () => {
      const counts = await producer.queue('deliveries')!.getJobCounts()
      return Object.values(counts).every((count) => count === 0)
    })
  })

  test.each(['refuse', 'reset', 'blackhole'] as const)(
    'a store that is away (%s) costs a producer 350 ms at most, and it heals',
    async (mode) => {
      const { engine, proxy } = await openStore(kind)
      const producer = newProducer(engine)
      await enqueues(producer)
      await proxy.set(mode)
      const times = []
      for (let i = 0; i < 4; i++) times.push(await refuses(producer))
      await proxy.set('pass')
      const healed = await enqueues(producer)
      if (process.env.TEST_TIMES) console.log(kind, mode, times, 'healed', healed)
      expect(Math.max(...times)).toBeLessThan(350)
    },
  )

  test('a producer and a worker built while the store is away work once it is there', async () => {
    const { engine, proxy } = await openStore(kind)
    await proxy.set('refuse')
    const producer = newProducer(engine)
    const { ids } = newCollector(engine)
    const took = await refuses(producer)
    expect(took).toBeLessThan(50)
    expect(producer.queues()).toEqual([])
    await proxy.set('pass')
    const healed = await enqueues(producer, 7)
    const arrived = await untilTrue(() => ids.includes(7))
    if (process.env.TEST_TIMES) console.log(kind, 'built away', healed, arrived)
  })

  test('objects that lose the store while they are being built are built again', async () => {
    const { engine, proxy } = await openStore(kind)
    proxy.passOnly(1)
    const { ids } = newCollector(engine)
    const direct = newProducer(engine)
    await new Promise((r) => setTimeout(r, 1500))
    await proxy.set('pass')
    await enqueues(direct, 7)
    const arrived = await untilTrue(() => ids.includes(7))
    if (process.env.TEST_TIMES) console.log(kind, 'lost while built', arrived)
  })

  test.each(['refuse', 'reset', 'blackhole'] as const)('a worker goes on after its store was away (%s)', async (mode) => {
    const { engine, proxy } = await openStore(kind)
    const producer = newProducer(engine)
    const { worker, ids } = newCollector(engine)
    await worker.ready()
    await enqueues(producer, 1)
    await untilTrue(() => ids.includes(1))
    await proxy.set(mode)
    await new Promise((r) => setTimeout(r, 1500))
    await proxy.set('pass')
    const e = await enqueues(producer, 2)
    const arrived = await untilTrue(() => ids.includes(2), 30_000)
    if (process.env.TEST_TIMES) console.log(kind, mode, 'worker back', e, arrived)
  })
})
