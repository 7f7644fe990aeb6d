import { beforeEach, describe, expect, test } from 'vitest'
import { SetupError } from '../../src/config.ts'
import { inboxFigures } from '../../src/inbox/figures.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { OpsParts } from '../../workers/ops-app.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { insertDelivery } from '../support/inbox.ts'
import { startOps } from '../support/ops.ts'

const never = () => new Promise<never>(() => {})

const { db, pool } = await createTestDatabase()

const metrics = createMetrics()

const start = (parts: Partial<OpsParts> = {}) =>
  startOps(db, { registry: metrics.registry, details: async () => ({ stopped_numbers: 0 }), ...parts })

beforeEach(async () => {
  await pool.query('truncate inbox')
})

describe('/live and /ready', () => {
  test('/live answers 200 also if a probe hangs', async () => {
    const url = await start({ probes: [{ name: 'database', check: never, vital: true }] })
    expect((await send(`${url}/live`)).status).toBe(200)
  })

  test('/ready answers 200 if every probe succeeds', async () => {
    const check = () => pool.query('select 1')
    const url = await start({ probes: [{ name: 'database', check, vital: true }] })
    const reply = await send(`${url}/ready`)
    expect([reply.status, JSON.parse(reply.body)]).toEqual([
      200,
      { status: 'ready', checks: { database: 'ok' }, details: { stopped_numbers: 0 } },
    ])
  })

  test('/ready answers 503 and names the probes that failed, without the errors', async () => {
    const fails = () => Promise.reject(new Error('postgres://user:canary@host refused'))
    const throws = () => {
      throw new Error('canary')
    }
    const url = await start({
      probes: [
        { name: 'database', check: fails, vital: true },
        { name: 'queue', check: async () => {}, vital: true },
        { name: 'other', check: throws, vital: true },
      ],
    })
    const reply = await send(`${url}/ready`)
    expect(reply.status).toBe(503)
    const checks = { database: 'failed', queue: 'ok', other: 'failed' }
    expect(JSON.parse(reply.body)).toEqual({ status: 'not ready', checks, details: { stopped_numbers: 0 } })
  })

  test('/ready gives cause and remedy of a mistake of the installation', async () => {
    const check = () => Promise.reject(new SetupError('The tables are missing: npm run migrate'))
    const url = await start({ probes: [{ name: 'schema', check, vital: true }] })
    const reply = await send(`${url}/ready`)
    expect(reply.status).toBe(503)
    expect(JSON.parse(reply.body)).toMatchObject({ reasons: ['The tables are missing: npm run migrate'] })
  })

  test('/ready answers 200 with the status degraded if only probes failed that are not vital', async () => {
    const fails = () => Promise.reject(new Error('canary'))
    const url = await start({
      probes: [
        { name: 'database', check: async () => {}, vital: true },
        { name: 'queue', check: fails, vital: false },
      ],
    })
    const reply = await send(`${url}/ready`)
    expect(reply.status).toBe(200)
    const checks = { database: 'ok', queue: 'failed' }
    expect(JSON.parse(reply.body)).toMatchObject({ status: 'degraded', checks })
  })

  test('/ready waits one second for all probes that hang together', async () => {
    const probes = Array.from({ length: 30 }, (_, i) => ({ name: `probe ${i}`, check: never, vital: true }))
    const url = await start({ probes })
    const begin = performance.now()
    expect((await send(`${url}/ready`)).status).toBe(503)
    expect(performance.now() - begin).toBeGreaterThan(900)
    expect(performance.now() - begin, 'one after another would take 30 s').toBeLessThan(15_000)
  })
})

describe('/metrics', () => {
  test('answers in the format of Prometheus, with gauges read at this scrape', async () => {
    await insertDelivery(db, 'new', { age: 90 })
    await insertDelivery(db, 'parked')
    await insertDelivery(db, 'dead')
    const refreshGauges = async () => {
      const figures = await inboxFigures(db)
      metrics.oldestUnroutedSeconds.set(figures.oldestUnroutedSeconds)
      metrics.parkedNow.set(figures.parked)
      metrics.deadNow.set(figures.dead)
    }
    const reply = await send(`${await start({ refreshGauges })}/metrics`)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(reply.body).toMatch(/^usher_inbox_oldest_unrouted_seconds 9\d/m)
    expect(reply.body).toMatch(/^usher_inbox_parked 1$/m)
    expect(reply.body).toMatch(/^usher_inbox_dead 1$/m)
    expect(reply.body).toMatch(/^usher_webhook_refused_total\{reason="signature"\} 0$/m)
    expect(reply.body).toMatch(/^process_cpu_seconds_total /m)
  })

  test.each([
    ['fails', () => Promise.reject(new Error('down'))],
    ['hangs', never],
  ])('shows the counters also if reading the gauges %s', async (_how, refreshGauges) => {
    const reply = await send(`${await start({ refreshGauges })}/metrics`)
    expect(reply.status).toBe(200)
    expect(reply.body).toMatch(/^usher_deliveries_acknowledged_total /m)
  })
})

describe('the figures of the inbox', () => {
  test('are zero if it is empty', async () => {
    expect(await inboxFigures(db)).toEqual({
      oldestUnroutedSeconds: 0,
      oldestRetriedSeconds: 0,
      parked: 0,
      dead: 0,
    })
  })

  test('count parked and dead deliveries, and take the age from deliveries that are to be routed', async () => {
    for (const state of ['parked', 'parked', 'dead']) await insertDelivery(db, state, { age: 1_000 })
    await insertDelivery(db, 'new', { age: 10 })
    await insertDelivery(db, 'new', { age: 20 })
    expect((await inboxFigures(db)).oldestRetriedSeconds).toBe(0)
    await pool.query(`update inbox set requeues = 1 where state = 'new'`)
    const figures = await inboxFigures(db)
    expect(figures).toMatchObject({ parked: 2, dead: 1, oldestRetriedSeconds: figures.oldestUnroutedSeconds })
    expect(figures.oldestUnroutedSeconds).toBeGreaterThanOrEqual(20)
    expect(figures.oldestUnroutedSeconds).toBeLessThan(30)
  })

  test('stop counting at 10,000, so that a large backlog stays cheap to read', async () => {
    await pool.query(
      `insert into inbox (body, state, error, due_at)
       select '', state, 'e', now() from generate_series(1, 20000), unnest(array['dead', 'new']) as state`,
    )
    expect((await inboxFigures(db)).dead).toBe(10_000)
  })
})
