import { beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createGroup, createLead } from '../support/leads.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'

const BIG = [
  'chatrooms',
  'waiting_chatrooms',
  'contacts',
  'customers',
  'customer_aliases',
  'messages',
  'events',
  'outbox',
  'inbox',
]
const USERS = ['ann', 'bob', 'cid', 'dee']
/**
 * Pools disable sequential scans, so a plan has one only where no index fits, on tables of any size. With a million
 * customers, times are printed: `PLAN_CUSTOMERS=1000000 npx vitest run --project integration api-plans`.
 */
const CUSTOMERS = Number(process.env.PLAN_CUSTOMERS ?? 2_000)

/** A million customers take minutes to load. */
const PLAN_MS = 1_800_000

let db: Db

/** Calls every endpoint of the API in every way that has statements of its own; gives the calls. */
async function everyRequest(org: TestOrg): Promise<string[]> {
  const called: string[] = []
  const api = await startTestApi(db as Parameters<typeof startTestApi>[0])
  const ok = async (method: string, path: string, body?: unknown) => {
    called.push(`${method} ${path}`)
    const reply = await api.call(method, path, { body })
    expect([method, path, reply.status < 300]).toEqual([method, path, true])
    return reply.body
  }
  const v1 = `/v1/org/${org.id}`
  const lead = (n: number, at?: Date) =>
    createLead(db, org, { customer: `+1555700000${n}`, createdAt: at ?? new Date() })
  const overdue = await createRoom(db, org, {
    customer: '+15557000001',
    createdAt: ago(101),
  })
  await db.$client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, direction, type, sent_at, received_at, seq,
       route, reason, payload) values ($1, 'held', $2, $3, 'in', 'text', now(), now(), 1, 'held', 'x', '{}')`,
    [org.id, org.phones[0], overdue.customerId],
  )
  const create = async (contact: string, assign_details: object, options: object = {}) =>
    (await ok('POST', `/v3/org/${org.id}/lead/chatroom`, { lead_id: contact, assign_details, ...options }))
      .chatroom_id
  const first = await lead(1)
  const room = await create(first, { assign_mode: 'USER', user_email: `ann@${org.id}.test` })
  const team = { assign_mode: 'GROUP', group_id: 'team' }
  const forced = await create(first, team, { force_deactivate: true })
  await create(await lead(2), { assign_mode: 'DELEGATE', assign_on_handover: true })
  await ok('POST', `/v2/org/${org.id}/chatroom`, { contact_id: await lead(3), user_id: 'ann' })
  await ok('POST', `/v2/org/${org.id}/waba/chatroom/${room}/reassign`, { user_id: 'bob' })
  await ok('POST', `/v3/org/${org.id}/lead/chatroom/${forced}/reassign`, { assign_details: team })
  await ok('POST', `/v3/orgs/${org.id}/contacts/${await lead(4)}/assign`, { group_id: 'team' })
  await ok('POST', `/v3/orgs/${org.id}/contacts/${first}/assign`, { user_id: 'ann' })
  await ok('PUT', `${v1}/contacts/chatroom/${room}/activate?force_deactivate=true`)
  await ok('PUT', `${v1}/contacts/chatroom/${room}/deactivate`)
  await ok('GET', `${v1}/chatroom/contact/${first}`)
  await ok('GET', `${v1}/chatroom/${room}`)
  await ok('GET', `${v1}/chatroom/${room}/messages`)
  await ok('GET', `${v1}/chatroom/${room}/messages?before=${cursor}`)
  const template = { name: 'hello', language: { code: 'en' } }
  const sent = await ok('POST', `${v1}/chatroom/${room}/messages`, { origin: 'CAMPAIGN', template })
  await db.$client.query(`update outbox set state = 'unknown' where org_id = $1`, [org.id])
  await ok('POST', `${v1}/chatroom/${room}/messages/${sent.wamid}/retry`, { confirm: true })
  await ok('GET', `${v1}/chatroom/${room}/messages?status=failed`)
  await ok('GET', `${v1}/messages/held?before=${cursor}`)
  for (const query of ['state=active', 'assigned_to=ann', 'waiting=true', 'waiting=false&assigned_to=ann'])
    await ok('GET', `${v1}/chatrooms?${query}`)
  await ok('GET', `${v1}/route?phone=15557000001&remote_phone_id=${org.phones[0]}`)
  const { next } = await ok('GET', `${v1}/events?types=message.sent`)
  await ok('GET', `${v1}/events?after=${next}`)
  const hook = await ok('POST', `${v1}/webhook-endpoints`, { url: 'https://crm.invalid/' })
  await ok('GET', `${v1}/webhook-endpoints`)
  await ok('GET', `${v1}/webhook-endpoints/${hook.id}`)
  await ok('PATCH', `${v1}/webhook-endpoints/${hook.id}`, { types: ['message.received'] })
  await ok('POST', `${v1}/webhook-endpoints/${hook.id}/rotate-secret`)
  await ok('GET', `${v1}/webhook-endpoints/${hook.id}/attempts`)
  await ok('POST', `${v1}/webhook-endpoints/${hook.id}/test`)
  await ok('POST', `${v1}/webhook-endpoints/${hook.id}/replay`, { after: next })
  const period = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }
  await ok('POST', `${v1}/webhook-endpoints/${hook.id}/replay`, period)
  await ok('DELETE', `${v1}/webhook-endpoints/${hook.id}`)
  await ok('GET', `${v1}/settings`)
  await ok('PUT', `${v1}/settings`, { expiry_days: 100, delegate: { group_id: 'team' } })
  const contact = {
    crm_id: 'new',
    opt_in_date: 1_790_000_000,
    phone_number: { rawInput: '+15557000009' },
  }
  const { id } = await ok('POST', `/v2/org/${org.id}/contact`, contact)
  const imported = [{}, { crm_id: 'imported', phone_number: '+15557000010' }].map((fields) =>
    JSON.stringify({ ...contact, ...fields, chatroom: { assign_details: team } }),
  )
  await ok('POST', `${v1}/contacts:import`, imported.join('\n'))
  await ok('PUT', `/v1/orgs/${org.id}/contact/${id}`, { crm_id: 'newer' })
  await ok('PUT', `/v1/orgs/${org.id}/contact/${first}`, { crm_id: 'renamed' })
  await ok('PUT', `/v2/orgs/${org.id}/contact/${id}/disposition`, { stage: 'won' })
  await ok('GET', `/v2/org/${org.id}/contact/pn/+15557000001`)
  await ok('GET', `${v1}/customer?phone=15557000001`)
  await ok('GET', `${v1}/customer/export?phone=15557000001`)
  const erasure = await ok('DELETE', `${v1}/customer?phone=15557000009`)
  await ok('GET', `${v1}/customer/erasures/${erasure.id}`)
  await ok('POST', `/v3/orgs/${org.id}/contacts/${await lead(5)}/assign`, { user_id: 'eve' })
  await ok('GET', `${v1}/users`)
  await ok('GET', `${v1}/users/eve`)
  await ok('PUT', `${v1}/users/eve`, { name: 'Eve' })
  await ok('GET', `${v1}/groups`)
  await ok('PUT', `${v1}/groups/short`, { name: 'Short', members: ['eve'] })
  await ok('GET', `${v1}/groups/short`)
  await ok('DELETE', `${v1}/groups/short`)
  await ok('DELETE', `${v1}/groups/team/members/dee`)
  await ok('DELETE', `${v1}/users/eve`)
  return called
}

const cursor = Buffer.from(JSON.stringify([Date.now(), '1', 'x'])).toString('base64url')

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  let statements: Statement[]
  let called: string[]

  beforeAll(async () => {
    db = (await createTestDatabase()).db
    const org = await createOrg(
      db,
      { expiry_days: 100, delegate: { user_id: 'ann' } },
      { users: [...USERS, 'eve'] },
    )
    await createGroup(db, org, 'team', USERS)
    if (fill === 'loaded') await loadCustomers(db, org, CUSTOMERS, USERS)
    statements = await recordEverything(async () => {
      called = await everyRequest(org)
    })
    if (process.env.PLAN_CUSTOMERS && fill === 'loaded') await printMedians(org)
  }, PLAN_MS)

  it('every endpoint has been called', () => {
    const missing = ENDPOINTS.filter(({ method, path }) => {
      const pattern = new RegExp(`^${method} ${path.replace(/\{\w+\}/g, '[^/?]+')}(\\?.*)?$`, 'i')
      return !called.some((call) => pattern.test(call))
    })
    expect(missing.map((e) => e.operationId)).toEqual([])
  })

  it('no statement of the API scans a big table', async () => {
    expect(missingIn('api-plans', statements)).toEqual([])
    expect(statements.length).toBeGreaterThan(30)
    const scans: [string, string[]][] = []
    for (const statement of statements) {
      const nodes = [...(await planNodes(db, statement)), ...(await genericPlan(statement))]
      const isBig = (n: string) => / event_log\w*$/.test(n) || BIG.some((t) => n.endsWith(` ${t}`))
      const bad = nodes.filter((n) => n.startsWith('Seq Scan') && isBig(n))
      if (bad.length > 0) scans.push([statement.name || statement.text, bad])
    }
    expect(scans).toEqual([])
  })
})

/** Prints how long the GET endpoints take; no test depends on it. */
async function printMedians(org: TestOrg): Promise<void> {
  const api = await startTestApi(db as Parameters<typeof startTestApi>[0])
  const { rows } = await db.$client.query<{ id: string }>(
    'select id from chatrooms where org_id = $1 limit 50',
    [org.id],
  )
  const paths = {
    chatroom: (id: string) => `/v1/org/${org.id}/chatroom/${id}`,
    'chatroom by contact': (id: string) => `/v1/org/${org.id}/chatroom/contact/${id}`,
    messages: (id: string) => `/v1/org/${org.id}/chatroom/${id}/messages`,
    chatrooms: () => `/v1/org/${org.id}/chatrooms`,
    'chatrooms of a user': () => `/v1/org/${org.id}/chatrooms?assigned_to=ann`,
    'chatrooms that wait': () => `/v1/org/${org.id}/chatrooms?waiting=true`,
    'chatrooms of a user that wait': () => `/v1/org/${org.id}/chatrooms?waiting=true&assigned_to=ann`,
    held: () => `/v1/org/${org.id}/messages/held`,
    route: () => `/v1/org/${org.id}/route?phone=15557000001&remote_phone_id=${org.phones[0]}`,
  }
  const medians = []
  for (const [name, path] of Object.entries(paths)) {
    const times = []
    for (const { id } of rows) {
      const start = performance.now()
      await api.call('GET', path(id))
      times.push(performance.now() - start)
    }
    medians.push(`${name} ${times.toSorted((a, b) => a - b)[25]?.toFixed(1)} ms`)
  }
  process.stdout.write(`p50 of GET over ${CUSTOMERS} customers: ${medians.join(', ')}\n`)
}

/** The plan that does not depend on the values, which a prepared statement may get. */
async function genericPlan({ text }: Statement): Promise<string[]> {
  const { rows } = await db.$client.query(`explain (generic_plan) ${text}`)
  return rows.map((r) => /(Seq Scan on \w+)/.exec(r['QUERY PLAN'])?.[1] ?? '')
}
