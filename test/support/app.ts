import { pino } from 'pino'
import { inject } from 'vitest'
import { readConfig } from '../../src/read-config.ts'
import { type App, startApp } from '../../workers/app.ts'
import { atEndOf } from './at-end.ts'
import { createTestDatabase } from './database.ts'
import { eventually } from './patience.ts'
import { APP_SECRET, postDelivery } from './post.ts'
import { startRedis } from './redis.ts'

export const OPS_LOGIN = `Basic ${Buffer.from('ops:ops-password').toString('base64')}`

export type TestApp = App & {
  /** Posts a signed body to the receiver; gives the status of the answer. */
  post(body: Buffer, secret?: string): Promise<number>
  /** Resolves when the inbox has no delivery left to route. */
  drained(): Promise<void>
}

/** The queue engines that can run here: PostgreSQL always, Redis where there is a redis-server. */
export function engines(): ('postgres' | 'redis')[] {
  return inject('redisUrl') === '' ? ['postgres'] : ['postgres', 'redis']
}

/** The whole of Usher, or one role of it, in this process, on a database (and Redis) of its own, on free ports. */
export async function startTestApp(
  engine: 'postgres' | 'redis',
  env: Record<string, string> = {},
  role: 'all' | 'server' | 'workers' = 'all',
): Promise<TestApp> {
  const { url } = await createTestDatabase()
  const redis = engine === 'redis' ? await startRedis() : undefined
  const config = readConfig(
    {
      DATABASE_URL: url,
      ...(redis && { REDIS_URL: redis.url }),
      META_APP_SECRET: APP_SECRET,
      META_VERIFY_TOKEN: 'e2e-verify',
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
      OPS_USER: 'ops',
      OPS_PASSWORD: 'ops-password',
      ...env,
    },
    role,
  )
  const app = await startApp(config, role, pino({ level: 'silent' }))
  atEndOf('test', async () => {
    await app.lifetime.stop(10_000)
    await redis?.stop()
  })
  return {
    ...app,
    post: (body, secret) => postDelivery(app.url ?? '', body, secret),
    drained: () => drained(app),
  }
}

async function drained({ db }: App): Promise<void> {
  await eventually(async () => {
    const { rows } = await db.$client.query(`select 1 from inbox where state = 'new' limit 1`)
    return rows.length === 0
  })
}
