import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Queue } from 'bullmq'
import { BullMQOtel } from 'bullmq-otel'
import { sql } from 'drizzle-orm'
import { Redis } from 'ioredis'
import { describe, expect, inject, type TestContext, test, vi } from 'vitest'
import { freePort } from '../../src/db/embedded/server.ts'
import { createLogger } from '../../src/logger.ts'
import { oncePerSecond } from '../../src/once-per-second.ts'
import { type Engine, openEngine, ping } from '../../src/queue/connection.ts'
import { queueDepths } from '../../src/queue/depths.ts'
import type { Jobs, QueueName } from '../../src/queue/names.ts'
import { createProducer, type Producer } from '../../src/queue/producer.ts'
import { keepSchedules, type Schedule } from '../../src/queue/schedules.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { findRedis, type RunningRedis, startRedis } from '../support/redis.ts'
import { type ProxyMode, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

type Kind = Engine['kind']
type Store = { engine: Engine; proxy: TcpProxy; direct: string }

// Most of what these tests do is to wait until something heals.
vi.setConfig({ maxConcurrency: 8 })

const log = createLogger({ logLevel: 'silent' })
const kinds: Kind[] = inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']
const OUTAGES: ProxyMode[] = ['refuse', 'reset', 'blackhole']

/** A store of its own, reached through a proxy; `direct` goes around it. */
async function openStore(t: TestContext, kind: Kind): Promise<Store> {
  const direct = kind === 'redis' ? (await newRedis(t)).url : (await createTestDatabase()).url
  const url = new URL(direct)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.onTestFinished(proxy.close)
  url.host = `127.0.0.1:${proxy.port}`
  return { engine: engineOn(kind, url.href), proxy, direct }
}

async function newRedis(t: TestContext): Promise<RunningRedis> {
  const redis = await startRedis()
  t.onTestFinished(redis.stop)
  return redis
}

function engineOn(kind: Kind, ...urls: string[]): Engine {
  return openEngine(
    kind === 'redis' ? { redisUrls: urls, databaseUrl: '' } : { redisUrls: [], databaseUrl: urls[0]! },
  )
}

function newProducer(t: TestContext, engine: Engine, logger = log): Producer {
  const producer = createProducer({ engine, log: logger })
  t.onTestFinished(() => producer.close(300))
  return producer
}

function newWorker<N extends QueueName>(
  t: TestContext,
  engine: Engine,
  name: N,
  process: (job: Job<Jobs[N]>) => Promise<void>,
): QueueWorker {
  const worker = createWorker({ engine, name, concurrency: 2, process, onCanary: async () => {}, log })
  t.onTestFinished(() => worker.close(300))
  return worker
}

/** A worker on deliveries that takes `ms` for each job, and the ids it was given. */
function newCollector(t: TestContext, engine: Engine, ms = 0): { worker: QueueWorker; ids: number[] } {
  const ids: number[] = []
  const worker = newWorker(t, engine, 'deliveries', async (job) => {
    ids.push(...job.data.ids)
    await sleep(ms)
  })
  return { worker, ids }
}

const until = (check: () => boolean | Promise<boolean>, timeout = 25_000) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout, interval: 20 })

const enqueued = (producer: Producer, id: number) => until(() => producer.enqueueDeliveries([id]))

/** A queue that waits for its store: what it adds is there exactly once, however slow the machine. */
function newPatientQueue(t: TestContext, engine: Engine, name: QueueName = 'deliveries'): Queue {
  const { options, disconnect } = engine.connectWorker()
  const queue = new Queue(name, options, engine.backend)
  t.onTestFinished(async () => {
    await queue.close()
    disconnect()
  })
  return queue
}

const jobs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: 'route', data: { ids: [i] } }))

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

describe.each(kinds)('queues on %s', (kind) => {
  test.for(OUTAGES)('a store that is away (%s) costs who enqueues 350 ms at most', async (outage, t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await enqueued(producer, 1)
    await proxy.set(outage)
    const refused = () => expect(producer.enqueueDeliveries([2])).resolves.toBe(false)
    const times = [await timed(refused), await timed(refused), await timed(refused)]
    const median = times.toSorted((a, b) => a - b)[1]
    expect(median).toBeLessThan(outage === 'blackhole' ? 350 : 50)
  })
})

