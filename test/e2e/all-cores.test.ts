import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../src/db/embedded/server.ts'
import { projectRoot } from '../../src/project-root.ts'
import { atEndOf } from '../support/at-end.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startedWorkers, startUsher } from '../support/process.ts'
import { stillRunning } from '../support/programs.ts'
import type { UsherProcess } from '../support/usher-process.ts'
import { message, post } from '../support/webhooks.ts'

async function startBoth(env: Record<string, string> = {}) {
  const { db, url: DATABASE_URL } = await createTestDatabase()
  const org = await createOrg(db)
  const usher = await startUsher('all', { DATABASE_URL, PROCESSES: '2', ...env })
  const workers = await startedWorkers(usher)
  const count = async (wamids: string[]) => {
    const text = 'select count(*)::int as n from messages where wamid = any($1)'
    return (await db.$client.query(text, [wamids])).rows[0].n as number
  }
  const postOne = async (i: number) => {
    const m = message({ from: `1555777${1000 + i}` })
    expect(await postDelivery(usher.url, post(org.phones[0]!, m))).toBe(200)
    return m.id
  }
  return { usher, workers, count, postOne }
}

const ready = async ({ opsUrl }: UsherProcess) => {
  const response = await fetch(`${opsUrl}/ready`)
  return { code: response.status, ...((await response.json()) as { status: string }) }
}

describe('a process that does everything, on two cores', () => {
  it('loses nothing when its workers are killed under load; it says so, and starts them again', async () => {
    const { usher, workers, count, postOne } = await startBoth()
    const posts = Array.from({ length: 100 }, async (_, i) => {
      const id = await postOne(i)
      if (i === 50) process.kill(workers, 'SIGKILL')
      return id
    })
    await expect
      .poll(() => ready(usher))
      .toMatchObject({
        code: 200,
        status: 'degraded',
        checks: { workers: 'failed', database: 'ok' },
        reasons: ['the process of the workers has ended (SIGKILL) and is started again'],
      })
    const wamids = await Promise.all(posts)
    const again = await startedWorkers(usher, 2)
    expect(again).not.toBe(workers)
    await expect.poll(() => count(wamids)).toBe(100)
    await expect.poll(() => ready(usher)).toMatchObject({ status: 'ready', checks: { workers: 'ok' } })
    expect(usher.output()).toMatch(/"end":"SIGKILL","waitMs":500,"msg":"the process of the workers has ended/)
  })

  it('leaves no process when it is killed itself', async () => {
    const { usher, workers } = await startBoth()
    await usher.printed(/"Usher is up"/)
    usher.child.kill('SIGKILL')
    await expect.poll(() => stillRunning([usher.pid, workers])).toEqual([])
  })

  it.each([
    ['are being loaded', false],
    ['still wait for their database', true],
  ])('leaves no process when it ends while its workers %s', async (_, isStarted) => {
    const DATABASE_URL = `postgres://nobody@127.0.0.1:${await freePort()}/none`
    const env = { ...process.env, DATABASE_URL, META_APP_SECRET: 'secret', META_VERIFY_TOKEN: 'token' }
    const workers = fork(join(projectRoot(), 'dist/workers/workers-process.js'), { env, silent: true })
    atEndOf('test', () => workers.kill('SIGKILL'))
    if (isStarted) expect(String(await once(workers.stdout!, 'data'))).toContain('ECONNREFUSED')
    workers.disconnect()
    const [code] = await once(workers, 'exit')
    expect(code).toBe(0)
  })

  it('ends with its workers at a signal that reaches both, as one from a terminal does', async () => {
    const { usher, workers, count, postOne } = await startBoth({ SHUTDOWN_DELAY_SECONDS: '1' })
    await usher.printed(/"Usher is up"/)
    process.kill(workers, 'SIGTERM')
    const ended = usher.stop()
    await usher.printed(/"Usher stops/)
    const id = await postOne(1)
    // The workers go on for as long as the receiver does.
    await expect.poll(() => count([id])).toBe(1)
    expect(await ended).toBe(0)
    expect(await stillRunning([workers])).toEqual([])
  })

  it('shows the metrics of both, and writes one log of whole lines', async () => {
    const { usher, count, postOne } = await startBoth({ LOG_LEVEL: 'debug' })
    await usher.printed(/"Usher is up"/)
    const wamids = await Promise.all(Array.from({ length: 20 }, (_, i) => postOne(i)))
    await expect.poll(() => count(wamids)).toBe(20)
    const metrics = async () => (await fetch(`${usher.opsUrl}/metrics`)).text()
    await expect.poll(metrics).toMatch(/^usher_messages_routed_total\{route="held"\} 20$/m)
    const text = await metrics()
    expect(text).toMatch(/^usher_deliveries_acknowledged_total 20$/m)
    expect(text).toMatch(/^usher_inbox_parked 0$/m)
    for (const name of ['process_cpu_seconds_total', 'process_start_time_seconds'])
      for (const one of ['server', 'workers'])
        expect(text).toMatch(new RegExp(`^${name}\\{process="${one}"\\} \\d`, 'm'))
    expect(text.match(/^# TYPE process_cpu_seconds_total /gm)).toHaveLength(1)
    expect(await usher.stop()).toBe(0)
    const lines = usher.output().trimEnd().split('\n')
    const parsed = lines.map((line) => JSON.parse(line) as { process?: string })
    expect(new Set(parsed.map((line) => line.process))).toEqual(new Set([undefined, 'workers']))
  })
})

it('with PROCESSES=1 everything runs in one process', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const usher = await startUsher('all', { DATABASE_URL, PROCESSES: '1' })
  await usher.printed(/"Usher is up"/)
  expect(usher.output()).not.toContain('the process of the workers')
  const metrics = await (await fetch(`${usher.opsUrl}/metrics`)).text()
  expect(metrics).toMatch(/^process_cpu_seconds_total \d/m)
  expect(await usher.stop()).toBe(0)
})
