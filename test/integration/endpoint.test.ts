import { gzipSync } from 'node:zlib'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ApiError, type ErrorName } from '../../src/errors.ts'
import { defineEndpoint } from '../../src/http/endpoint.ts'
import { foreignId, instant, ownId, queryFlag } from '../../src/input-fields.ts'
import { serveEndpoints, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'

const policy = { role: 'MEMBER', impersonated: true, partner: true } as const
const common = { summary: 's', tags: ['t'], policy }
const errors = { 401: 'u', 403: 'f', 404: 'n', 422: 'i', 500: 'e' }

/** Answers with the input of its handler. */
const echo = defineEndpoint({
  ...common,
  method: 'put',
  path: '/v1/org/{orgId}/echo/{id}',
  operationId: 'echo',
  params: { orgId: foreignId, id: ownId },
  query: z.strictObject({ force: queryFlag(false), to: foreignId.optional() }),
  body: z.strictObject({
    name: z.string().max(8).optional(),
    kind: z.enum(['A', 'B']).optional(),
    fields: z.record(z.string(), z.unknown()).optional(),
  }),
  bodyRequired: false,
  responses: { 200: { description: 'ok', schema: z.looseObject({}) } },
  errors,
  handler: async ({ params, query, body, actor }) => ({ status: 200, body: { params, query, body, actor } }),
})

/** Documents no 422. */
const old = defineEndpoint({
  ...common,
  method: 'put',
  path: '/v1/org/{orgId}/old',
  operationId: 'old',
  params: { orgId: foreignId },
  body: z.strictObject({ name: z.string() }),
  responses: { 202: { description: 'ok' } },
  errors: { 400: 'b', 401: 'u', 403: 'f', 500: 'e' },
  handler: async () => ({ status: 202 }),
})

/** Fails in the way that its path names. */
const broken = defineEndpoint({
  ...common,
  method: 'get',
  path: '/v1/org/{orgId}/broken/{how}',
  operationId: 'broken',
  params: { orgId: foreignId, how: z.string() },
  responses: { 200: { description: 'ok', schema: z.strictObject({ at: instant.optional() }) } },
  errors,
  handler: async ({ params: { how } }) => {
    if (how === 'answer') return { status: 200, body: { at: 'private +15550001111' } }
    if (how === 'extra') return { status: 200, body: { at: undefined, secret: 'private' } as object }
    if (how === 'crash') throw new Error('crash')
    throw new ApiError(how as ErrorName)
  },
})

let api: TestApi
let org: string

beforeAll(async () => {
  const { db } = await createTestDatabase()
  org = (await createOrg(db)).id
  api = await serveEndpoints(db, [echo, old, broken])
})
beforeEach(() => {
  api.logged.length = 0
})

const NIL = '00000000-0000-0000-0000-000000000000'
const UUID = '019A2003-5B86-70E8-AB4F-E6C6B2B13DB7'
const put = (body: unknown, { id = UUID, query = '' } = {}) =>
  api.call('PUT', `/v1/org/${org}/echo/${id}${query}`, { body })
const issuesOf = async (body: unknown, where = {}) => {
  const reply = await put(body, where)
  expect(reply.status).toBe(422)
  expect(reply.body.error_message).toBe('INVALID_INPUT')
  return reply.body.payload.issues
}

describe('the input of an endpoint', () => {
  it('reaches the handler parsed, and a missing optional body as {}', async () => {
    const { body } = await put(undefined, { query: '?force=true' })
    expect(body).toEqual({
      params: { orgId: org, id: UUID.toLowerCase() },
      query: { force: true },
      body: {},
      actor: 'user:ann',
    })
  })

  it.each([
    [{ user: 'ann' }, 'user:ann'],
    [{ user: 'ann', act: 'eve' }, 'user:eve as ann'],
    [{ user: 'ann', partner: 'p1' }, 'partner:p1'],
    [{ user: 'ann', partner: 'p1', act: 'eve' }, 'partner:p1 user:eve as ann'],
  ])('includes the caller %o as the actor %s', async (who, actor) => {
    const reply = await api.call('PUT', `/v1/org/${org}/echo/${UUID}`, { as: { org, ...who } })
    expect(reply.body.actor).toBe(actor)
  })

  it('has the nil UUID in place of an id that is not a UUID', async () => {
    for (const id of ['1', 'x', `${UUID}0`, `{${UUID}}`, "1' or '1'='1", '%25', '%F0%9F%92%A9']) {
      expect((await put({}, { id: encodeURI(id) })).body.params.id, id).toBe(NIL)
    }
  })

  it('has an invalid percent-encoding of an id taken literally', async () => {
    for (const id of ['%', '%ZZ', '%FF', '%C3%28'])
      expect((await put({}, { id })).body.params.id, id).toBe(NIL)
  })

  it('is refused with the name of each wrong field and its fault, without the value', async () => {
    expect(await issuesOf({ name: 'a secret of some length' })).toEqual([
      { path: 'name', message: expect.stringContaining('8 characters') },
    ])
    expect(await issuesOf({ name: 7, kind: 'private' })).toEqual([
      { path: 'name', message: expect.stringContaining('expected string') },
      { path: 'kind', message: expect.not.stringContaining('private') },
    ])
    expect((await put({ name: 7 })).body.error_description).toMatch(/^name: .*expected string/)
  })

  it('is refused with an unknown field in the body, also with one that every JavaScript object has', async () => {
    for (const key of ['other', 'constructor', 'toString', '__proto__']) {
      expect(await issuesOf(`{"${key}": 1}`), key).toEqual([{ path: key, message: 'is not a known field' }])
    }
    const kept = await put('{"fields": {"__proto__": {"polluted": true}}}')
    expect(kept.status).toBe(200)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('is refused with an unknown, repeated or empty query parameter', async () => {
    expect(await issuesOf({}, { query: '?forced=true' })).toMatchObject([{ path: 'forced' }])
    expect(await issuesOf({}, { query: '?to=a&to=b' })).toMatchObject([{ path: 'to' }])
    expect(await issuesOf({}, { query: '?to=' })).toMatchObject([{ path: 'to' }])
    expect(await issuesOf({}, { query: '?to[a]=b' })).toMatchObject([{ path: 'to[a]' }])
  })

  it('may have only true and false as a flag', async () => {
    expect((await put({}, { query: '?force=false' })).body.query.force).toBe(false)
    for (const word of ['1', 'TRUE', 'yes', '', 'true%20']) {
      expect(await issuesOf({}, { query: `?force=${word}` }), word).toMatchObject([{ path: 'force' }])
    }
  })

  it('is refused with an id of more than 128 characters', async () => {
    expect(await issuesOf({}, { id: 'a'.repeat(129) })).toMatchObject([{ path: 'id' }])
    expect(await issuesOf({}, { query: `?to=${'a'.repeat(129)}` })).toMatchObject([{ path: 'to' }])
  })

  it('is refused with U+0000 in any place', async () => {
    const fault = { message: 'the character U+0000 is not accepted' }
    expect(await issuesOf({ name: 'a\0' })).toEqual([{ path: 'name', ...fault }])
    expect(await issuesOf({ fields: { a: [{ b: '\0' }] } })).toEqual([{ path: 'fields.a.0.b', ...fault }])
    expect(await issuesOf({ fields: { 'a\0b': 1 } })).toEqual([{ path: 'fields.ab', ...fault }])
    expect(await issuesOf({}, { query: '?to=%00' })).toEqual([{ path: 'to', ...fault }])
    expect(await issuesOf({}, { id: '%00' })).toEqual([{ path: 'id', ...fault }])
  })

  it('is refused with a body that is not JSON, not an object, too deep or too large', async () => {
    for (const body of ['{', '{"name":}', "{'name': 1}", '\u0000', 'NaN']) {
      expect(await issuesOf(body), body).toEqual([{ path: 'body', message: 'is not JSON' }])
    }
    for (const body of ['null', '[]', '7', '"text"', 'true']) {
      expect(await issuesOf(body), body).toEqual([
        { path: 'body', message: expect.stringContaining('expected object') },
      ])
    }
    const deep = (levels: number) => `{"fields":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
    expect((await put(deep(20))).status).toBe(200)
    expect(await issuesOf(deep(40))).toMatchObject([{ message: expect.stringContaining('nesting') }])
    expect(await issuesOf(deep(400_000))).toMatchObject([{ message: expect.stringContaining('nesting') }])
    expect(await issuesOf(JSON.stringify({ name: 'a'.repeat(1024 * 1024) }))).toEqual([
      { path: 'body', message: 'is larger than 1 MB' },
    ])
  })

  it('may be a compressed body, with the same bound after decompression', async () => {
    const call = (body: Buffer, encoding: string) =>
      api.call('PUT', `/v1/org/${org}/echo/${UUID}`, { body, headers: { 'content-encoding': encoding } })
    expect((await call(gzipSync('{"name":"a"}'), 'gzip')).body.body).toEqual({ name: 'a' })
    expect((await call(gzipSync(' '.repeat(10_000_000)), 'gzip')).body.payload.issues).toEqual([
      { path: 'body', message: 'is larger than 1 MB' },
    ])
    expect((await call(Buffer.from('{}'), 'gzip')).status).toBe(422)
    expect((await call(Buffer.from('{}'), 'nonsense')).status).toBe(422)
  })

  it('is refused with at most twenty faults', async () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]))
    expect(await issuesOf(many)).toHaveLength(20)
    expect(await issuesOf({ ['x'.repeat(100_000)]: 1 })).toEqual([
      { path: 'x'.repeat(200), message: 'is not a known field' },
    ])
  })

  it('is refused with 400 if the endpoint documents no 422', async () => {
    for (const body of ['{', undefined, {}, { name: 1 }, { name: 'a', b: 1 }, 'a'.repeat(2_000_000)]) {
      const reply = await api.call('PUT', `/v1/org/${org}/old`, { body })
      expect(reply.status).toBe(400)
      expect(reply.body.error_message).toBe('BAD_REQUEST')
    }
  })
})

describe('the answer of an endpoint', () => {
  const get = (how: string) => api.call('GET', `/v1/org/${org}/broken/${how}`)
  const internal = {
    error_code: 5000001,
    error_message: 'INTERNAL_ERROR',
    error_description: 'Something went wrong on our side.',
    payload: {},
  }

  it('has no body if none is documented, and is not cached', async () => {
    const reply = await api.call('PUT', `/v1/org/${org}/old`, { body: { name: 'a' } })
    expect([reply.status, reply.body, reply.headers['cache-control']]).toEqual([202, undefined, 'no-store'])
  })

  it('is the error that the handler threw, if it is documented', async () => {
    expect(await get('CONTACT_NOT_FOUND')).toMatchObject({ status: 404, body: { error_code: 4040002 } })
    expect(api.logged).toEqual([])
  })

  it.each(['answer', 'extra', 'crash', 'RATE_LIMITED', 'UNKNOWN_CHATROOM'])(
    'is 500 with one line in the log for a mistake of the handler: %s',
    async (how) => {
      expect(await get(how)).toMatchObject({ status: 500, body: internal })
      expect(api.logged).toHaveLength(1)
      expect(api.logged[0]).toMatchObject({ level: 50, operationId: 'broken' })
      expect(JSON.stringify(api.logged)).not.toContain('private')
    },
  )
})
