import { describe, expect, it } from 'vitest'
import { openSecret } from '../../src/webhook-endpoints/secret.ts'
import { type ApiCall, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'

const { db } = await createTestDatabase()
const key = Buffer.from(SECRETS_KEY, 'base64')
const api = await startTestApi(db, { secretsKey: key })
const base = (org: TestOrg) => `/v1/org/${org.id}/webhook-endpoints`
const URL = 'https://crm.example/hooks'
const create = (org: TestOrg, body: object = {}, call: ApiCall = {}) =>
  api.call('POST', base(org), { body: { url: URL, ...body }, ...call })
const patch = (org: TestOrg, id: string, body: object) => api.call('PATCH', `${base(org)}/${id}`, { body })
const rowOf = async (id: string) =>
  (await db.$client.query('select * from webhook_endpoints where id = $1', [id])).rows[0]
const auditOf = async (org: TestOrg) =>
  (
    await db.$client.query(
      'select kind, actor, before, after from events where org_id = $1 order by created_at, id',
      [org.id],
    )
  ).rows

describe('a webhook endpoint', () => {
  it('is created with its defaults, and its secret is shown only then', async () => {
    const org = await createOrg(db)
    const { status, body } = await create(org)
    const { secret, ...shown } = body
    expect(status).toBe(201)
    expect(shown).toEqual({
      id: expect.any(String),
      url: URL,
      types: null,
      description: null,
      enabled: true,
      disabled_at: null,
      disabled_reason: null,
      include_content: true,
      on_rejection: 'skip',
      old_secret_until: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/)
    expect((await api.call('GET', `${base(org)}/${shown.id}`)).body).toMatchObject(shown)
    expect((await api.call('GET', base(org))).body).toEqual({ webhook_endpoints: [shown] })
  })

  it('keeps its secret encrypted, for its own row only', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    const row = await rowOf(body.id)
    expect(row.secret.toString('latin1')).not.toContain(body.secret.slice(6))
    expect(openSecret(row.secret, { orgId: org.id, id: body.id }, key)).toBe(body.secret)
    const { body: other } = await create(org)
    expect(openSecret(row.secret, { orgId: org.id, id: other.id }, key)).toBeUndefined()
    expect(JSON.stringify([await auditOf(org), api.logged])).not.toContain(body.secret.slice(6))
  })

  it('is created once by a repeated request, whose answer has no secret', async () => {
    const org = await createOrg(db)
    const headers = { 'idempotency-key': 'one' }
    const first = await create(org, {}, { headers })
    const again = await create(org, {}, { headers })
    expect(again.body).toEqual({ ...first.body, secret: null })
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect((await api.call('GET', base(org))).body.webhook_endpoints).toHaveLength(1)
    const { rows } = await db.$client.query('select body from idempotency_keys where org_id = $1', [org.id])
    expect(JSON.stringify(rows)).not.toContain('whsec_')
  })

  it('is changed where a setting is given, and the audit has old and new values', async () => {
    const org = await createOrg(db)
    const { body } = await create(org, { description: 'CRM' })
    const changes = { types: ['message.received'], on_rejection: 'wait', include_content: false }
    const changed = await patch(org, body.id, changes)
    const { secret: _, ...before } = body
    expect(changed.body).toEqual({ ...before, ...changes, updated_at: expect.any(String) })
    const settings = { url: URL, types: null, description: 'CRM', enabled: true }
    const old = { id: body.id, ...settings, include_content: true, on_rejection: 'skip' }
    expect(await auditOf(org)).toEqual([
      { kind: 'webhook_endpoint.created', actor: 'user:ann', before: null, after: old },
      { kind: 'webhook_endpoint.updated', actor: 'user:ann', before: old, after: { ...old, ...changes } },
    ])
    await patch(org, body.id, changes)
    expect(await auditOf(org)).toHaveLength(2)
  })

  it('that Usher disabled has no reason any more when it is enabled', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    const disable = `update webhook_endpoints set enabled = false, disabled_at = now(), disabled_reason = 'gone' where id = $1`
    await db.$client.query(disable, [body.id])
    const { body: disabled } = await api.call('GET', `${base(org)}/${body.id}`)
    expect(disabled).toMatchObject({
      enabled: false,
      disabled_reason: 'gone',
      disabled_at: expect.any(String),
    })
    const { body: enabled } = await patch(org, body.id, { enabled: true })
    expect(enabled).toMatchObject({ enabled: true, disabled_reason: null, disabled_at: null })
  })

  it('gets a new secret, and the former one stays valid for 24 h', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    const { body: rotated } = await api.call('POST', `${base(org)}/${body.id}/rotate-secret`)
    expect(rotated.secret).toMatch(/^whsec_/)
    expect(rotated.secret).not.toBe(body.secret)
    const hours = (Date.parse(rotated.old_secret_until) - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(23.9)
    expect(hours).toBeLessThan(24.1)
    const row = await rowOf(body.id)
    const owner = { orgId: org.id, id: body.id }
    expect(openSecret(row.secret, owner, key)).toBe(rotated.secret)
    expect(openSecret(row.old_secret, owner, key)).toBe(body.secret)
    await db.$client.query(`update webhook_endpoints set old_secret_until = now() where id = $1`, [body.id])
    expect((await api.call('GET', `${base(org)}/${body.id}`)).body.old_secret_until).toBeNull()
  })

  it('that is deleted is gone', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    expect((await api.call('DELETE', `${base(org)}/${body.id}`)).status).toBe(204)
    for (const method of ['GET', 'DELETE'])
      expect((await api.call(method, `${base(org)}/${body.id}`)).body.error_message).toBe(
        'WEBHOOK_ENDPOINT_NOT_FOUND',
      )
    expect((await auditOf(org)).at(-1)).toMatchObject({
      kind: 'webhook_endpoint.deleted',
      before: { url: URL },
    })
  })

  it('of another org does not exist', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const { body } = await create(org)
    const path = `${base(other)}/${body.id}`
    for (const [method, path_, call] of [
      ['GET', path, {}],
      ['PATCH', path, { body: { enabled: false } }],
      ['DELETE', path, {}],
      ['POST', `${path}/rotate-secret`, {}],
    ] as const)
      expect([method, (await api.call(method, path_, call)).status]).toEqual([method, 404])
    expect((await api.call('GET', base(other))).body).toEqual({ webhook_endpoints: [] })
    expect((await rowOf(body.id)).enabled).toBe(true)
  })
})

