import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createLogins } from '../../src/logins/logins.ts'
import { ADMIN_ENDPOINTS } from '../../workers/admin.ts'
import { ADMIN, ADMIN_TOKENS, type AdminApi, bearer, startAdmin } from '../support/admin.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { cookieOf, HASH, PASSWORD, postLogin, usersFile } from '../support/logins.ts'
import { basicAuth, LOGIN, startOps } from '../support/ops.ts'
import { createOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { unchanged } from '../support/refusal.ts'

const { db } = await createTestDatabase()
const admin = await startAdmin(db)

/** Every route, with the org in its path. */
const routesOf = (org: TestOrg) =>
  ADMIN_ENDPOINTS.map(({ method, path }) => ({
    method: method.toUpperCase(),
    path: path.replace('/admin', '').replace('{orgId}', org.id).replace('{id}', 'x'),
  }))

/** Which statuses all routes answer to these headers, each once. */
async function statusesOf(call: AdminApi, org: TestOrg, headers: Record<string, string>, methods = /./) {
  const statuses = new Set<number>()
  for (const { method, path } of routesOf(org).filter(({ method }) => methods.test(method)))
    statuses.add((await call(method, path, { headers, body: '{' })).status)
  return [...statuses]
}

describe('the provisioning API admits', () => {
  it('each token of ADMIN_TOKEN, and the audit tells them apart', async () => {
    const org = await createOrg(db)
    for (const [i, token] of ADMIN_TOKENS.entries()) {
      const headers = { authorization: `Bearer ${token}` }
      const body = { name: `name ${i}` }
      expect((await admin('PUT', `/orgs/${org.id}`, { headers, body })).status).toBe(200)
    }
    const actors = (await eventsOfOrg(db, org.id, 'org.renamed')).map(({ actor }) => actor)
    for (const actor of actors) expect(actor).toMatch(ADMIN)
    expect(new Set(actors).size).toBe(2)
  })

  it('a JWT of the role OPERATOR: to all orgs, or to those that it names', async () => {
    const [org, other, third] = [await createOrg(db), await createOrg(db), await createOrg(db)]
    const call = async (one: TestOrg, claims: object) => {
      const headers = await bearer({ role: 'OPERATOR', ...claims })
      return (await admin('PUT', `/orgs/${one.id}`, { headers, body: { name: 'by operator' } })).status
    }
    expect(await call(org, {})).toBe(200)
    expect(await call(org, { org_id: org.id })).toBe(200)
    expect(await call(other, { org_ids: [org.id, other.id] })).toBe(200)
    for (const claims of [{ org_id: org.id }, { org_ids: [org.id, other.id] }])
      expect(await unchanged(db, third, () => call(third, claims))).toBe(403)
    expect(await eventsOfOrg(db, org.id, 'org.renamed')).toMatchObject([{ actor: 'operator:ops-ann' }])
  })

  it('an operator with a login, to the orgs of the login', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const basic = { authorization: basicAuth(LOGIN.user, LOGIN.password) }
    const body = { name: 'by login' }
    expect((await admin('PUT', `/orgs/${org.id}`, { headers: basic, body })).status).toBe(200)
    expect(await eventsOfOrg(db, org.id, 'org.renamed')).toMatchObject([{ actor: `ops:${LOGIN.user}` }])
    const { call, cookieFor } = await withLogins(org)
    const [operator, viewer] = [await cookieFor('operator'), await cookieFor('viewer')]
    const put = (one: TestOrg, headers: Record<string, string>) =>
      call('PUT', `/orgs/${one.id}`, { headers, body: { name: 'by cookie' } })
    expect((await put(org, operator)).status).toBe(200)
    expect((await unchanged(db, other, () => put(other, operator))).status).toBe(403)
    expect((await unchanged(db, org, () => put(org, viewer))).status).toBe(403)
    expect((await call('GET', `/orgs/${org.id}`, { headers: viewer })).status).toBe(200)
    expect((await call('GET', `/orgs/${other.id}`, { headers: viewer })).status).toBe(403)
    const foreign = { ...operator, 'sec-fetch-site': 'cross-site' }
    expect((await unchanged(db, org, () => put(org, foreign))).status).toBe(403)
  })
})

