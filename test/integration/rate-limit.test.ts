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
  const redisUrls = store === 'Redis' && redis ? [redis.url] : []
  const limits = createRateLimits({ db, redisUrls, log })
  open.push(limits)
  return limits
}

const outcome = (promise: Promise<void>) =>
  promise.then(
    () => 'passed',
    (error) => error.error,
  )

/** A Redis client refuses to queue, and is not connected at once. */
async function connected(limits: RateLimits, store: string): Promise<RateLimits> {
  for (let i = 0; store === 'Redis' && i < 100; i += 1) {
    lines = []
    await limits.limitOnce(`warm-up ${randomUUID()}`, 1)
    if (lines.length === 0) return limits
    await sleep(20)
  }
  return limits
}

describe.each(findRedis() ? ['PostgreSQL', 'Redis'] : ['PostgreSQL'])('a limit kept in %s', (store) => {
  it('lets one through and refuses the next, saying when to try again', async () => {
    const { limitOnce } = await connected(limitsOn(store), store)
    await limitOnce('org/reassign/a', 10)
    await expect(limitOnce('org/reassign/a', 10)).rejects.toMatchObject({
      error: 'RATE_LIMITED',
      status: 429,
      payload: { retry_after_seconds: 10 },
    })
    expect(await outcome(limitOnce('org/reassign/b', 10))).toBe('passed')
    expect(await outcome(limitOnce('other/reassign/a', 10))).toBe('passed')
  })

  it('holds across processes and under concurrency: of forty at once, one passes', async () => {
    const processes = await Promise.all([1, 2, 3, 4].map(() => connected(limitsOn(store), store)))
    const tries = Array.from({ length: 10 }, () =>
      processes.map((p) => outcome(p.limitOnce('org/race', 10))),
    ).flat()
    const passed = (await Promise.all(tries)).filter((o) => o === 'passed')
    expect(passed).toHaveLength(1)
  })

  it('is over when its time is over, however often it was tried meanwhile', async () => {
    const { limitOnce } = await connected(limitsOn(store), store)
    const begun = Date.now()
    await limitOnce('org/short', 1)
    for (let i = 0; i < 5; i += 1) expect(await outcome(limitOnce('org/short', 1))).toBe('RATE_LIMITED')
    await sleep(begun + 1_100 - Date.now())
    expect(await outcome(limitOnce('org/short', 1))).toBe('passed')
  })
})

describe('while the store is away', () => {
  it('lets everything through and logs it', async () => {
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

  it.runIf(findRedis())('does the same for a Redis that is not there', async () => {
    lines = []
    const limits = createRateLimits({ db: database.db, redisUrls: ['redis://127.0.0.1:9'], log })
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
        await limitOnce(`${org.id}/knock`, 10)
        return { status: 202 }
      },
    })
    const api = await serveEndpoints(database.db, [knock])
    expect((await api.call('POST', `/v1/org/${org.id}/knock`)).status).toBe(202)
    const { status, headers, body } = await api.call('POST', `/v1/org/${org.id}/knock`)
    expect([status, headers['retry-after'], body.error_code]).toEqual([429, '10', 4290001])
  })
})
