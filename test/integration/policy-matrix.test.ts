import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Database } from '../../src/db/client.ts'
import { ERRORS } from '../../src/errors.ts'
import { createApiRouter } from '../../src/http/api-router.ts'
import { defineEndpoint, type Endpoint } from '../../src/http/endpoint.ts'
import type { Policy } from '../../src/http/policy.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { type Claims, routesOf, serveEndpoints, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { createOrg } from '../support/org.ts'

const spec = JSON.parse(readFileSync('test/fixtures/spec-openapi.json', 'utf8'))

/** What is public: the document and the page that shows it. */
const PUBLIC = ['get /docs', 'get /openapi.json']

let db: Database['db']
let api: TestApi
let routes: { method: string; path: string }[]
let own: string
let other: string

beforeAll(async () => {
  db = (await createTestDatabase()).db
  api = await startTestApi(db)
  routes = routesOf(api.app).filter(({ method, path }) => !PUBLIC.includes(`${method} ${path}`))
  own = (await createOrg(db)).id
  other = (await createOrg(db)).id
})

/** The original API document states its policies in its descriptions; our own endpoints have theirs in code. */
function policyOf(method: string, path: string): Policy | undefined {
  const words: string | undefined = spec.paths[path]?.[method]?.description
  if (words === undefined) return ENDPOINTS.find((e) => e.method === method && e.path === path)?.policy
  const said = (name: string) => new RegExp(`${name}: (\\w+)`).exec(words)?.[1]?.toUpperCase()
  return {
    role: said('Roles Allowed') as Policy['role'],
    impersonated: said('Impersonated User Allowed') === 'TRUE',
    partner: said('Partner Allowed') === 'TRUE',
  }
}

/** Every kind of caller there is. */
const callers = ['ADMIN', 'MEMBER'].flatMap((role) =>
  [false, true].flatMap((impersonated) => [false, true].map((partner) => ({ role, impersonated, partner }))),
)

function admits(policy: Policy, { role, impersonated, partner }: (typeof callers)[number]): boolean {
  if (impersonated && !policy.impersonated) return false
  if (partner && !policy.partner) return false
  return role === 'ADMIN' || policy.role === 'MEMBER'
}

function claimsOf({ role, impersonated, partner }: (typeof callers)[number]): Claims {
  return {
    org: partner ? `${own},elsewhere` : own,
    role,
    ...(impersonated && { act: 'support' }),
    ...(partner && { partner: 'p1' }),
  }
}

async function outcomeOf(caller: (typeof callers)[number], method: string, path: string, org: string) {
  const address = path.replace('{orgId}', org).replace(/\{\w+\}/g, 'x')
  const { status, body } = await api.call(method.toUpperCase(), address, {
    as: claimsOf(caller),
    ...(method !== 'get' && { body: { nonsense: true } }),
  })
  if (body?.error_code === ERRORS.FORBIDDEN[0]) return 'refused'
  return [401, 403, 500].includes(status) ? status : 'admitted'
}

describe('the policy of every route', () => {
  it('exists for every route, and every route of the original API exists', () => {
    expect(routes.length).toBeGreaterThanOrEqual(12)
    for (const { method, path } of routes) expect(policyOf(method, path), `${method} ${path}`).toBeDefined()
    const specified = Object.entries<object>(spec.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(routes.map((r) => `${r.method} ${r.path}`)).toEqual(expect.arrayContaining(specified))
  })

  it('admits exactly the callers that it names, and only to their own orgs', async () => {
    const found: string[] = []
    const expected: string[] = []
    for (const { method, path } of routes) {
      const policy = policyOf(method, path)!
      for (const caller of callers) {
        for (const org of [own, other]) {
          const cell = `${method} ${path} ${JSON.stringify(caller)} ${org === own ? 'own' : 'other'} org`
          found.push(`${cell}: ${await outcomeOf(caller, method, path, org)}`)
          expected.push(`${cell}: ${org === own && admits(policy, caller) ? 'admitted' : 'refused'}`)
        }
      }
    }
    expect(found).toEqual(expected)
    expect(found).toHaveLength(routes.length * 16)
    const wrong = found.filter((cell, i) => cell !== expected[i])
    publishFigure(26, { of: 'cells (routes x callers x orgs)', n: found.length, wrong })
  })

  it('requires a token before the input is read', async () => {
    for (const { method, path } of routes) {
      const address = path.replace(/\{\w+\}/g, 'x')
      const reply = await api.call(method.toUpperCase(), address, { as: null, body: '{' })
      expect(reply.status, `${method} ${path}`).toBe(401)
    }
  })

  it('gives the same refusal for an unknown org as for one that the token does not cover', async () => {
    for (const { method, path } of routes) {
      const address = path.replace('{orgId}', 'unknown').replace(/\{\w+\}/g, 'x')
      const replies = await Promise.all(
        ['unknown', own].map((org) => api.call(method.toUpperCase(), address, { as: { org } })),
      )
      expect(replies[0]?.status).toBe(403)
      expect(replies[0]?.body).toEqual(replies[1]?.body)
    }
  })
})

describe('each of the eight policies', () => {
  const policies = callers as Policy[]

  it('admits exactly the callers that it names', async () => {
    const endpoints = policies.map((policy, i) =>
      defineEndpoint({
        ...{ summary: 's', tags: ['t'], method: 'get', operationId: `policy${i}`, policy },
        path: `/v1/org/{orgId}/policy${i}` as '/v1/org/{orgId}/policy',
        params: { orgId: z.string() },
        responses: { 202: { description: 'admitted' } },
        errors: { 401: 'u', 403: 'f', 422: 'i', 500: 'e' },
        handler: async () => ({ status: 202 }),
      }),
    )
    const { call } = await serveEndpoints(db, endpoints)
    for (const [i, policy] of policies.entries()) {
      for (const caller of callers) {
        const { status } = await call('GET', `/v1/org/${own}/policy${i}`, { as: claimsOf(caller) })
        const cell = `${JSON.stringify(policy)} ${JSON.stringify(caller)}`
        expect(`${cell} ${status}`).toBe(`${cell} ${admits(policy, caller) ? 202 : 403}`)
      }
    }
  })
})

describe('a router', () => {
  const endpoint = ENDPOINTS[0]!
  const build = (endpoints: Endpoint[]) => () =>
    createApiRouter(endpoints, {
      db,
      announceSends: () => {},
      announceEvents: () => {},
      authenticate: () => Promise.reject(new Error('not asked')),
      installation: { secretsKey: undefined, allowPrivateWebhooks: false },
      limitOnce: async () => undefined,
      countRequest: async () => undefined,
      machineTime: Date.now,
      log: {} as never,
    })

  it('is not built with a route that has no policy', () => {
    const { policy: _, ...naked } = endpoint
    expect(build([naked as Endpoint])).toThrow('has no policy')
  })

  it('is not built with two endpoints of one address or one name', () => {
    const renamed = { ...endpoint, operationId: 'other', path: endpoint.path.replace('{orgId}', '{id}') }
    expect(build([endpoint, renamed as Endpoint])).toThrow('two endpoints')
    expect(build([endpoint, { ...endpoint, path: '/v1/elsewhere' }])).toThrow('two endpoints')
  })
})
