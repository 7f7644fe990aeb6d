import { describe, expect, onTestFinished, test } from 'vitest'
import { doctorCommand } from '../../src/cli/doctor.ts'
import { type Reply, startStandInGraph } from '../../src/demo/stand-in-graph.ts'
import type { Check } from '../../src/doctor/check.ts'
import { createTestDatabase } from '../support/database.ts'
import { ACCESS_TOKEN, createOrg, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startReceiver, VERIFY_TOKEN } from '../support/receiver.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import { runCommand } from '../support/run-command.ts'

const APP_SECRET = '0123456789abcdef0123456789abcdef'
const database = await createTestDatabase()
const receiver = await startReceiver()
const org = await createSendingOrg(database.db)
const [phone = ''] = org.phones

/** What Meta answers by path, when all is well. */
const WELL: Record<string, unknown> = {
  debug_token: {
    data: {
      app_id: '77',
      is_valid: true,
      expires_at: 0,
      scopes: ['whatsapp_business_messaging', 'whatsapp_business_management'],
    },
  },
  subscribed_apps: { data: [{ whatsapp_business_api_data: { id: '77', name: 'Usher' } }] },
  subscriptions: {
    data: [{ object: 'whatsapp_business_account', active: true, fields: [{ name: 'messages' }] }],
  },
  [phone]: { id: phone, status: 'CONNECTED', quality_rating: 'GREEN' },
}

/** A Graph API that answers by the last part of the path; `undefined` is answered as an expired token is. */
const answering =
  (answers: Record<string, unknown>): Reply =>
  (res, { path, authorization }) => {
    const name = path.split('?')[0]?.split('/').at(-1) ?? ''
    const isAllowed = name !== 'subscriptions' || authorization === `Bearer 77|${APP_SECRET}`
    const answer = isAllowed ? answers[name] : undefined
    const error = { error: { code: 190, message: 'canary-message' } }
    res.writeHead(answer ? 200 : 401, { 'content-type': 'application/json' })
    res.end(JSON.stringify(answer ?? error))
  }

async function examine(args: string[], env: Record<string, string> = {}, answers: object = {}) {
  const graph = await startStandInGraph(answering({ ...WELL, ...answers }))
  onTestFinished(graph.stop)
  const { code, output } = await runCommand(doctorCommand(), [...args, '--json'], {
    DATABASE_URL: database.url,
    GRAPH_API_URL: graph.url,
    META_APP_SECRET: `${'f'.repeat(32)},${APP_SECRET}`,
    META_VERIFY_TOKEN: VERIFY_TOKEN,
    JWT_SECRET: 's'.repeat(32),
    SECRETS_KEY,
    REDIS_URL: '',
    ...env,
  })
  const checks = JSON.parse(output) as Check[]
  expect(output).not.toMatch(new RegExp(`canary|${ACCESS_TOKEN}|${APP_SECRET}|ssss|postgres://`))
  return { code, checks, failed: checks.filter(({ status }) => status === 'failed') }
}

/** The check whose name ends so. */
const named = (checks: Check[], end: string) => checks.find(({ name }) => name.endsWith(end))

