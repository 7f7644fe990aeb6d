import { Redis } from 'ioredis'
import { describe, expect, type TestContext, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import type { Producer } from '../../src/queue/producer.ts'
import { keepSchedules, type Schedule } from '../../src/queue/schedules.ts'
import { eventually } from '../support/patience.ts'
import { engineKinds, engineOn, newProducer, newRedis, newWorker, openStore } from '../support/queues.ts'

// These tests mostly wait until a connection is back.
vi.setConfig({ maxConcurrency: 8 })

const log = createLogger({ logLevel: 'silent' })

describe.concurrent.each(engineKinds())('schedules on %s', (kind) => {
  test('run again if a fast clock had put them hours ahead', async (t) => {
    const { engine } = await openStore(t, kind)
    const producer = newProducer(t, engine)
    let ticks = 0
    newWorker(t, engine, 'maintenance', async () => {
      ticks += 1
    })
    await eventually(() => producer.queue('maintenance') !== undefined)
    const startDate = new Date(Date.now() + 3_600_000)
    await producer.queue('maintenance')!.upsertJobScheduler('often', { every: 100, startDate })
    keep(t, producer, [{ name: 'often', every: 100 }])
    await eventually(() => ticks >= 2)
  })

  test('give one job in each period, also if several processes write them', async (t) => {
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
    await eventually(() => due.length > 0)
    for (const producer of others) keep(t, producer, schedules)
    await eventually(() => due.length >= 8)
    const slots = due.toSorted()
    const periods = slots.slice(1).map((at, i) => (at - slots[i]!) / every)
    expect(periods.filter((period) => !Number.isInteger(period) || period === 0)).toEqual([])
  })
})

describe.runIf(engineKinds().includes('redis'))('on Redis', { concurrent: true }, () => {
  test('schedules are written again after Redis lost its data', async (t) => {
    const own = await newRedis(t)
    const engine = engineOn('redis', own.url)
    const producer = newProducer(t, engine)
    let ticks = 0
    newWorker(t, engine, 'maintenance', async () => {
      ticks += 1
    })
    const often = [{ name: 'often', every: 100 }]
    const first = keep(t, producer, often)
    await eventually(() => ticks >= 2)
    first.stop()
    await flushAll(own.url)
    const schedulers = () => producer.queue('maintenance')!.getJobSchedulersCount()
    expect(await schedulers()).toBe(0)
    const before = ticks
    keep(t, producer, often)
    await eventually(() => ticks >= before + 3)
    expect(await schedulers()).toBe(1)
  })
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
