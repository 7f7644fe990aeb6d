import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { projectRoot } from '../../src/project-root.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { createWorker } from '../../src/queue/worker.ts'
import { createTestDatabase } from '../support/database.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

const PRELOAD = `--import=${join(projectRoot(), 'test/fixtures/wrong-clock.mjs')}`

const engines = inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']

describe.each(engines)('a process whose clock is 60 s ahead, queue on %s', (engine) => {
  it('takes deliveries in, routes none and says why, until its clock is mended', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const app = await startUsher('all', {
      NODE_OPTIONS: PRELOAD,
      // The signal that mends the clock reaches one process.
      PROCESSES: '1',
      DATABASE_URL,
      ...(engine === 'redis' && { REDIS_URL: `${inject('redisUrl')}/8` }),
    })
    const { url, opsUrl } = app
    await app.printed(/clock is wrong: its API changes nothing/)

    const m = message({})
    expect(await postDelivery(url, post(org.phones[0]!, m))).toBe(200)
    const ready = async () => {
      const reply = await fetch(`${opsUrl}/ready`)
      return [reply.status, await reply.json()]
    }
    await expect.poll(ready).toMatchObject([
      503,
      {
        status: 'not ready',
        checks: { clock: 'failed' },
        details: { clock_skew_seconds: expect.closeTo(60, -1) },
      },
    ])
    const metrics = async () => (await fetch(`${opsUrl}/metrics`)).text()
    await expect.poll(metrics).toMatch(/state="waiting"} [1-9]/)
    expect(await metrics()).toMatch(/^usher_clock_skew_seconds (5\d|60)/m)
    expect(await readMessage(db, org.id, m.id)).toBeUndefined()

    app.child.kill('SIGUSR2')
    await expect.poll(() => readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await app.stop()).toBe(0)
  })
})

it('a process whose clock is 60 s ahead takes no job from a healthy worker', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redis: undefined, databaseUrl: DATABASE_URL })
  const producer = createProducer({ engine, log })
  const runs: string[] = []
  const worker = createWorker({
    engine,
    name: 'deliveries',
    concurrency: 2,
    log,
    onCanary: async () => {},
    process: async () => {
      runs.push('begun')
      // Two looks for stalled jobs, by the process beside it, fit in here.
      await sleep(12_000)
      runs.push('done')
    },
  })
  await expect.poll(() => producer.enqueueDeliveries([1])).toBe(true)
  await expect.poll(() => runs).toEqual(['begun'])
  const ahead = await startUsher('workers', { NODE_OPTIONS: PRELOAD, DATABASE_URL })
  await ahead.printed(/clock is wrong: its API changes nothing/)
  await expect.poll(() => runs).toEqual(['begun', 'done'])
  await worker.close(1_000)
  await producer.close(1_000)
  expect(await ahead.stop()).toBe(0)
  expect(runs).toEqual(['begun', 'done'])
})