describe('npm run doctor', () => {
  test('exits 0 where nothing is broken, and asks Meta about the org and the callback URL', async () => {
    const { code, checks, failed } = await examine(['--org', org.id, '--url', receiver.hook])
    expect(failed).toEqual([])
    expect(code).toBe(0)
    const names = ['PostgreSQL', 'Migrations', 'Rights', 'Clock', 'Redis', 'META_APP_SECRET']
    const atMeta = [': token', ': scopes', ': subscribed to the app', ': webhook fields', `Number ${phone}`]
    for (const name of [...names, ...atMeta])
      expect([name, named(checks, name)?.status]).toEqual([name, 'ok'])
    // PostgreSQL runs without fsync in the tests.
    expect(named(checks, 'Settings')).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/^fsync/),
    })
    // The receiver of the test speaks HTTP, and Meta calls HTTPS only.
    expect(named(checks, 'Callback URL')?.status).toBe('warning')
  })

  test('prints a list with marks and remedies for people', async () => {
    const { code, output } = await runCommand(doctorCommand(), [], {
      DATABASE_URL: database.url,
      META_APP_SECRET: '',
    })
    expect(code).toBe(1)
    expect(output).toMatch(/^✓ PostgreSQL: \d+/m)
    expect(output).toMatch(/^✗ META_APP_SECRET: not set\n {4}copy it from the App Dashboard/m)
    expect(output).toMatch(/^\d of \d+ failed\.$/m)
  })

  const inOneHour = Math.floor(Date.now() / 1_000) + 3_600
  const facts = (WELL.debug_token as { data: object }).data
  test.each([
    ['an invalid token', ': token', 'failed', { debug_token: { data: { ...facts, is_valid: false } } }],
    ['a token that Meta refuses', ': token', 'failed', { debug_token: undefined }],
    ['a token that expired', ': token', 'failed', { debug_token: { data: { ...facts, expires_at: 1 } } }],
    [
      'a token that expires soon',
      ': token',
      'warning',
      { debug_token: { data: { ...facts, expires_at: inOneHour } } },
    ],
    ['a missing scope', ': scopes', 'failed', { debug_token: { data: { ...facts, scopes: [] } } }],
    ['a WABA of no app', ': subscribed to the app', 'failed', { subscribed_apps: { data: [] } }],
    [
      'a WABA of another app',
      ': subscribed to the app',
      'failed',
      { subscribed_apps: { data: [{ whatsapp_business_api_data: { id: '78' } }] } },
    ],
    ['no subscribed field', ': webhook fields', 'failed', { subscriptions: { data: [] } }],
    ['an unreadable answer', ': webhook fields', 'warning', { subscriptions: { data: 'canary' } }],
    ['a number that Meta does not know', phone, 'failed', { [phone]: undefined }],
    ['a banned number', phone, 'failed', { [phone]: { status: 'BANNED' } }],
    [
      'a number of low quality',
      phone,
      'warning',
      { [phone]: { status: 'CONNECTED', quality_rating: 'RED' } },
    ],
  ])('finds %s', async (_, name, status, answers) => {
    const { code, checks } = await examine(['--org', org.id], {}, answers)
    expect(named(checks, name)).toMatchObject({ status, remedy: expect.any(String) })
    expect(code).toBe(status === 'failed' ? 1 : 0)
  })

  test('finds an org that does not exist, one without a token, and a wrong SECRETS_KEY', async () => {
    expect((await examine(['--org', 'nope'])).failed.map(({ name }) => name)).toEqual(['Org'])
    const bare = await createOrg(database.db)
    expect((await examine(['--org', bare.id])).failed).toMatchObject([{ name: `WABA ${bare.wabaId}: token` }])
    const other = { SECRETS_KEY: Buffer.alloc(32).toString('base64') }
    expect((await examine(['--org', org.id], other)).failed).toMatchObject([
      { name: `WABA ${org.wabaId}: token` },
    ])
  })

  test('finds a callback URL that is closed, is not Usher, or has another verify token', async () => {
    const find = async (url: string, env = {}) => (await examine(['--url', url], env)).failed[0]?.found
    expect(await find('http://127.0.0.1:9/')).toContain('does not answer')
    expect(await find(`${receiver.url}/docs`)).toMatch(/^answers/)
    expect(await find(receiver.hook, { META_VERIFY_TOKEN: 'another' })).toBe('answers 403')
    expect(await find('nowhere')).toBe('is not a URL')
  })

  test('finds missing migrations, missing rights, and a database that does not answer', async () => {
    const own = await createTestDatabase()
    await own.pool.query('delete from drizzle.__drizzle_migrations')
    await own.pool.query(`create role usher_weak login password 'x'; grant usage on schema drizzle to usher_weak;
      grant select on drizzle.__drizzle_migrations to usher_weak`)
    onTestFinished(async () => {
      await own.pool.query('drop owned by usher_weak; drop role usher_weak')
    })
    const weak = Object.assign(new URL(own.url), { username: 'usher_weak', password: 'x' }).href
    const { failed } = await examine([], { DATABASE_URL: weak })
    expect(failed.map(({ name }) => name)).toEqual(['Migrations', 'Rights'])
    const away = await examine([], { DATABASE_URL: 'postgres://127.0.0.1:9/none' })
    expect(away.failed).toMatchObject([{ name: 'PostgreSQL', found: 'does not answer: ECONNREFUSED' }])
  })

  test.skipIf(!findRedis())('finds a Redis that drops jobs, and one that does not answer', async () => {
    const redis = await startRedis(undefined, ['--maxmemory-policy', 'allkeys-lru'])
    onTestFinished(redis.stop)
    const { checks, failed } = await examine([], { REDIS_URL: redis.url })
    expect(named(checks, 'Redis')?.status).toBe('ok')
    expect(failed).toMatchObject([{ name: 'maxmemory-policy', found: 'allkeys-lru' }])
    const away = await examine([], { REDIS_URL: 'redis://127.0.0.1:9' })
    expect(away.failed).toMatchObject([{ name: 'Redis', found: 'does not answer: ECONNREFUSED' }])
  })
})
