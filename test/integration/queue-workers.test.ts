import { setTimeout as sleep } from 'node:timers/promises'
import { BullMQOtel } from 'bullmq-otel'
import { sql } from 'drizzle-orm'
import { describe, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { queueDepths } from '../../src/queue/depths.ts'
import { createWorker } from '../../src/queue/worker.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventually } from '../support/patience.ts'
import {
  deliveryJobs,
  engineKinds,
  engineOn,
  enqueued,
  newCollector,
  newPatientQueue,
  newProducer,
  newWorker,
  openStore,
} from '../support/queues.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'

// These tests mostly wait until a connection is back.
vi.setConfig({ maxConcurrency: 8 })

const log = createLogger({ logLevel: 'silent' })

describe.concurrent.each(engineKinds())('a queue on %s', (kind) => {
  test('gives a job to a worker on another connection, and keeps neither the job nor a connection', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine)
    const wakes: string[] = []
    const sender = newWorker(t, engine, 'outbound', async (job) => {
      wakes.push(job.name)
    })
    await Promise.all([worker.ready(), sender.ready()])
    await enqueued(producer, 1)
    await eventually(() => producer.queue('outbound') !== undefined)
    producer.wakeSenders()
    await eventually(() => ids.length > 0 && wakes.length > 0)
    expect([ids[0], wakes[0]]).toEqual([1, 'wake'])

    const jobsLeft = () => producer.queue('deliveries')!.getJobCountByTypes()
    await eventually(async () => (await jobsLeft()) === 0)
    await Promise.all([worker.close(2_000), sender.close(2_000), producer.close(2_000)])
    await eventually(() => proxy.open() === 0)
  })

  test('gives no job to a paused worker until it is resumed, and the running job ends', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine, 300)
    await enqueued(producer, 1)
    await eventually(() => ids.includes(1))
    worker.pause()
    const queue = newPatientQueue(t, engine)
    for (const id of [2, 3]) await queue.add('route', { ids: [id] })
    const counts = async () => queue.getJobCounts('waiting', 'active')
    await eventually(async () => (await counts()).active === 0)
    // Longer than a worker waits for a job, and than it takes to replace a worker that is dead.
    await sleep(6_000)
    worker.pause()
    expect([ids.includes(2), ids.includes(3), await counts()]).toEqual([
      false,
      false,
      { waiting: 2, active: 0 },
    ])
    worker.resume()
    worker.resume()
    await eventually(() => ids.includes(2) && ids.includes(3))
    expect(ids.filter((id) => id > 1)).toHaveLength(2)
  })

  test('gives no job to a worker that was paused before it was connected', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    await proxy.set('refuse')
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine)
    worker.pause()
    await proxy.set('pass')
    await enqueued(producer, 1)
    await worker.ready()
    await sleep(3_000)
    expect(ids).toEqual([])
    worker.resume()
    await eventually(() => ids.includes(1))
  })

  test('has jobs that carry ids only, and the trace in their options', async (t) => {
    const { direct } = await openStore(t, kind)
    const own =
      kind === 'redis'
        ? { redis: { urls: [direct], prefix: 'usher' }, databaseUrl: '' }
        : { redis: undefined, databaseUrl: direct }
    const producer = newProducer(t, openEngine({ ...own, telemetry: new BullMQOtel() }))
    await enqueued(producer, 7)
    const [job] = await producer.queue('deliveries')!.getWaiting()
    expect([job!.data, job!.opts.telemetry]).toEqual([{ ids: [7] }, { metadata: expect.any(String) }])
  })

  test('runs a canary before the waiting jobs, by its own handler, and queues it once for each turn', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await newPatientQueue(t, engine).addBulk(deliveryJobs(50))
    await eventually(() => producer.enqueueCanary('deliveries', 1))
    await eventually(() => producer.enqueueCanary('deliveries', 1))
    await eventually(() => producer.enqueueCanary('deliveries', 2))
    const order: string[] = []
    const process = async () => void order.push('work')
    const onCanary = async (queue: string) => void order.push(`canary of ${queue}`)
    const worker = createWorker({ engine, name: 'deliveries', concurrency: 1, process, onCanary, log })
    t.onTestFinished(() => worker.close(300))
    await eventually(() => order.length >= 52)
    expect(order.slice(0, 3)).toEqual(['canary of deliveries', 'canary of deliveries', 'work'])
    expect(order).toHaveLength(52)
    await eventually(
      async () => (await producer.queue('deliveries')!.getJobCountByTypes('waiting', 'active')) === 0,
    )
  })

  test('drops a canary that fails, so that no job is ever delayed', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    let answers = 0
    const onCanary = async () => {
      answers += 1
      if (answers === 1) throw new Error('the database is away')
    }
    const process = async () => {}
    const worker = createWorker({ engine, name: 'deliveries', concurrency: 1, process, onCanary, log })
    t.onTestFinished(() => worker.close(300))
    await eventually(() => producer.enqueueCanary('deliveries', 1))
    const left = () => producer.queue('deliveries')!.getJobCountByTypes()
    await eventually(async () => answers === 1 && (await left()) === 0)
    await eventually(() => producer.enqueueCanary('deliveries', 1))
    await eventually(() => answers === 2)
  })

  test('lets a worker that closes finish its job, which does not run again', async (t) => {
    const { engine } = await openStore(t, kind)
    const queue = newPatientQueue(t, engine)
    const runs: string[] = []
    const worker = newWorker(t, engine, 'deliveries', async () => {
      runs.push('begun')
      await sleep(300)
      runs.push('done')
    })
    await queue.add('route', { ids: [1] }, { removeOnComplete: true })
    await eventually(() => runs.length > 0)
    await worker.close(5_000)
    expect(runs).toEqual(['begun', 'done'])
    expect(await queue.getJobCountByTypes()).toBe(0)
  })

  test('repeats a job that fails, and then keeps it as failed without the values of rows', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { db } = await createTestDatabase()
    let tries = 0
    newWorker(t, engine, 'deliveries', async () => {
      tries += 1
      await db.execute(sql`select ${'canary'}::int`)
    })
    await eventually(() => producer.queue('deliveries') !== undefined)
    const queue = producer.queue('deliveries')!
    expect(queue.defaultJobOptions).toMatchObject({ attempts: 8 })
    await queue.add('route', { ids: [1] }, { attempts: 3 })
    await eventually(async () => (await queue.getFailedCount()) === 1)
    expect(tries).toBe(3)
    const [failed] = await queue.getFailed()
    expect(failed).toMatchObject({ data: { ids: [1] }, failedReason: 'database error 22P02' })
    expect(JSON.stringify(failed)).not.toContain('canary')
  })
})

describe.runIf(engineKinds().includes('redis'))('on Redis', { concurrent: true }, () => {
  test('a Redis Cluster gives a job to a worker', async (t) => {
    const { url, stop } = await startRedisCluster()
    t.onTestFinished(stop)
    const engine = engineOn('redis', ...url.split(','))
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine)
    await enqueued(producer, 1)
    await eventually(() => ids.includes(1))
    expect(Object.keys(await queueDepths(producer.queues()))).toContain('deliveries')
  })
})
