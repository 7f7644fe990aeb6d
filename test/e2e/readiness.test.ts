import { describe, expect, it } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { SCHEDULES } from '../../src/queue/schedules.ts'
import { engines, startTestApp } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { startUsher } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

type Ready = { code: number; status: string; checks: Record<string, string>; details: Details }
type Details = Record<'canary_age_seconds' | 'sweep_age_seconds', Record<string, number | null>>

async function ready(opsUrl: string): Promise<Ready> {
  const response = await fetch(`${opsUrl}/ready`)
  return { code: response.status, ...((await response.json()) as Omit<Ready, 'code'>) }
}

describe.each(engines())('readiness, queue on %s', (engine) => {
  it('shows a canary of each queue that came through the real workers, and when sweeps last ran', async () => {
    const app = await startTestApp(engine)
    const answered = async () => {
      const { details } = await ready(app.opsUrl)
      return Object.values(details.canary_age_seconds).every((age) => age !== null && age < 30)
    }
    await expect.poll(answered).toBe(true)
    const swept = async () => (await ready(app.opsUrl)).details.sweep_age_seconds['requeue-stranded']
    await expect.poll(swept).toBeLessThan(30)
    const names = ['database', 'connections', 'schema', 'queue', 'canaries', 'clock']
    const checks = Object.fromEntries(names.map((name) => [name, 'ok']))
    const answer = () => ready(app.opsUrl)
    const details = { replication: 'none' }
    await expect.poll(answer).toMatchObject({ code: 200, status: 'ready', checks, details })
    const metrics = await (await fetch(`${app.opsUrl}/metrics`)).text()
    for (const queue of QUEUE_NAMES)
      expect(metrics).toMatch(new RegExp(`^usher_queue_canary_age_seconds{queue="${queue}"} \\d`, 'm'))
    expect(metrics).toMatch(/^usher_sweep_age_seconds{sweep="requeue-stranded"} \d/m)
    const sweeps = async () => Object.keys((await ready(app.opsUrl)).details.sweep_age_seconds)
    await expect.poll(sweeps).toEqual(SCHEDULES.map(({ name }) => name))
  })

  it('is 503 in every role while PostgreSQL is away, and 200 when it is back', async () => {
    const { url } = await createTestDatabase()
    const target = new URL(url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const DATABASE_URL = Object.assign(new URL(url), { port: String(proxy.port) }).href
    // Each canary is enqueued by one of the processes, so they need one queue.
    const env = { DATABASE_URL, ...(engine === 'redis' && { REDIS_URL: (await startRedis()).url }) }
    const roles = ['server', 'workers'] as const
    const apps = await Promise.all(roles.map((role) => startTestApp(engine, env, { role })))
    const codes = () => Promise.all(apps.map(async ({ opsUrl }) => (await ready(opsUrl)).code))
    await expect.poll(codes).toEqual([200, 200])
    await proxy.set('refuse')
    await expect.poll(codes).toEqual([503, 503])
    await proxy.set('pass')
    await expect.poll(codes).toEqual([200, 200])
    await Promise.all(apps.map((app) => app.lifetime.stop(10_000)))
    await proxy.close()
  })
})

describe.runIf(engines().includes('redis'))('readiness without Redis', () => {
  it('is degraded for a receiver, which stays in rotation, and 503 for a process with workers only', async () => {
    const { url: DATABASE_URL } = await createTestDatabase()
    const redis = await startRedis()
    const env = { DATABASE_URL, REDIS_URL: redis.url }
    const [server, both, workers] = await Promise.all(
      (['server', 'all', 'workers'] as const).map((role) => startTestApp('postgres', env, { role })),
    )
    const states = async () =>
      (await Promise.all([server, both, workers].map((app) => ready(app!.opsUrl)))).map(
        ({ code, status, checks }) => [code, status, checks.queue],
      )
    const READY = [200, 'ready', 'ok']
    await expect.poll(states).toEqual([READY, READY, READY])
    await redis.stop()
    const DEGRADED = [200, 'degraded', 'failed']
    await expect.poll(states).toEqual([DEGRADED, DEGRADED, [503, 'not ready', 'failed']])
  })
})

const linesOf = (output: string) =>
  output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))

describe('a process that starts', () => {
  it('says that it listens, then that it is up, and nothing is a warning', async () => {
    const { url: DATABASE_URL } = await createTestDatabase()
    const usher = await startUsher('all', { DATABASE_URL, JWT_SECRET: 'x'.repeat(32) })
    await usher.printed(/"Usher is up"/)
    const lines = linesOf(usher.output())
    const own = lines.map(({ msg }) => msg).filter((msg) => /^Usher (listens|is up)/.test(msg))
    expect(own).toEqual([expect.stringMatching(/^Usher listens/), 'Usher is up'])
    // On a machine that is slow at this moment, some things are tried again.
    expect(
      lines.filter(
        ({ level, msg }) => level > 30 && !/trying|^Usher waits|^fsync is off|without JWT_ISSUER/.test(msg),
      ),
    ).toEqual([])
  })

  it.each(['server', 'workers'] as const)(
    'as %s on an empty database says npm run migrate, and is up when that was done',
    async (role) => {
      const { url, pool } = await createTestDatabase()
      await pool.query('drop schema public, drizzle, bullmq cascade; create schema public')
      const usher = await startUsher(role, { DATABASE_URL: url })
      await usher.printed(/Usher waits: .*npm run migrate/)
      const answer = await (await fetch(`${usher.opsUrl}/ready`)).json()
      const reasons = [expect.stringContaining('npm run migrate')]
      expect(answer).toMatchObject({ status: 'not ready', checks: { schema: 'failed' }, reasons })
      await migrate(url)
      if (role === 'workers') await usher.printed(/"Usher is up"/)
      await expect.poll(async () => (await ready(usher.opsUrl)).code).toBe(200)
    },
  )
})