describe.concurrent.each(kinds)('at the same time, queues on %s', (kind) => {
  test('ping answers, or fails within its deadline', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    expect(engine.kind).toBe(kind)
    await ping(engine)
    for (const outage of OUTAGES) {
      await proxy.set(outage)
      expect(await timed(() => expect(ping(engine)).rejects.toThrow())).toBeLessThan(1_200)
    }
  })

  test.for(OUTAGES)('closing keeps its deadline while the store is away (%s)', async (outage, t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine)
    await enqueued(producer, 1)
    await until(() => ids.length > 0)
    await proxy.set(outage)
    expect(await timed(() => worker.close(400))).toBeLessThan(650)
    void producer.enqueueDeliveries([2])
    await sleep(20)
    expect(await timed(() => producer.close(100))).toBeLessThan(350)
  })

  test('an idle worker whose store is away closes at once, with time to spare', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const { worker } = newCollector(t, engine)
    await worker.ready()
    await proxy.set('refuse')
    expect(await timed(() => worker.close(30_000))).toBeLessThan(1_500)
  })

  test('a job reaches a worker in another object and leaves nothing behind', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine)
    const rows: unknown[] = []
    const sender = newWorker(t, engine, 'outbound', async (job) => {
      rows.push(job.data)
    })
    await Promise.all([worker.ready(), sender.ready()])
    await enqueued(producer, 1)
    await until(() => producer.enqueueOutbound([{ org: 'o', id: 'x' }]))
    await until(() => ids.length > 0 && rows.length > 0)
    expect([ids[0], rows[0]]).toEqual([1, { org: 'o', id: 'x' }])

    const jobsLeft = () => producer.queue('deliveries')!.getJobCountByTypes()
    await until(async () => (await jobsLeft()) === 0)
    await Promise.all([worker.close(2_000), sender.close(2_000), producer.close(2_000)])
    await until(() => proxy.open() === 0, 3_000)
  })

  test('a paused worker ends the job at work and takes no other until it is resumed', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { worker, ids } = newCollector(t, engine, 300)
    await enqueued(producer, 1)
    await until(() => ids.includes(1))
    worker.pause()
    for (const id of [2, 3]) await enqueued(producer, id)
    const counts = async () => producer.queue('deliveries')!.getJobCounts('waiting', 'active')
    await until(async () => (await counts()).active === 0)
    // Longer than a worker waits for a job, and than it takes to notice that one is dead and build it anew.
    await sleep(6_000)
    worker.pause()
    expect([ids.includes(2), ids.includes(3), await counts()]).toEqual([
      false,
      false,
      { waiting: 2, active: 0 },
    ])
    worker.resume()
    worker.resume()
    await until(() => ids.includes(2) && ids.includes(3))
    expect(ids.filter((id) => id > 1)).toHaveLength(2)
  })

  test('a worker that was paused before it had a store takes nothing when it has one', async (t) => {
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
    await until(() => ids.includes(1))
  })

  test('a job hands its trace on in its options, and carries ids only', async (t) => {
    const { direct } = await openStore(t, kind)
    const own =
      kind === 'redis' ? { redisUrls: [direct], databaseUrl: '' } : { redisUrls: [], databaseUrl: direct }
    const producer = newProducer(t, openEngine({ ...own, telemetry: new BullMQOtel() }))
    await enqueued(producer, 7)
    const [job] = await producer.queue('deliveries')!.getWaiting()
    expect([job!.data, job!.opts.telemetry]).toEqual([{ ids: [7] }, { metadata: expect.any(String) }])
  })

  test('a canary overtakes the backlog, is told apart from work, and waits once a turn', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await newPatientQueue(t, engine).addBulk(jobs(50))
    await until(() => producer.enqueueCanary('deliveries', 1))
    await until(() => producer.enqueueCanary('deliveries', 1))
    await until(() => producer.enqueueCanary('deliveries', 2))
    const order: string[] = []
    const process = async () => void order.push('work')
    const onCanary = async (queue: string) => void order.push(`canary of ${queue}`)
    const worker = createWorker({ engine, name: 'deliveries', concurrency: 1, process, onCanary, log })
    t.onTestFinished(() => worker.close(300))
    await until(() => order.length >= 52)
    expect(order.slice(0, 3)).toEqual(['canary of deliveries', 'canary of deliveries', 'work'])
    expect(order).toHaveLength(52)
    await until(
      async () => (await producer.queue('deliveries')!.getJobCountByTypes('waiting', 'active')) === 0,
    )
  })

  test('a canary that fails is gone, so that nothing is ever delayed', async (t) => {
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
    await until(() => producer.enqueueCanary('deliveries', 1))
    const left = () => producer.queue('deliveries')!.getJobCountByTypes()
    await until(async () => answers === 1 && (await left()) === 0)
    await until(() => producer.enqueueCanary('deliveries', 1))
    await until(() => answers === 2)
  })

  test('producer and worker built while the store is away work once it is there', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    await proxy.set('refuse')
    const lines: string[] = []
    const counting = createLogger({ logLevel: 'warn' }, { write: (line) => lines.push(line) })
    const producer = newProducer(t, engine, counting)
    const { ids } = newCollector(t, engine)
    expect(await producer.enqueueDeliveries([1])).toBe(false)
    await sleep(1_200)
    expect(producer.queues()).toEqual([])
    expect(lines, 'one line for each queue').toHaveLength(3)
    await proxy.set('pass')
    await enqueued(producer, 2)
    await until(() => ids.includes(2))
  })

  test('closing waits for the job at work, which is not done twice', async (t) => {
    const { engine } = await openStore(t, kind)
    const queue = newPatientQueue(t, engine)
    const runs: string[] = []
    const worker = newWorker(t, engine, 'deliveries', async () => {
      runs.push('begun')
      await sleep(300)
      runs.push('done')
    })
    await queue.add('route', { ids: [1] }, { removeOnComplete: true })
    await until(() => runs.length > 0)
    await worker.close(5_000)
    expect(runs).toEqual(['begun', 'done'])
    expect(await queue.getJobCountByTypes()).toBe(0)
  })

  test('depths are counted by queue, or refused within a deadline', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await until(() => producer.queues().length === 3)
    await newPatientQueue(t, engine).addBulk(jobs(2))
    await newPatientQueue(t, engine, 'outbound').add('send', { org: 'o', id: 'x' }, { delay: 60_000 })
    const none = { waiting: 0, active: 0, delayed: 0, failed: 0 }
    expect(await queueDepths(producer.queues())).toEqual({
      deliveries: { ...none, waiting: 2 },
      outbound: { ...none, delayed: 1 },
      maintenance: none,
    })
    await proxy.set('blackhole')
    const refused = () => expect(queueDepths(producer.queues())).rejects.toThrow()
    expect(await timed(refused)).toBeLessThan(1_200)
  })

  test.for(OUTAGES)('the same producer and worker go on after an outage (%s)', async (outage, t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine, 20)
    await newPatientQueue(t, engineOn(kind, direct)).addBulk(jobs(30))
    await until(() => ids.length > 3)

    await proxy.set(outage)
    await until(async () => !(await producer.enqueueDeliveries([31])))
    const turnedAway = proxy.turnedAway()
    await sleep(1_000)
    expect(proxy.turnedAway() - turnedAway, 'connections tried in a second').toBeLessThan(60)
    await proxy.set('pass')
    const back = performance.now()
    await enqueued(producer, 32)
    await until(() => ids.includes(32))
    if (outage !== 'blackhole') expect(performance.now() - back).toBeLessThan(12_000)
  })

  test.for([0, 1])('a worker goes on when its connection %i goes silent', async (nth, t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    const producer = newProducer(t, engineOn(kind, direct))
    const queue = newPatientQueue(t, engineOn(kind, direct))
    await queue.addBulk(jobs(20))
    const { ids } = newCollector(t, engine, 20)
    await until(() => ids.length > 3)
    proxy.silence(nth)
    // On Redis what was at work stays active until its lock ends: its completion went into the void.
    const busy = kind === 'redis' ? (['waiting'] as const) : (['waiting', 'active'] as const)
    await until(async () => (await queue.getJobCountByTypes(...busy)) === 0)
    // A worker on PostgreSQL that no longer hears of new jobs would sleep until this one is due.
    if (kind === 'postgres') await queue.add('route', { ids: [99] }, { delay: 3_600_000 })
    await enqueued(producer, 20)
    const seconds = (await timed(() => until(() => ids.includes(20)))) / 1_000
    publishFigure(11, { of: `silent connection ${nth} of a worker`, engine: kind, n: 1, seconds })
  })

  test('a worker that lost its store while being built is built again', async (t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    proxy.passOnly(1)
    const { ids } = newCollector(t, engine)
    await until(() => proxy.turnedAway() > 0)
    await proxy.set('pass')
    const back = performance.now()
    const producer = newProducer(t, engineOn(kind, direct))
    await enqueued(producer, 1)
    await until(() => ids.includes(1))
    expect(performance.now() - back).toBeLessThan(6_000)
  })

  test('a store that hangs up while a worker is being built does not end the process', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    proxy.hangUpOn(kind === 'redis' ? 'info' : 'migration', 2)
    const crashes: unknown[] = []
    const onCrash = (error: unknown) => crashes.push(error)
    process.on('uncaughtException', onCrash)
    t.onTestFinished(() => void process.off('uncaughtException', onCrash))
    const { worker } = newCollector(t, engine)
    await worker.ready()
    expect(crashes).toEqual([])
  })

  test('a queue that died while its store is well is replaced', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await enqueued(producer, 1)
    const dead = producer.queue('deliveries')!
    await dead.disconnect()
    expect(await producer.enqueueDeliveries([2])).toBe(false)
    expect(await timed(() => expect(queueDepths([dead])).rejects.toThrow())).toBeLessThan(1_200)
    await enqueued(producer, 3)
    expect(producer.queue('deliveries')).not.toBe(dead)
  })

  test('a job that fails is tried again and then kept as failed, without the values of rows', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { db } = await createTestDatabase()
    let tries = 0
    newWorker(t, engine, 'deliveries', async () => {
      tries += 1
      await db.execute(sql`select ${'canary'}::int`)
    })
    await until(() => producer.queue('deliveries') !== undefined)
    const queue = producer.queue('deliveries')!
    expect(queue.defaultJobOptions).toMatchObject({ attempts: 8 })
    await queue.add('route', { ids: [1] }, { attempts: 3 })
    await until(async () => (await queue.getFailedCount()) === 1)
    expect(tries).toBe(3)
    const [failed] = await queue.getFailed()
    expect(failed).toMatchObject({ data: { ids: [1] }, failedReason: 'database error 22P02' })
    expect(JSON.stringify(failed)).not.toContain('canary')
  })

  test('a schedule that a fast clock put hours ahead runs again', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    let ticks = 0
    newWorker(t, engine, 'maintenance', async () => {
      ticks += 1
    })
    await until(() => producer.queue('maintenance') !== undefined)
    const startDate = new Date(Date.now() + 3_600_000)
    await producer.queue('maintenance')!.upsertJobScheduler('often', { every: 100, startDate })
    keep(t, producer, [{ name: 'often', every: 100 }])
    await until(() => ticks >= 2)
  })

  test('schedules written by several processes give one tick each period', async (t) => {
    const { engine } = await openStore(t, kind)
    const every = 250
    const producers = Array.from({ length: 3 }, () => newProducer(t, engine))
    const due: number[] = []
    for (const _ of producers)
      newWorker(t, engine, 'maintenance', async (job) => {
        due.push(Number(job.id?.split(':').at(-1)))
      })
    const [first, ...others] = producers
    const schedules = [{ name: 'often', every }]
    keep(t, first!, schedules)
    await until(() => due.length > 0)
    for (const producer of others) keep(t, producer, schedules)
    await until(() => due.length >= 8)
    const slots = due.toSorted()
    const periods = slots.slice(1).map((at, i) => (at - slots[i]!) / every)
    expect(periods.filter((period) => !Number.isInteger(period) || period === 0)).toEqual([])
  })
})

