import { beforeAll, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let api: TestApi
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  api = await startTestApi(database.db)
})

const settings = (headers: Record<string, string>) => api.call('GET', '/v1/org/nobody/settings', { headers })

it('every answer has the request id of the caller, or a new one', async () => {
  expect((await settings({ 'x-request-id': 'crm:42.a-b_C' })).headers['x-request-id']).toBe('crm:42.a-b_C')
  const [one, other] = [await settings({}), await settings({})].map(({ headers }) => headers['x-request-id'])
  expect(one).toMatch(/^[\da-f-]{36}$/)
  expect(other).not.toBe(one)
  expect((await api.call('GET', '/nowhere')).headers['x-request-id']).toBeDefined()
  expect((await api.call('GET', '/openapi.json', { as: null })).headers['x-request-id']).toBeDefined()
})

it.each(['', 'a b', 'a'.repeat(101), '{"level":60}'])(
  'a request id that is not fit for a log is replaced: %s',
  async (id) => {
    expect((await settings({ 'x-request-id': id })).headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
  },
)

it('the log line of an internal error has the request id', async () => {
  await database.pool.query('alter table orgs rename to orgs_away')
  const reply = await settings({ 'x-request-id': 'crm-7' })
  await database.pool.query('alter table orgs_away rename to orgs')
  expect(reply.status).toBe(500)
  expect(api.logged.at(-1)).toMatchObject({ requestId: 'crm-7', msg: 'an API request failed' })
})
