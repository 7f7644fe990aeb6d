import { expect, it, onTestFinished } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { SCHEDULES } from '../../src/queue/schedules.ts'
import { startMaintenance } from '../../workers/maintenance.ts'
import { createTestDatabase } from '../support/database.ts'
import { readRoom } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

it('the maintenance worker runs the task that a job names, reports its progress, and records when it finished', async () => {
  const { db, url } = await createTestDatabase()
  const org = await createOrg(db, { expiry_days: 60 })
  const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redis: undefined, databaseUrl: url })
  const producer = createProducer({ engine, log })
  onTestFinished(() => producer.close(1_000))
  const onCanary = async () => {}
  const worker = startMaintenance({
    engine,
    onCanary,
    db,
    producer,
    eventRetentionDays: 30,
    secretsKey: undefined,
    log,
  })
  onTestFinished(() => worker.close(1_000))
  await expect.poll(() => producer.queue('maintenance')).toBeDefined()
  const queue = producer.queue('maintenance')!
  const progress: Record<string, unknown> = {}
  for (const { name } of SCHEDULES) {
    const { id } = await queue.add(name, {}, { removeOnComplete: false })
    const job = async () => (await queue.getJob(id!))!
    await expect.poll(async () => (await job()).getState()).toBe('completed')
    progress[name] = (await job()).progress
  }
  expect(progress).toMatchObject({
    'expire-old': { done: 2 },
    'deactivate-inactive': { done: 0 },
    purge: { done: 0 },
  })
  const { rows } = await db.$client.query(
    `select name, rows, answered_at > now() - interval '1 minute' as lately from heartbeats where kind = 'sweep'`,
  )
  expect(rows, 'each task records when it finished and how many rows it changed').toHaveLength(
    SCHEDULES.length,
  )
  expect(rows).toContainEqual({ name: 'expire-old', rows: 2, lately: true })
  expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
})
