import { setTimeout as sleep } from 'node:timers/promises'
import type { Response } from 'express'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../../src/http/caller.ts'
import { createRequestLimits, type RequestLimits } from '../../src/http/request-limits.ts'
import { type ApiReply, type Claims, refusedBy, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createOrg, type TestOrg } from '../support/org.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'
import { findRedis, type RunningRedis, startRedis } from '../support/redis.ts'

let db: TestDatabase['db']
let redis: RunningRedis | undefined
const open: RequestLimits[] = []

beforeAll(async () => {
  db = (await createTestDatabase()).db
  if (findRedis()) redis = await startRedis()
})
afterAll(async () => {
  for (const limits of open) limits.close()
  await redis?.stop()
})

const read = ({ id }: TestOrg) => `/v1/org/${id}/settings`
const as = (org: TestOrg, user: string): { as: Claims } => ({ as: { org: org.id, user } })
const statuses = (replies: ApiReply[]) => replies.map(({ status }) => status)

describe('the API', () => {
  const limited = (apiLimits: { org: number; token: number }) => startTestApi(db, { apiLimits })
  const read3 = async (api: TestApi, org: TestOrg, user: string) => [
    await api.call('GET', read(org), as(org, user)),
    await api.call('GET', read(org), as(org, user)),
    await api.call('GET', read(org), as(org, user)),
  ]

  it('tells the limits, and what is left of them, in the headers of an answer', async () => {
    const [api, org] = [await limited({ org: 4, token: 3 }), await createOrg(db)]
    await api.call('GET', read(org), as(org, 'bob'))
    const { headers } = await api.call('GET', read(org), as(org, 'ann'))
    expect(headers['ratelimit-policy']).toBe('"token";q=3;w=60, "org";q=4;w=60')
    expect(headers.ratelimit).toMatch(/^"token";r=2;t=([1-9]|[1-5]\d|60), "org";r=2;t=([1-9]|[1-5]\d|60)$/)
  })

  it('refuses what is over the limit of a token, and says when to try again', async () => {
    const [api, org] = [await limited({ org: 100, token: 2 }), await createOrg(db)]
    const replies = await read3(api, org, 'ann')
    expect(statuses(replies)).toEqual([200, 200, 429])
    const { headers, body } = replies[2]!
    expect(body).toMatchObject({
      error_code: 4290001,
      error_message: 'RATE_LIMITED',
      payload: { limit: 'token' },
    })
    expect(headers['retry-after']).toBe(String(body.payload.retry_after_seconds))
    expect(headers['retry-after']).toMatch(/^([1-9]|[1-5]\d|60)$/)
    expect(headers.ratelimit).toMatch(/^"token";r=0;t=\d+$/)
    expect(refusedBy.at(-1)).toBe('token')
  })

  it('serves another token of the org after one was refused, which took nothing from the org', async () => {
    const [api, org] = [await limited({ org: 5, token: 2 }), await createOrg(db)]
    expect(statuses(await read3(api, org, 'ann'))).toEqual([200, 200, 429])
    expect((await api.call('GET', read(org), as(org, 'bob'))).headers.ratelimit).toMatch(/"org";r=2;/)
  })

  it('counts the tokens of an org together under the limit of the org', async () => {
    const [api, org] = [await limited({ org: 4, token: 3 }), await createOrg(db)]
    expect(statuses(await read3(api, org, 'ann'))).toEqual([200, 200, 200])
    const replies = await read3(api, org, 'bob')
    expect(statuses(replies)).toEqual([200, 429, 429])
    expect(replies[1]?.body.payload.limit).toBe('org')
    expect(refusedBy.at(-1)).toBe('org')
  })

  it('counts orgs apart, also users of the same name and a partner of both', async () => {
    const api = await limited({ org: 2, token: 2 })
    const [one, other] = [await createOrg(db), await createOrg(db)]
    expect(statuses(await read3(api, one, 'ann'))).toEqual([200, 200, 429])
    expect(statuses(await read3(api, other, 'ann'))).toEqual([200, 200, 429])
    const [a, b] = [await createOrg(db), await createOrg(db)]
    const partner = { as: { org: `${a.id},${b.id}`, partner: 'p' } }
    for (const org of [a, a, b, b]) expect((await api.call('GET', read(org), partner)).status).toBe(200)
  })

  it('keeps the count of a token that is renewed', async () => {
    const [api, org] = [await limited({ org: 0, token: 1 }), await createOrg(db)]
    expect((await api.call('GET', read(org), as(org, 'ann'))).status).toBe(200)
    const renewed = { as: { ...as(org, 'ann').as, role: 'MEMBER' } }
    expect((await api.call('GET', read(org), renewed)).status).toBe(429)
  })

  it('counts an endpoint of the original API that lists no 429, and never refuses it', async () => {
    const [api, org] = [await limited({ org: 100, token: 1 }), await createOrg(db)]
    const phones = `/v2/org/${org.id}/contact/pn/%2B919810000001`
    const replies = []
    for (let i = 0; i < 3; i += 1) replies.push(await api.call('GET', phones, as(org, 'ann')))
    expect(statuses(replies)).toEqual([200, 200, 200])
    expect(replies[2]?.headers.ratelimit).toMatch(/^"token";r=0;t=\d+, "org";r=97;t=\d+$/)
    expect((await api.call('GET', read(org), as(org, 'ann'))).status).toBe(429)
  })

  it('does not count requests that it does not authorize', async () => {
    const [api, org] = [await limited({ org: 1, token: 1 }), await createOrg(db)]
    const other = await createOrg(db)
    const foreign = await api.call('GET', read(org), as(other, 'ann'))
    expect([foreign.status, foreign.headers.ratelimit]).toEqual([403, undefined])
    expect((await api.call('GET', read(org), { as: null })).status).toBe(401)
    expect((await api.call('GET', read(org), as(org, 'ann'))).status).toBe(200)
  })

  it('has no limit and no header where the limits are 0', async () => {
    const [api, org] = [await limited({ org: 0, token: 0 }), await createOrg(db)]
    const { headers } = await api.call('GET', read(org))
    expect([headers.ratelimit, headers['ratelimit-policy']]).toEqual([undefined, undefined])
  })
})