describe.runIf(kinds.includes('redis'))('Redis alone', { concurrent: true }, () => {
  test('schedules come back after Redis lost everything', async (t) => {
    const own = await newRedis(t)
    const engine = engineOn('redis', own.url)
    const producer = newProducer(t, engine)
    let ticks = 0
    newWorker(t, engine, 'maintenance', async () => {
      ticks += 1
    })
    const often = [{ name: 'often', every: 100 }]
    const first = keep(t, producer, often)
    await until(() => ticks >= 2)
    first.stop()
    await flushAll(own.url)
    const schedulers = () => producer.queue('maintenance')!.getJobSchedulersCount()
    expect(await schedulers()).toBe(0)
    const before = ticks
    keep(t, producer, often)
    await until(() => ticks >= before + 3)
    expect(await schedulers()).toBe(1)
  })

  test('a frozen Redis is refused in time; what was refused may still be done', async (t) => {
    const own = await newRedis(t)
    const engine = engineOn('redis', own.url)
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine)
    await enqueued(producer, 1)
    await until(() => ids.includes(1))
    process.kill(own.pid, 'SIGSTOP')
    const refused = () => expect(producer.enqueueDeliveries([2])).resolves.toBe(false)
    expect(await timed(refused)).toBeLessThan(480)
    process.kill(own.pid, 'SIGCONT')
    await enqueued(producer, 3)
    await until(() => ids.includes(2) && ids.includes(3))
  })

  test('a job reaches a worker over a Redis Cluster', async (t) => {
    const url = await startCluster(t)
    const engine = engineOn('redis', url, url)
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine)
    await enqueued(producer, 1)
    await until(() => ids.includes(1))
    expect(Object.keys(await queueDepths(producer.queues()))).toContain('deliveries')
  })
})

