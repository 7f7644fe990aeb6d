import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { ERRORS } from '../../src/errors.ts'
import { ENDPOINTS } from '../../src/http/api.ts'
import { createApiRouter } from '../../src/http/api-router.ts'
import type { Endpoint, Policy } from '../../src/http/endpoint.ts'
import { type Claims, routesOf, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
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

/** The spec states the policy of its endpoints in words; ours state theirs where they are defined. */
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

function claimsOf({ role, impersonated, partner }: (typeof callers)[number]): Claims {
  return {
    org: partner ? `${own},elsewhere` : own,
    role,
    ...(impersonated && { act: 'support' }),
    ...(partner && { partner: 'p1' }),
  }
}

async function answerTo(caller: (typeof callers)[number], method: string, path: string, org: string) {
  const address = path.replace('{orgId}', org).replace(/\{\w+\}/g, 'x')
  const reply = await api.call(method.toUpperCase(), address, {
    as: claimsOf(caller),
    ...(method !== 'get' && { body: { nonsense: true } }),
  })
  return reply
}

describe('the policy of every route', () => {
  it('is known: there is no route without one, and none of the spec is missing', () => {
    expect(routes.length).toBeGreaterThanOrEqual(12)
    for (const { method, path } of routes) expect(policyOf(method, path), `${method} ${path}`).toBeDefined()
    const specified = Object.entries<object>(spec.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(routes.map((r) => `${r.method} ${r.path}`)).toEqual(expect.arrayContaining(specified))
  })

  it('admits exactly whom it names, to their own orgs, and nobody to others', async () => {
    const found: string[] = []
    const expected: string[] = []
    for (const { method, path } of routes) {
      const policy = policyOf(method, path)!
      for (const caller of callers) {
        for (const org of [own, other]) {
          const { status, body } = await answerTo(caller, method, path, org)
          const cell = `${method} ${path} ${JSON.stringify(caller)} ${org === own ? 'own' : 'other'} org`
          const outcome = body?.error_code === ERRORS.FORBIDDEN[0] ? 'refused' : 'admitted'
          found.push(
            `${cell}: ${outcome} ${outcome === 'admitted' && [401, 403, 500].includes(status) ? status : ''}`,
          )
          const admitted =
            org === own &&
            (caller.role === 'ADMIN' || policy.role === 'MEMBER') &&
            (!caller.impersonated || policy.impersonated) &&
            (!caller.partner || policy.partner)
          expected.push(`${cell}: ${admitted ? 'admitted' : 'refused'} `)
        }
      }
    }
    expect(found).toEqual(expected)
    expect(found).toHaveLength(routes.length * 16)
  })

  it('asks for a token before anything else, on every route', async () => {
    for (const { method, path } of routes) {
      const address = path.replace(/\{\w+\}/g, 'x')
      const reply = await api.call(method.toUpperCase(), address, { as: null, body: '{' })
      expect(reply.status, `${method} ${path}`).toBe(401)
    }
  })

  it('refuses an org that does not exist in the words of one that is not covered', async () => {
    for (const { method, path } of routes) {
      const address = path.replace('{orgId}', 'ghost').replace(/\{\w+\}/g, 'x')
      const replies = await Promise.all(
        ['ghost', own].map((org) => api.call(method.toUpperCase(), address, { as: { org } })),
      )
      expect(replies[0]?.status).toBe(403)
      expect(replies[0]?.body).toEqual(replies[1]?.body)
    }
  })
})

describe('a router', () => {
  const endpoint = ENDPOINTS[0]!
  const build = (endpoints: Endpoint[]) => () =>
    createApiRouter(endpoints, {
      db,
      authenticate: () => Promise.reject(new Error('not asked')),
      limitOnce: async () => undefined,
      log: {} as never,
    })

  it('does not start with a route that has no policy', () => {
    const { policy: _, ...naked } = endpoint
    expect(build([naked as Endpoint])).toThrow('has no policy')
  })

  it('does not start with two endpoints at one address, or of one name', () => {
    const renamed = { ...endpoint, operationId: 'other', path: endpoint.path.replace('{orgId}', '{id}') }
    expect(build([endpoint, renamed as Endpoint])).toThrow('two endpoints')
    expect(build([endpoint, { ...endpoint, path: '/v1/elsewhere' }])).toThrow('two endpoints')
  })
})
