import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Queue } from 'bullmq'
import { inject, type TestContext } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Engine, openEngine } from '../../src/queue/connection.ts'
import type { Jobs, QueueName } from '../../src/queue/names.ts'
import { createProducer, type Producer } from '../../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import { createTestDatabase } from './database.ts'
import { eventually } from './patience.ts'
import { type RunningRedis, startRedis } from './redis.ts'
import { type ProxyMode, startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export type EngineKind = Engine['kind']

export const OUTAGES: ProxyMode[] = ['refuse', 'reset', 'blackhole']

const log = createLogger({ logLevel: 'silent' })

/** The engines that can run here: PostgreSQL always, Redis where there is a redis-server. */
export const engineKinds = (): EngineKind[] =>
  inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']

/** A store of its own, reached through a proxy; `direct` is its URL without the proxy. */
export async function openStore(
  t: TestContext,
  kind: EngineKind,
): Promise<{ engine: Engine; proxy: TcpProxy; direct: string }> {
  const direct = kind === 'redis' ? (await newRedis(t)).url : (await createTestDatabase()).url
  const url = new URL(direct)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.onTestFinished(proxy.close)
  url.host = `127.0.0.1:${proxy.port}`
  return { engine: engineOn(kind, url.href), proxy, direct }
}

export async function newRedis(t: TestContext): Promise<RunningRedis> {
  const redis = await startRedis()
  t.onTestFinished(redis.stop)
  return redis
}

export function engineOn(kind: EngineKind, ...urls: string[]): Engine {
  return openEngine(
    kind === 'redis'
      ? { redis: { urls, prefix: 'usher' }, databaseUrl: '' }
      : { redis: undefined, databaseUrl: urls[0]! },
  )
}

export function newProducer(t: TestContext, engine: Engine, logger = log): Producer {
  const producer = createProducer({ engine, log: logger })
  t.onTestFinished(() => producer.close(300))
  return producer
}

export function newWorker<N extends QueueName>(
  t: TestContext,
  engine: Engine,
  name: N,
  process: (job: Job<Jobs[N]>) => Promise<void>,
): QueueWorker {
  const worker = createWorker({ engine, name, concurrency: 2, process, onCanary: async () => {}, log })
  t.onTestFinished(() => worker.close(300))
  return worker
}

/** A worker on deliveries that takes `ms` for each job, and the ids that it was given so far. */
export function newCollector(t: TestContext, engine: Engine, ms = 0): { worker: QueueWorker; ids: number[] } {
  const ids: number[] = []
  const worker = newWorker(t, engine, 'deliveries', async (job) => {
    ids.push(...job.data.ids)
    await sleep(ms)
  })
  return { worker, ids }
}

/** Enqueues a delivery as soon as the producer accepts it. */
export const enqueued = (producer: Producer, id: number) => eventually(() => producer.enqueueDeliveries([id]))

/** A queue that waits for its store: what it adds is added exactly once, on a slow machine too. */
export function newPatientQueue(t: TestContext, engine: Engine, name: QueueName = 'deliveries'): Queue {
  const { options, disconnect } = engine.connectWorker()
  const queue = new Queue(name, options, engine.backend)
  t.onTestFinished(async () => {
    await queue.close()
    disconnect()
  })
  return queue
}

/** So many jobs of one delivery each, with ids from 0. */
export const deliveryJobs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: 'route', data: { ids: [i] } }))

/** How many ms `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