test('schedules are written when missing, changed, overdue or too far ahead, and a failure is tried again', async (t) => {
  vi.useFakeTimers()
  t.onTestFinished(() => void vi.useRealTimers())
  const upserts: unknown[][] = []
  let stored: { every: number; next: number } | undefined
  let down = true
  const queue = {
    getJobScheduler: async () => stored,
    removeJobScheduler: async () => {
      stored = undefined
    },
    upsertJobScheduler: async (...args: [string, { every: number }, object]) => {
      if (down) throw new Error('away')
      upserts.push(args)
      stored = { every: args[1].every, next: Date.now() + args[1].every }
    },
  } as unknown as NonNullable<ReturnType<Producer['queue']>>
  let current: typeof queue | undefined
  const kept = keepSchedules(() => current, [{ name: 'tidy', every: 10_000 }], log)
  t.onTestFinished(kept.stop)
  const upsertsWithin = async (ms: number) => {
    upserts.length = 0
    await vi.advanceTimersByTimeAsync(ms)
    return upserts.length
  }
  expect(await upsertsWithin(5_000)).toBe(0)
  current = queue
  expect(await upsertsWithin(5_000)).toBe(0)
  down = false
  expect(await upsertsWithin(1_000)).toBe(1)
  const opts = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500 } }
  expect(upserts[0]).toEqual(['tidy', { every: 10_000 }, { name: 'tidy', data: {}, opts }])

  stored = { every: 10_000, next: Date.now() + 39_000 }
  expect(await upsertsWithin(68_000)).toBe(0)
  stored.next = Date.now() - 31_000
  expect(await upsertsWithin(25_000)).toBe(1)
  stored.next = Date.now() + 3_600_000
  expect(await upsertsWithin(25_000)).toBe(1)
  stored = { every: 60_000, next: Date.now() + 100_000 }
  expect(await upsertsWithin(25_000)).toBe(1)
  stored = undefined
  expect(await upsertsWithin(25_000)).toBe(1)
  kept.stop()
  stored = undefined
  expect(await upsertsWithin(100_000)).toBe(0)
})