describe('the 10 endpoints of an org', () => {
  it('are the most, also for requests at the same time; one that is deleted makes room', async () => {
    const org = await createOrg(db)
    const replies = await Promise.all(Array.from({ length: 14 }, () => create(org)))
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(10)
    const refused = replies.filter(({ status }) => status !== 201)
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.error_message}`))).toEqual(
      new Set(['409 TOO_MANY_WEBHOOK_ENDPOINTS']),
    )
    const [first] = (await api.call('GET', base(org))).body.webhook_endpoints
    await api.call('DELETE', `${base(org)}/${first.id}`)
    expect((await create(org)).status).toBe(201)
  })

  it('are counted by the database itself', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    const copy = (slot: number) =>
      db.$client.query(
        `insert into webhook_endpoints (org_id, id, slot, url, enabled, include_content, on_rejection, secret, position)
         select org_id, gen_random_uuid(), $2, url, enabled, include_content, on_rejection, secret, position
         from webhook_endpoints where id = $1`,
        [body.id, slot],
      )
    await expect(copy(11)).rejects.toMatchObject({ constraint: 'webhook_endpoints_at_most_ten' })
    await expect(copy(1)).rejects.toMatchObject({ constraint: 'webhook_endpoints_slot' })
  })
})

describe('bad input', () => {
  it.each([
    { url: 'http://crm.example' },
    { url: 'https://10.0.0.1/' },
    { url: 'https://user:pw@crm.example/' },
  ])('a URL that is refused is named as such: %o', async (body) => {
    const org = await createOrg(db)
    const refused = { status: 422, body: { error_message: 'WEBHOOK_URL_REFUSED' } }
    expect(await create(org, body)).toMatchObject(refused)
    const { body: endpoint } = await create(org)
    expect(await patch(org, endpoint.id, body)).toMatchObject(refused)
  })

  it.each([
    { types: ['message.unknown'] },
    { types: [] },
    { on_rejection: 'drop' },
    { url: `https://crm.example/${'x'.repeat(2_100)}` },
    { description: 'x'.repeat(201) },
    { enabled: 'yes' },
    { secret: 'whsec_mine' },
  ])('%o is refused', async (body) => {
    const org = await createOrg(db)
    expect(await create(org, body)).toMatchObject({ status: 422, body: { error_message: 'INVALID_INPUT' } })
  })

  it('an endpoint needs a URL', async () => {
    const org = await createOrg(db)
    expect((await api.call('POST', base(org), { body: {} })).status).toBe(422)
  })
})

it('an installation without SECRETS_KEY refuses to create endpoints', async () => {
  const org = await createOrg(db)
  const without = await startTestApi(db, { secretsKey: undefined })
  const reply = await without.call('POST', base(org), { body: { url: URL } })
  expect(reply).toMatchObject({ status: 503, body: { error_message: 'SECRETS_KEY_MISSING' } })
})

it('an installation that allows private addresses takes a URL of loopback', async () => {
  const org = await createOrg(db)
  const open = await startTestApi(db, { secretsKey: key, allowPrivateWebhooks: true })
  const reply = await open.call('POST', base(org), { body: { url: 'http://127.0.0.1:9999/' } })
  expect(reply.status).toBe(201)
})