const log = pino({ level: 'silent' })
const ann: Caller = { userId: 'ann', role: 'ADMIN', orgIds: [], partnerId: undefined, actorId: undefined }
const endpoint = { errors: { 401: 'u', 403: 'f', 422: 'i', 429: 'r', 500: 'e' } }

/** Counts a request of Ann; gives what the header says, or the refusal. */
async function countOne({ count }: RequestLimits, orgId: string): Promise<string> {
  const said: string[] = []
  const set = ({ ratelimit = '' }) => void said.push(ratelimit)
  const refusal = await count({ endpoint, orgId, caller: ann }, { set } as unknown as Response).catch(
    ({ error }) => error,
  )
  return refusal ?? said.join()
}

function limitsOf(parts: Partial<Parameters<typeof createRequestLimits>[0]>): RequestLimits {
  const limits = createRequestLimits({
    ...{ limits: { org: 2, token: 0 }, redis: undefined, onRefused: () => {}, log },
    ...parts,
  })
  open.push(limits)
  return limits
}

describe.each(findRedis() ? ['the process', 'Redis'] : ['the process'])('a limit counted in %s', (store) => {
  const onStore = () => ({ redis: store === 'Redis' && redis ? access(redis.url) : undefined })
  const access = (url: string) => ({ urls: [url], prefix: 'usher' })

  it('begins again when its time is over', async () => {
    const seconds = Math.ceil(SLOWNESS)
    const limits = limitsOf({ ...onStore(), seconds })
    await eventually(async () => (await countOne(limits, 'warm-up')) !== '')
    const begun = Date.now()
    const outcomes = [await countOne(limits, 'o'), await countOne(limits, 'o'), await countOne(limits, 'o')]
    expect(outcomes).toEqual([expect.stringContaining('r=1'), expect.stringContaining('r=0'), 'RATE_LIMITED'])
    await sleep(begun + seconds * 1_000 + 100 - Date.now())
    expect(await countOne(limits, 'o')).toContain('r=1')
  })

  it.runIf(store === 'Redis')('holds over all processes', async () => {
    const processes = [limitsOf(onStore()), limitsOf(onStore()), limitsOf(onStore())]
    for (const one of processes) await eventually(async () => (await countOne(one, 'warm')) !== '')
    const outcomes = await Promise.all(processes.map((one) => countOne(one, 'shared')))
    expect(outcomes.filter((outcome) => outcome === 'RATE_LIMITED')).toHaveLength(1)
  })

  it.runIf(store === 'Redis')('refuses nothing while Redis is away, and the log says so', async () => {
    const lines: string[] = []
    const noisy = pino({}, { write: (line: string) => void lines.push(line) })
    const limits = limitsOf({ redis: access('redis://127.0.0.1:9'), log: noisy })
    for (let i = 0; i < 5; i += 1) expect(await countOne(limits, 'away')).toBe('')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('could not be counted')
  })
})

describe('keys of the limits', () => {
  it.runIf(findRedis())('hold no token and no subject', async () => {
    const limits = limitsOf({ limits: { org: 9, token: 9 }, redis: { urls: [redis!.url], prefix: 'usher' } })
    await eventually(async () => (await countOne(limits, 'keys')) !== '')
    const client = new Redis(redis!.url)
    const keys = await client.keys('usher-limit:keys:*')
    client.disconnect()
    expect(keys.length).toBe(2)
    expect(keys.join()).not.toContain('ann')
  })
})
