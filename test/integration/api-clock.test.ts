import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRateLimits } from '../../src/http/rate-limit.ts'
import { createLogger } from '../../src/logger.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { startTestApi } from '../support/api.ts'
import { UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { createGroup, createLead } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg, type TestRoom } from '../support/org.ts'
import { unchanged } from '../support/refusal.ts'
import { ago, DAY } from '../support/time.ts'

const { db, pool } = await createTestDatabase()
const realTime = () => performance.timeOrigin + performance.now()
const api = await startTestApi(db, { machineTime: () => Date.now() })
/** An API that takes its clock for right: what it decides by the clock of its machine would show. */
const trusting = await startTestApi(db, { machineTime: realTime })

afterEach(() => {
  vi.useRealTimers()
})

/** Sets the clock of this process, which the API, its tokens and its libraries read. */
const setClock = (days: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY })

const hoursAgo = (n: number) => ago(n / 24)
const text = { origin: 'AGENT', text: { body: 'Hello' } }

/** Chatrooms for which the time decides. */
const ROOMS: Record<string, TestRoom> = {
  young: { lastInboundAt: hoursAgo(1) },
  old: { contactCreatedAt: ago(40), createdAt: ago(40) },
  inactive: { contactCreatedAt: ago(20), activatedAt: ago(20), lastInboundAt: ago(8) },
  silent: { lastInboundAt: hoursAgo(25) },
  assigned: { lastInboundAt: hoursAgo(2) },
  closed: { deactivatedAt: hoursAgo(2) },
}

async function setUp() {
  const org = await createOrg(db, { expiry_days: 30, inactivity_days: 7 })
  const rooms = new Map<string, Awaited<ReturnType<typeof createRoom>>>()
  for (const [i, name] of Object.keys(ROOMS).entries()) {
    rooms.set(name, await createRoom(db, org, { ...ROOMS[name], customer: `+1555000100${i}` }))
  }
  const lead = await createLead(db, org, { customer: '+15550002001' })
  const group_id = await createGroup(db, org, 'team', ['ann', 'bob'])
  return { org, lead, group_id, room: (name: string) => rooms.get(name)! }
}

/** Uses each endpoint that decides by the time, and gives the answers. */
async function useApi({ org, lead, group_id, room }: Awaited<ReturnType<typeof setUp>>): Promise<string[]> {
  const answers: string[] = []
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const reply = await trusting.call(method, path, { body, headers })
    const { error_message = '', is_expired = '', is_deactivated = '' } = reply.body ?? {}
    answers.push(`${reply.status} ${error_message}${is_expired} ${is_deactivated}`)
  }
  const byGroup = { assign_details: { assign_mode: 'GROUP', group_id } }
  for (const name of Object.keys(ROOMS)) {
    const { id, contactId } = room(name)
    await call('POST', `/v3/org/${org.id}/lead/chatroom/${id}/reassign`, byGroup)
    await call('POST', `/v3/org/${org.id}/lead/chatroom/${id}/reassign`, byGroup)
    await call('POST', `/v1/org/${org.id}/chatroom/${id}/messages`, text, { 'idempotency-key': name })
    await call('POST', `/v1/org/${org.id}/chatroom/${id}/messages`, text, { 'idempotency-key': name })
    await call('PUT', `/v2/orgs/${org.id}/contact/${contactId}/disposition`, { stage: 'S1' })
    await call('GET', `/v1/org/${org.id}/chatroom/contact/${contactId}`)
  }
  await call('PUT', `/v1/org/${org.id}/contacts/chatroom/${room('young').id}/deactivate`, {})
  await call('PUT', `/v1/org/${org.id}/contacts/chatroom/${room('closed').id}/activate`)
  await call('POST', `/v3/orgs/${org.id}/contacts/${room('assigned').contactId}/assign`, { user_id: 'ann' })
  await call('POST', `/v3/org/${org.id}/lead/chatroom`, { lead_id: lead, ...byGroup })
  await call('POST', `/v2/org/${org.id}/contact`, {
    crm_id: 'L-1',
    phone_number: { rawInput: '+15550003001' },
    opt_in_date: '2024-03-01T10:00:00Z',
  })
  return answers
}

const TABLES = ['contacts', 'chatrooms', 'chatroom_members', 'messages', 'outbox', 'events', 'group_members']

/** All rows of an org: ids as their number, times as their whole hours before the database's clock. */
async function rowsOf(org: TestOrg): Promise<string[]> {
  const [{ now }] = (await pool.query('select now()')).rows
  const order: Record<string, string> = { chatroom_members: 'chatroom_id', group_members: 'user_id' }
  const seen = new Map<string, number>()
  const plain = (row: string) =>
    row
      .replaceAll(org.id.slice(4), 'N')
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => `#${seen.get(id) ?? seen.set(id, seen.size).size}`)
      .replace(
        /"\d{4}-\d\d-\d\dT[^"]*"/g,
        (at) => `${Math.round((now - +new Date(JSON.parse(at))) / 3_600_000)} h`,
      )
      .replace(/"(seq|position)": \d+/, '')
  const dumps: string[] = []
  for (const table of TABLES) {
    const by = order[table] ?? 'created_at'
    const from = table === 'messages' ? 'sent_at' : by
    const { rows } = await pool.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${table} t where org_id = $1 order by ${from}, to_jsonb(t)::text`,
      [org.id],
    )
    dumps.push(...rows.map(({ row }) => `${table} ${plain(row)}`))
  }
  return dumps
}

describe.each([31, -31])('an API whose clock is %i days ahead', (days) => {
  it('decides and writes the same as one whose clock is right, because the database tells the time', async () => {
    const [right, wrong] = [await setUp(), await setUp()]
    const answers = await useApi(right)
    setClock(days)
    expect(await useApi(wrong)).toEqual(answers)
    vi.useRealTimers()
    expect(await rowsOf(wrong.org)).toEqual(await rowsOf(right.org))
  })

  it('refuses every request that changes something, with the reason, and answers all others', async () => {
    const { org } = await setUp()
    setClock(days)
    const refusals = await unchanged(db, org, () =>
      Promise.all(
        ENDPOINTS.filter(({ method }) => method !== 'get').map(async ({ method, path, errors }) => {
          const url = path.replace('{orgId}', org.id).replace(/\{\w+\}/, UNKNOWN_ID)
          const { status, body } = await api.call(method.toUpperCase(), url, { body: {} })
          return [status === (503 in errors ? 503 : 500), body.error_description]
        }),
      ),
    )
    expect(refusals.length).toBeGreaterThan(10)
    for (const refusal of refusals) expect(refusal).toEqual([true, expect.stringContaining('clock')])
    expect((await api.call('GET', `/v1/org/${org.id}/settings`)).status).toBe(200)
  })

  it('ends no rate limit of another process, and none of its own', async () => {
    const limits = () => createRateLimits({ db, redis: undefined, log: createLogger({ logLevel: 'silent' }) })
    const key = `clock/${days}`
    await limits().limitOnce(key, 1_000)
    setClock(days)
    await expect(limits().limitOnce(key, 1_000)).rejects.toMatchObject({ error: 'RATE_LIMITED' })
    await limits().limitOnce(`${key}/own`, 1_000)
    vi.useRealTimers()
    await expect(limits().limitOnce(`${key}/own`, 1_000)).rejects.toMatchObject({
      payload: { retry_after_seconds: expect.closeTo(1_000, -2) },
    })
  })
})
