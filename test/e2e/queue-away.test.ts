import { expect, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { createTestDatabase } from '../support/database.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { startProcess } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

const SECRET = 'away-secret'

it('a single delivery is routed while the queue is away, because workers are notified of it', async () => {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const org = await createOrg(db)
  const app = startProcess('workers/main.js', ['all'], {
    DATABASE_URL,
    REDIS_URL: 'redis://127.0.0.1:1',
    META_APP_SECRET: SECRET,
    META_VERIFY_TOKEN: 'word',
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
  })
  const { url } = JSON.parse((await app.printed(/^\{.*"Usher is up".*$/m))[0])
  const listening = async () =>
    (
      await db.$client.query(`select 1 from pg_stat_activity
        where application_name = 'usher-listener' and state = 'idle' and datname = current_database()`)
    ).rowCount
  await expect.poll(listening, { timeout: 10_000 }).toBe(1)
  const m = message({})
  const body = post(org.phones[0]!, m)
  const headers = { 'x-hub-signature-256': sign(body, SECRET) }
  const answer = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  })
  expect(answer.status).toBe(200)
  await expect.poll(() => readMessage(db, org.id, m.id), { timeout: 5_000 }).toBeDefined()
  app.child.kill('SIGTERM')
  expect(await app.exited()).toBe(0)
})
