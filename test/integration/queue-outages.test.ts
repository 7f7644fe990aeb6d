import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { ping } from '../../src/queue/connection.ts'
import { queueDepths } from '../../src/queue/depths.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { publishFigure } from '../support/figures.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'
import {
  deliveryJobs,
  engineKinds,
  engineOn,
  enqueued,
  newCollector,
  newPatientQueue,
  newProducer,
  newRedis,
  OUTAGES,
  openStore,
  timed,
} from '../support/queues.ts'

// These tests mostly wait until a connection is back.
vi.setConfig({ maxConcurrency: 8 })

// A bound in ms is the promise that its test is about. It is stretched on a slow machine.

describe.each(engineKinds())('a queue on %s', (kind) => {
  test.for(OUTAGES)('refuses a job within 350 ms while the store is away (%s)', async (outage, t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await enqueued(producer, 1)
    await proxy.set(outage)
    const refused = () => expect(producer.enqueueDeliveries([2])).resolves.toBe(false)
    const times: number[] = []
    for (let i = 0; i < 5; i += 1) times.push(await timed(refused))
    const median = times.toSorted((a, b) => a - b)[2]
    expect(median).toBeLessThan((outage === 'blackhole' ? 350 : 50) * SLOWNESS)
  })
})

describe.concurrent.each(engineKinds())('a queue on %s', (kind) => {
  test('answers a ping, and fails it within its deadline while the store is away', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    expect(engine.kind).toBe(kind)
    await ping(engine)
    for (const outage of OUTAGES) {
      await proxy.set(outage)
      expect(await timed(() => expect(ping(engine)).rejects.toThrow())).toBeLessThan(1_200 * SLOWNESS)
    }
  })

  test.for(OUTAGES)(
    'lets producer and worker close within their deadline while the store is away (%s)',
    async (outage, t) => {
      const { engine, proxy } = await openStore(t, kind)
      const producer = newProducer(t, engine)
      const { worker, ids } = newCollector(t, engine)
      await enqueued(producer, 1)
      await eventually(() => ids.length > 0)
      await proxy.set(outage)
      expect(await timed(() => worker.close(400))).toBeLessThan(650 * SLOWNESS)
      void producer.enqueueDeliveries([2])
      await sleep(20)
      expect(await timed(() => producer.close(100))).toBeLessThan(350 * SLOWNESS)
    },
  )

  test('lets an idle worker close at once while the store is away', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const { worker } = newCollector(t, engine)
    await worker.ready()
    await proxy.set('refuse')
    expect(await timed(() => worker.close(30_000))).toBeLessThan(15_000)
  })

  test('works once the store is there, also if producer and worker were built before', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    await proxy.set('refuse')
    const lines: string[] = []
    const counting = createLogger({ logLevel: 'warn' }, { write: (line) => lines.push(line) })
    const producer = newProducer(t, engine, counting)
    const { ids } = newCollector(t, engine)
    expect(await producer.enqueueDeliveries([1])).toBe(false)
    await eventually(() => lines.length >= 3)
    await sleep(1_200)
    expect(producer.queues()).toEqual([])
    expect(lines, 'one line for each queue').toHaveLength(QUEUE_NAMES.length)
    await proxy.set('pass')
    await enqueued(producer, 2)
    await eventually(() => ids.includes(2))
  })

  test('gives its depth, and refuses within a deadline while the store is away', async (t) => {
    const { engine, proxy } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await eventually(() => producer.queues().length === QUEUE_NAMES.length)
    await newPatientQueue(t, engine).addBulk(deliveryJobs(2))
    await newPatientQueue(t, engine, 'outbound').add('send', { org: 'o', id: 'x' }, { delay: 60_000 })
    const none = { waiting: 0, active: 0, delayed: 0, failed: 0 }
    expect(await queueDepths(producer.queues())).toEqual({
      deliveries: { ...none, waiting: 2 },
      outbound: { ...none, delayed: 1 },
      webhooks: none,
      maintenance: none,
    })
    await proxy.set('blackhole')
    const refused = () => expect(queueDepths(producer.queues())).rejects.toThrow()
    expect(await timed(refused)).toBeLessThan(1_200 * SLOWNESS)
  })

  test.for(OUTAGES)('works with the same producer and worker after an outage (%s)', async (outage, t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine, 20)
    await newPatientQueue(t, engineOn(kind, direct)).addBulk(deliveryJobs(30))
    await eventually(() => ids.length > 3)

    await proxy.set(outage)
    await eventually(async () => !(await producer.enqueueDeliveries([31])))
    const turnedAway = proxy.turnedAway()
    await sleep(1_000)
    expect(proxy.turnedAway() - turnedAway, 'connections tried in a second').toBeLessThan(60)
    await proxy.set('pass')
    const back = performance.now()
    await enqueued(producer, 32)
    await eventually(() => ids.includes(32))
    if (outage !== 'blackhole') expect(performance.now() - back).toBeLessThan(12_000 * SLOWNESS)
  })

  test.for([0, 1])('works after connection %i of a worker fell silent', async (nth, t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    const producer = newProducer(t, engineOn(kind, direct))
    const queue = newPatientQueue(t, engineOn(kind, direct))
    await queue.addBulk(deliveryJobs(20))
    const { ids } = newCollector(t, engine, 20)
    await eventually(() => ids.length > 3)
    proxy.silence(nth)
    // On Redis a job whose completion was lost stays active until its lock ends.
    const busy = kind === 'redis' ? (['waiting'] as const) : (['waiting', 'active'] as const)
    await eventually(async () => (await queue.getJobCountByTypes(...busy)) === 0)
    // A worker on PostgreSQL that is no longer notified of new jobs would sleep until this one is due.
    if (kind === 'postgres') await queue.add('route', { ids: [99] }, { delay: 3_600_000 })
    await enqueued(producer, 20)
    const seconds = (await timed(() => eventually(() => ids.includes(20)))) / 1_000
    publishFigure(11, {
      of: `silent connection ${nth} of a worker`,
      engine: kind,
      n: 1,
      seconds,
    })
  })

  test('builds a worker again that lost its store while it was built', async (t) => {
    const { engine, proxy, direct } = await openStore(t, kind)
    proxy.passOnly(1)
    const { ids } = newCollector(t, engine)
    await eventually(() => proxy.turnedAway() > 0)
    await proxy.set('pass')
    const back = performance.now()
    const producer = newProducer(t, engineOn(kind, direct))
    await enqueued(producer, 1)
    await eventually(() => ids.includes(1))
    expect(performance.now() - back).toBeLessThan(6_000 * SLOWNESS)
  })

  test('does not end the process if the store resets a connection of a worker that is being built', async (t) => {
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

  test('is replaced if it was disconnected while its store is available', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    await enqueued(producer, 1)
    const dead = producer.queue('deliveries')!
    await dead.disconnect()
    expect(await producer.enqueueDeliveries([2])).toBe(false)
    expect(await timed(() => expect(queueDepths([dead])).rejects.toThrow())).toBeLessThan(1_200 * SLOWNESS)
    await enqueued(producer, 3)
    expect(producer.queue('deliveries')).not.toBe(dead)
  })
})

describe.runIf(engineKinds().includes('redis'))('on Redis', { concurrent: true }, () => {
  test('a frozen Redis is refused within the deadline, and a refused job may still run', async (t) => {
    const own = await newRedis(t)
    const engine = engineOn('redis', own.url)
    const producer = newProducer(t, engine)
    const { ids } = newCollector(t, engine)
    await enqueued(producer, 1)
    await eventually(() => ids.includes(1))
    process.kill(own.pid, 'SIGSTOP')
    const refused = () => expect(producer.enqueueDeliveries([2])).resolves.toBe(false)
    expect(await timed(refused)).toBeLessThan(480 * SLOWNESS)
    process.kill(own.pid, 'SIGCONT')
    await enqueued(producer, 3)
    await eventually(() => ids.includes(2) && ids.includes(3))
  })
})
