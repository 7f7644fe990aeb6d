import { expect, it, onTestFinished } from 'vitest'
import { type Db, openDatabase } from '../../src/db/client.ts'
import { STORED_CHANNEL } from '../../src/inbox/insert.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { NO_TRACES } from '../../src/tracing/tracing.ts'
import { startDeliveries } from '../../workers/deliveries/start.ts'
import { createTestDatabase } from '../support/database.ts'
import { inboxStates, store } from '../support/inbox.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

/** Routes deliveries until the test ends, queue on PostgreSQL; `queued` are the jobs that it enqueued. */
async function startWorker(url: string, db: Db) {
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redis: undefined, databaseUrl: url })
  const producer = createProducer({ engine, log })
  onTestFinished(() => producer.close(1_000))
  const queued: number[][] = []
  const deliveries = startDeliveries({
    yielding: { noteRouted: () => {}, isHeldBack: () => false },
    engine,
    directUrl: url,
    onCanary: async () => {},
    db,
    producer: { ...producer, enqueueDeliveries: async (ids) => queued.push(ids) > 0 },
    announceEvents: () => {},
    metrics: createMetrics(),
    tracing: NO_TRACES,
    log,
    concurrency: 1,
  })
  onTestFinished(() => deliveries.close(1_000))
  deliveries.resume()
  return { producer, queued }
}

it('a delivery whose notified worker could not route it is enqueued once more', async () => {
  const { url, pool } = await createTestDatabase()
  const nowhere = openDatabase('postgres://127.0.0.1:1/none', { max: 1, name: 'none', onLost: () => {} })
  onTestFinished(nowhere.close)
  const { queued } = await startWorker(url, nowhere.db)
  const notify = () => pool.query('select pg_notify($1, $2)', [STORED_CHANNEL, '7 '])
  await expect.poll(() => notify().then(() => queued[0])).toEqual([7])
})

it('a job waits while another worker has claimed its delivery, because that worker may die', async () => {
  const { url, pool, db } = await createTestDatabase()
  const { producer } = await startWorker(url, db)
  const ids = await store(db, post('1029384756', message({})))
  const holder = await pool.connect()
  onTestFinished(() => holder.release(true))
  await holder.query('begin')
  await holder.query('select from inbox for update')
  await expect.poll(() => producer.enqueueDeliveries(ids)).toBe(true)
  const waiting = async () => (await waitingQueries(db)).filter((query) => query.includes('inbox'))
  await expect.poll(waiting).toHaveLength(1)
  await holder.query('rollback')
  await expect.poll(() => inboxStates(db, ids)).toEqual(['parked'])
})
