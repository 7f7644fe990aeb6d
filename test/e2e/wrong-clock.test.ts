import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { createLogger } from '../../src/logger.ts'
import { projectRoot } from '../../src/project-root.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { createWorker } from '../../src/queue/worker.ts'
import { createTestDatabase } from '../support/database.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { startProcess } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

const SECRET = 'clock-secret'
const PRELOAD = `--import=${join(projectRoot(), 'test/fixtures/wrong-clock.mjs')}`

const engines = inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']

describe.each(engines)('a process whose clock is 60 s ahead, queue on %s', (engine) => {
  it('takes deliveries in, routes none and says why, until its clock is mended', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const app = startProcess('workers/main.js', ['all'], {
      NODE_OPTIONS: PRELOAD,
      DATABASE_URL,
      ...(engine === 'redis' && { REDIS_URL: `${inject('redisUrl')}/8` }),
      META_APP_SECRET: SECRET,
      META_VERIFY_TOKEN: 'word',
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
    })
    const { url, opsUrl } = JSON.parse((await app.printed(/^\{.*"Usher is up".*$/m))[0])
    await app.printed(/clock is wrong: its workers pause/)

    const m = message({})
    const body = post(org.phones[0]!, m)
    const headers = { 'x-hub-signature-256': sign(body, SECRET) }
    const answer = await fetch(`${url}/webhooks/whatsapp`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
    })
    expect(answer.status).toBe(200)
    const ready = async () => {
      const reply = await fetch(`${opsUrl}/ready`)
      return [reply.status, await reply.json()]
    }
    await expect.poll(ready, { timeout: 10_000 }).toMatchObject([
      200,
      {
        status: 'degraded',
        checks: { clock: 'failed' },
        details: { clock_skew_seconds: expect.closeTo(60, -1) },
      },
    ])
    const metrics = async () => (await fetch(`${opsUrl}/metrics`)).text()
    await expect.poll(metrics, { timeout: 10_000 }).toMatch(/state="waiting"} [1-9]/)
    expect(await metrics()).toMatch(/^usher_clock_skew_seconds (5\d|60)/m)
    expect(await readMessage(db, org.id, m.id)).toBeUndefined()

    app.child.kill('SIGUSR2')
    await expect
      .poll(() => readMessage(db, org.id, m.id), { timeout: 20_000 })
      .toMatchObject({ route: 'held' })
    app.child.kill('SIGTERM')
    expect(await app.exited()).toBe(0)
  })
})

it('a process whose clock is 60 s ahead takes no job from a healthy worker', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redisUrls: [], databaseUrl: DATABASE_URL })
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
  await expect.poll(() => producer.enqueueDeliveries([1]), { timeout: 10_000 }).toBe(true)
  await expect.poll(() => runs, { timeout: 10_000 }).toEqual(['begun'])
  const ahead = startProcess('workers/main.js', ['workers'], {
    NODE_OPTIONS: PRELOAD,
    DATABASE_URL,
    OPS_PORT: '0',
  })
  await ahead.printed(/clock is wrong: its workers pause/)
  await expect.poll(() => runs, { timeout: 20_000 }).toEqual(['begun', 'done'])
  await worker.close(1_000)
  await producer.close(1_000)
  ahead.child.kill('SIGTERM')
  expect(await ahead.exited()).toBe(0)
  expect(runs).toEqual(['begun', 'done'])
})
