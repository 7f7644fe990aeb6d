import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { recordEvents } from '../../src/audit/record-events.ts'
import { ApiError } from '../../src/errors.ts'
import { defineEndpoint } from '../../src/http/endpoint.ts'
import { foreignId } from '../../src/input-fields.ts'
import { type Claims, serveEndpoints, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'

/** What the handler does next, after it has written its event. */
let next: () => Promise<void>

const write = defineEndpoint({
  method: 'post',
  path: '/v1/org/{orgId}/things/{kind}',
  operationId: 'write',
  summary: 's',
  tags: ['t'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  params: { orgId: foreignId, kind: foreignId },
  query: z.strictObject({ q: z.string().optional() }),
  body: z.strictObject({ n: z.int() }),
  idempotent: true,
  responses: {
    200: { description: 'ok', schema: z.strictObject({ id: z.string() }) },
    202: { description: 'ok' },
  },
  errors: { 401: 'u', 403: 'f', 404: 'n', 409: 'c', 422: 'i', 500: 'e' },
  handler: async ({ db, org, actor, body: { n }, params: { kind } }) => {
    await recordEvents(db, [{ orgId: org.id, kind: 'contact.created', actor, reason: String(n) }])
    await next()
    if (kind === 'silent') return { status: 202 }
    return { status: 200, body: { id: randomUUID() } }
  },
})

let database: TestDatabase
let api: TestApi
let org: string

beforeAll(async () => {
  database = await createTestDatabase()
  api = await serveEndpoints(database.db, [write])
})
beforeEach(async () => {
  org = (await createOrg(database.db)).id
  next = async () => undefined
})

type Options = { key?: string; n?: number; kind?: string; query?: string; as?: Claims }

function post({ key, n = 1, kind = 'a', query = '', as = { org } }: Options) {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return api.call('POST', `/v1/org/${as.org}/things/${kind}${query}`, { body: { n }, headers, as })
}

async function written(id = org): Promise<number> {
  const { rows } = await database.pool.query(
    "select from events where org_id = $1 and kind = 'contact.created'",
    [id],
  )
  return rows.length
}

describe('an Idempotency-Key', () => {
  it('makes the same request act once, and the second answer is the stored one, with a header that says so', async () => {
    const first = await post({ key: 'k' })
    const second = await post({ key: 'k' })
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([200, undefined])
    expect([second.status, second.headers['idempotent-replayed']]).toEqual([200, 'true'])
    expect(second.body).toEqual(first.body)
    expect(await written()).toBe(1)
  })

  it('also replays an answer without a body', async () => {
    await post({ key: 'k', kind: 'silent' })
    const second = await post({ key: 'k', kind: 'silent' })
    expect([second.status, second.body, second.headers['idempotent-replayed']]).toEqual([
      202,
      undefined,
      'true',
    ])
  })

  it('is optional, and without it every request acts', async () => {
    await post({})
    await post({})
    expect(await written()).toBe(2)
  })

  it.each<[string, Options]>([
    ['body', { n: 2 }],
    ['address', { kind: 'b' }],
    ['query', { query: '?q=1' }],
  ])('is refused with another %s', async (_, other) => {
    await post({ key: 'k' })
    expect(await post({ key: 'k', ...other })).toMatchObject({
      status: 409,
      body: { error_message: 'IDEMPOTENCY_KEY_REUSED' },
    })
    expect(await written()).toBe(1)
  })

  it('is refused for another caller, who would see the stored answer', async () => {
    await post({ key: 'k' })
    for (const as of [
      { org, user: 'bob' },
      { org, act: 'eve' },
      { org, partner: 'p' },
    ]) {
      expect((await post({ key: 'k', as })).body.error_message).toBe('IDEMPOTENCY_KEY_REUSED')
    }
  })

  it('is the same request when the token of a partner covers one more org, or none of the others any more', async () => {
    const other = (await createOrg(database.db)).id
    const send = async (orgs: string) => {
      const reply = await api.call('POST', `/v1/org/${org}/things/a`, {
        body: { n: 1 },
        headers: { 'idempotency-key': 'k' },
        as: { org: orgs, partner: 'p' },
      })
      return [reply.status, reply.headers['idempotent-replayed']]
    }
    expect(await send(org)).toEqual([200, undefined])
    expect(await send(`${org},${other}`)).toEqual([200, 'true'])
    expect(await written()).toBe(1)
  })

  it('has no effect in another org', async () => {
    const other = (await createOrg(database.db)).id
    await post({ key: 'k' })
    const reply = await post({ key: 'k', as: { org: other } })
    expect(reply.headers['idempotent-replayed']).toBeUndefined()
    expect(await written(other)).toBe(1)
  })

  it('is refused while the first request runs, which then completes', async () => {
    let finish = () => {}
    const begun = new Promise<void>((begin) => {
      next = () =>
        new Promise((resolve) => {
          finish = resolve
          begin()
        })
    })
    const first = post({ key: 'k' })
    await begun
    const rivals = await Promise.all(Array.from({ length: 3 }, () => post({ key: 'k' })))
    for (const rival of rivals) {
      expect(rival).toMatchObject({ status: 409, body: { error_message: 'IDEMPOTENCY_KEY_IN_USE' } })
    }
    finish()
    expect((await first).status).toBe(200)
    expect((await post({ key: 'k' })).body).toEqual((await first).body)
    expect(await written()).toBe(1)
  })

  it('lets exactly one of many parallel requests act', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => post({ key: 'k' })))
    const ids = new Set(replies.filter((r) => r.status === 200).map((r) => r.body.id))
    expect(ids.size).toBe(1)
    expect(new Set(replies.map((r) => r.status))).toSatisfy((s: Set<number>) =>
      [...s].every((n) => n === 200 || n === 409),
    )
    expect(await written()).toBe(1)
  })

  it.each([
    ['an internal error', () => Promise.reject(new Error('broken')), 500],
    ['a refusal', () => Promise.reject(new ApiError('CHATROOM_NOT_FOUND')), 404],
  ])('may be used again after %s, of which nothing is stored', async (_, fail, status) => {
    next = fail
    expect((await post({ key: 'k' })).status).toBe(status)
    expect(await written()).toBe(0)
    next = async () => undefined
    const again = await post({ key: 'k' })
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, undefined])
    expect(await written()).toBe(1)
  })

  it('is forgotten after 24 hours', async () => {
    const age = (hours: number) =>
      database.pool.query(
        "update idempotency_keys set created_at = now() - $2 * interval '1 hour' where org_id = $1",
        [org, hours],
      )
    await post({ key: 'k' })
    await age(23.9)
    expect((await post({ key: 'k' })).headers['idempotent-replayed']).toBe('true')
    await age(24.1)
    expect(await post({ key: 'k', n: 2 })).toMatchObject({ status: 200 })
    expect((await post({ key: 'k', n: 2 })).headers['idempotent-replayed']).toBe('true')
    expect(await written()).toBe(2)
  })

  it('has 1 to 255 printable ASCII characters', async () => {
    expect((await post({ key: '!'.repeat(255) })).status).toBe(200)
    for (const key of ['', 'a b', 'a'.repeat(256), 'é']) {
      expect(await post({ key }), key).toMatchObject({
        status: 422,
        body: { payload: { issues: [{ path: 'Idempotency-Key' }] } },
      })
    }
  })

  it('is not stored with the refusal of invalid input', async () => {
    const bad = await api.call('POST', `/v1/org/${org}/things/a`, {
      body: { n: 'x' },
      headers: { 'idempotency-key': 'k' },
    })
    expect(bad.status).toBe(422)
    expect((await post({ key: 'k' })).status).toBe(200)
  })
})
