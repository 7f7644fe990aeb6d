import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { defineEndpoint } from '../../src/http/endpoint.ts'
import { createRateLimits, type RateLimits } from '../../src/http/rate-limit.ts'
import { foreignId } from '../../src/input-fields.ts'
import { serveEndpoints } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'
import { findRedis, type RunningRedis, startRedis } from '../support/redis.ts'

let database: TestDatabase
let redis: RunningRedis | undefined
let lines: string[] = []
const open: RateLimits[] = []
const log = pino({}, { write: (line: string) => void lines.push(line) })

beforeAll(async () => {
  database = await createTestDatabase()
  if (findRedis()) redis = await startRedis()
})
afterAll(async () => {
  for (const limits of open) limits.close()
  await redis?.stop()
})

/** The limits as another process sees them. */
function limitsOn(store: string, db = database.db): RateLimits {
  const access = store === 'Redis' && redis ? { urls: [redis.url], prefix: 'usher' } : undefined
  const limits = createRateLimits({ db, redis: access, log })
  open.push(limits)
  return limits
}

const outcome = (promise: Promise<void>) =>
  promise.then(
    () => 'passed',
    (error) => error.error,
  )

/** Waits until the limits reach their store: a Redis client is not connected at once, and then nothing is limited. */
async function connected(limits: RateLimits): Promise<RateLimits> {
  await eventually(async () => {
    lines = []
    await limits.limitOnce(`warm-up ${randomUUID()}`, 1)
    return lines.length === 0
  })
  return limits
}

describe.each(findRedis() ? ['PostgreSQL', 'Redis'] : ['PostgreSQL'])('a limit kept in %s', (store) => {
  it('accepts one request and refuses the next one, with the time to wait', async () => {
    const { limitOnce } = await connected(limitsOn(store))
    await limitOnce('org/reassign/a', 1_000)
    await expect(limitOnce('org/reassign/a', 1_000)).rejects.toMatchObject({
      error: 'RATE_LIMITED',
      status: 429,
      payload: { retry_after_seconds: expect.closeTo(1_000, -1.5) },
    })
    expect(await outcome(limitOnce('org/reassign/b', 1_000))).toBe('passed')
    expect(await outcome(limitOnce('other/reassign/a', 1_000))).toBe('passed')
  })

  it('accepts one of forty requests that four processes check at the same time', async () => {
    const processes = await Promise.all([1, 2, 3, 4].map(() => connected(limitsOn(store))))
    const tries = Array.from({ length: 10 }, () =>
      processes.map((p) => outcome(p.limitOnce('org/race', 1_000))),
    ).flat()
    const passed = (await Promise.all(tries)).filter((o) => o === 'passed')
    expect(passed).toHaveLength(1)
  })

  it('ends when its time is over, also if requests were refused meanwhile', async () => {
    const { limitOnce } = await connected(limitsOn(store))
    const seconds = Math.ceil(SLOWNESS)
    const tryAgain = () => outcome(limitOnce('org/short', seconds))
    const begun = Date.now()
    expect(await tryAgain()).toBe('passed')
    for (let i = 0; i < 5; i += 1) expect(await tryAgain()).toBe('RATE_LIMITED')
    await sleep(begun + seconds * 1_000 + 100 - Date.now())
    expect(await tryAgain()).toBe('passed')
  })
})

describe('a limit whose store is away', () => {
  it('accepts every request and logs that it could not check', async () => {
    lines = []
    const nowhere = openDatabase('postgres://u@127.0.0.1:9/x', {
      max: 1,
      name: 'test',
      onLost: () => {},
    })
    const { limitOnce } = limitsOn('PostgreSQL', nowhere.db as TestDatabase['db'])
    expect(await outcome(limitOnce('org/a', 10))).toBe('passed')
    expect(await outcome(limitOnce('org/a', 10))).toBe('passed')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('could not be checked')
    await nowhere.close()
  })

  it.runIf(findRedis())('accepts every request if the store is Redis, too', async () => {
    lines = []
    const limits = createRateLimits({
      db: database.db,
      redis: { urls: ['redis://127.0.0.1:9'], prefix: 'usher' },
      log,
    })
    open.push(limits)
    expect(await outcome(limits.limitOnce('org/a', 10))).toBe('passed')
    expect(lines).toHaveLength(1)
  })
})

describe('an endpoint with a limit', () => {
  it('answers 429 with Retry-After in whole seconds', async () => {
    const org = await createOrg(database.db)
    const knock = defineEndpoint({
      method: 'post',
      path: '/v1/org/{orgId}/knock',
      operationId: 'knock',
      summary: 's',
      tags: ['t'],
      policy: { role: 'MEMBER', impersonated: true, partner: true },
      params: { orgId: foreignId },
      responses: { 202: { description: 'ok' } },
      errors: { 401: 'u', 403: 'f', 422: 'i', 429: 'r', 500: 'e' },
      handler: async ({ org, limitOnce }) => {
        await limitOnce(`${org.id}/knock`, 1_000)
        return { status: 202 }
      },
    })
    const api = await serveEndpoints(database.db, [knock])
    expect((await api.call('POST', `/v1/org/${org.id}/knock`)).status).toBe(202)
    const { status, headers, body } = await api.call('POST', `/v1/org/${org.id}/knock`)
    expect([status, body.error_code]).toEqual([429, 4290001])
    expect(headers['retry-after']).toMatch(/^(1000|9\d\d)$/)
  })
})
