import { expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { STORED_CHANNEL } from '../../src/inbox/insert.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { NO_TRACES } from '../../src/tracing/tracing.ts'
import { startDeliveries } from '../../workers/deliveries.ts'
import { createTestDatabase } from '../support/database.ts'

it('a delivery that was heard of and could not be routed goes by a job once more', async () => {
  const { url, pool } = await createTestDatabase()
  const nowhere = openDatabase('postgres://127.0.0.1:1/none', { max: 1, name: 'none', onLost: () => {} })
  onTestFinished(nowhere.close)
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redisUrls: [], databaseUrl: url })
  const producer = createProducer({ engine, log })
  onTestFinished(() => producer.close(1_000))
  const queued: number[][] = []
  const deliveries = startDeliveries({
    engine,
    databaseUrl: url,
    onCanary: async () => {},
    db: nowhere.db,
    producer: { ...producer, enqueueDeliveries: async (ids) => queued.push(ids) > 0 },
    metrics: createMetrics(),
    tracing: NO_TRACES,
    log,
    concurrency: 1,
  })
  onTestFinished(() => deliveries.close(1_000))
  deliveries.resume()
  const tell = () => pool.query('select pg_notify($1, $2)', [STORED_CHANNEL, '7 '])
  await expect.poll(() => tell().then(() => queued[0]), { timeout: 10_000 }).toEqual([7])
})