/** The internal listener with a viewer and an operator of one org, who log in on its page. */
async function withLogins(org: TestOrg) {
  const file = await usersFile(`viewer viewer ${org.id} ${HASH}`, `operator operator ${org.id} ${HASH}`)
  const secretsKey = Buffer.from(SECRETS_KEY, 'base64')
  const log = createLogger({ logLevel: 'silent' })
  const logins = createLogins({ login: undefined, usersFile: file.path, secretsKey, log })
  const url = await startOps(db, { login: undefined, logins })
  const cookieFor = async (name: string) => ({
    cookie: cookieOf(await postLogin(url, { name, password: PASSWORD })),
  })
  return { call: await startAdmin(db, { login: undefined, logins }), cookieFor }
}

describe('the provisioning API refuses, on every route and before it reads the input,', () => {
  it('everybody without credentials or with wrong ones: 401', async () => {
    const org = await createOrg(db)
    const wrong = [
      ...['', `Bearer ${ADMIN_TOKENS[0]}x`, `Bearer ${ADMIN_TOKENS.join(',')}`, `Token ${ADMIN_TOKENS[0]}`],
      ...['Bearer ', 'Bearer a.b.c', ADMIN_TOKENS[0]!],
    ]
    for (const authorization of wrong)
      expect(await statusesOf(admin, org, authorization === '' ? {} : { authorization }, /GET/)).toEqual([
        401,
      ])
    expect(await unchanged(db, org, () => statusesOf(admin, org, {}))).toEqual([401])
    const headers = { authorization: basicAuth(LOGIN.user, 'wrong') }
    expect((await admin('GET', `/orgs/${org.id}`, { headers })).status).toBe(401)
    expect((await admin('GET', '/openapi.json', { headers: {} })).status).toBe(401)
    expect((await admin('GET', '/nothing', { headers: {} })).status).toBe(401)
  })

  it('every token while ADMIN_TOKEN is not set, also an empty one: 401', async () => {
    const org = await createOrg(db)
    const call = await startAdmin(db, { tokens: [], login: undefined })
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: `Bearer ${ADMIN_TOKENS[0]}` }])
      expect(await unchanged(db, org, () => statusesOf(call, org, headers))).toEqual([401])
  })

  it('JWTs that are valid and of another role: 403; expired, impersonated and partners: 401', async () => {
    const org = await createOrg(db)
    for (const role of ['ADMIN', 'MEMBER', 'operator', undefined]) {
      const headers = await bearer({ role, org_id: org.id })
      expect(await unchanged(db, org, () => statusesOf(admin, org, headers))).toEqual([403])
    }
    const role = 'OPERATOR'
    for (const claims of [{ act: { sub: 'x' } }, { partner_id: 'p', org_ids: [org.id] }, { org_ids: [] }])
      expect(await statusesOf(admin, org, await bearer({ role, ...claims }), /GET/)).toEqual([401])
  })

  it('changes of everybody while OPS_READ_ONLY is set: 403', async () => {
    const org = await createOrg(db)
    const call = await startAdmin(db, { readOnly: true })
    const authorization = [`Bearer ${ADMIN_TOKENS[0]}`, basicAuth(LOGIN.user, LOGIN.password)]
    for (const one of authorization) {
      const headers = { authorization: one }
      expect(await unchanged(db, org, () => statusesOf(call, org, headers, /PUT|DELETE/))).toEqual([403])
      expect((await call('GET', `/orgs/${org.id}`, { headers })).status).toBe(200)
    }
  })
})

it('the public API refuses tokens of the role OPERATOR and ADMIN_TOKEN', async () => {
  const org = await createOrg(db)
  const api = await startTestApi(db)
  const { authorization } = await bearer({ role: 'OPERATOR', org_id: org.id })
  for (const as of [authorization, `Bearer ${ADMIN_TOKENS[0]}`])
    expect((await api.call('GET', `/v1/org/${org.id}/settings`, { as })).status).toBe(401)
})

it('a process with a wrong clock reads, and changes nothing', async () => {
  const org = await createOrg(db)
  const call = await startAdmin(db, { machineTime: () => Date.now() + 60_000 })
  expect((await call('GET', `/orgs/${org.id}`)).status).toBe(200)
  const reply = await unchanged(db, org, () => call('PUT', `/orgs/${org.id}`, { body: { name: 'x' } }))
  expect([reply.status, reply.body.error_message]).toEqual([503, 'CLOCK_IS_WRONG'])
})

it('the document of the provisioning API describes every route and every error', async () => {
  const { body } = await admin('GET', '/openapi.json')
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  expect(described.toSorted()).toEqual(
    ADMIN_ENDPOINTS.map(({ method, path }) => `${method} ${path}`).toSorted(),
  )
  expect(JSON.stringify(body)).toContain('IS_IN_USE')
})
