import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { engines, startTestApp } from '../support/app.ts'
import { atEndOf } from '../support/at-end.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startRedis } from '../support/redis.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const cases = engines().flatMap((engine) => [
  { engine, key: undefined, says: 'SECRETS_KEY is not set' },
  { engine, key: randomBytes(32).toString('base64'), says: 'SECRETS_KEY is not the key' },
])

it.each(cases)(
  'workers that have not the key ($says) take no sends and stop no number, queue on $engine',
  async ({ engine, key, says }) => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const redis = engine === 'redis' ? await startRedis() : undefined
    if (redis) atEndOf('test', redis.stop)
    const graph = await startGraph()
    const org = await createSendingOrg(db)
    await createRoom(db, org, { expiredAt: ago(1) })
    const lines: string[] = []
    const log = pino(
      { level: 'error' },
      new Writable({ write: (line, _, done) => done(void lines.push(String(line))) }),
    )
    const env = { DATABASE_URL, ...(redis && { REDIS_URL: redis.url }), GRAPH_API_URL: graph.url }
    const wrong = await startTestApp(engine, { ...env, ...(key && { SECRETS_KEY: key }) }, { log })
    await wrong.post(post(org.phones[0]!, message({})))
    await wrong.drained()
    const ready = async () => (await fetch(`${wrong.opsUrl}/ready`)).json()
    await expect.poll(ready).toMatchObject({ status: 'degraded', checks: { secrets: 'failed' } })
    expect(lines.filter((line) => line.includes(says))).toHaveLength(1)
    const state = async () => (await db.$client.query('select state, attempts from outbox')).rows
    expect(await state()).toEqual([{ state: 'queued', attempts: 0 }])
    await startTestApp(engine, { ...env, SECRETS_KEY }, { role: 'workers' })
    await expect.poll(state).toEqual([{ state: 'sent', attempts: 1 }])
    const { rows } = await db.$client.query('select 1 from waba_phones where stopped_at is not null')
    expect([rows, graph.requests.length]).toEqual([[], 1])
  },
)