test('a storm of errors is one line a second that tells how many were left out', (t) => {
  vi.useFakeTimers()
  t.onTestFinished(() => void vi.useRealTimers())
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({ logLevel: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) })
  const warn = oncePerSecond(logger)
  for (let i = 0; i < 1_000; i++) warn(new Error('away'), 'trouble')
  vi.advanceTimersByTime(1_000)
  warn(new Error('away'), 'trouble')
  expect(lines.map((line) => [line.msg, line.suppressed])).toEqual([
    ['trouble', 0],
    ['trouble', 999],
  ])
})

function keep(t: TestContext, producer: Producer, schedules: Schedule[]): { stop(): void } {
  const kept = keepSchedules(() => producer.queue('maintenance'), schedules, log)
  t.onTestFinished(kept.stop)
  return kept
}

async function flushAll(url: string): Promise<void> {
  const client = new Redis(url)
  await client.flushall()
  client.disconnect()
}

/** A Redis Cluster of one node that owns all slots. */
async function startCluster(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-cluster-'))
  const port = String(await freePort())
  const network = ['--port', port, '--bind', '127.0.0.1', '--cluster-announce-ip', '127.0.0.1']
  const node = spawn(findRedis()!, [...network, '--cluster-enabled', 'yes', '--save', '', '--dir', folder])
  const exited = once(node, 'exit')
  t.onTestFinished(async () => {
    node.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true })
  })
  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  client.on('error', () => undefined)
  await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  client.disconnect()
  return url
}
