import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

it('a single delivery is routed while the queue is away, because workers are notified of it', async () => {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const org = await createOrg(db)
  const app = await startUsher('all', { DATABASE_URL, REDIS_URL: 'redis://127.0.0.1:1' })
  const listening = async () =>
    (
      await db.$client.query(`select 1 from pg_stat_activity
        where application_name = 'usher-listener' and state = 'idle' and datname = current_database()`)
    ).rowCount
  await expect.poll(listening).toBe(1)
  const m = message({})
  expect(await postDelivery(app.url, post(org.phones[0]!, m))).toBe(200)
  await expect.poll(() => readMessage(db, org.id, m.id)).toBeDefined()
  expect(await app.stop()).toBe(0)
})
