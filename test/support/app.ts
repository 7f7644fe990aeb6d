import { type Logger, pino } from 'pino'
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

type Options = {
  role?: 'all' | 'server' | 'workers'
  /** When it stops. */
  until?: 'test' | 'file'
  log?: Logger
}

/**
 * Usher in this process, on free ports. Unless `env` names its stores, it gets a database, and for the engine `redis` a
 * Redis, of its own.
 */
export async function startTestApp(
  engine: 'postgres' | 'redis',
  env: Record<string, string> = {},
  { role = 'all', until = 'test', log = pino({ level: 'silent' }) }: Options = {},
): Promise<TestApp> {
  const database = env.DATABASE_URL ? undefined : await createTestDatabase()
  const redis = engine === 'redis' && !env.REDIS_URL ? await startRedis() : undefined
  const config = readConfig(
    {
      ...(database && { DATABASE_URL: database.url }),
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
  const app = await startApp(config, role, log)
  atEndOf(until, async () => {
    await app.lifetime.stop(10_000)
    await redis?.stop()
  })
  return {
    ...app,
    // The pool of the tests waits longer than that of the app.
    db: database?.db ?? app.db,
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
