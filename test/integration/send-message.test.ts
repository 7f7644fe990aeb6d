import { describe, expect, it } from 'vitest'
import { announced, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg, createRoom, type TestOrg, type TestRoom } from '../support/org.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const hoursAgo = (n: number) => new Date(Date.now() - n * 3_600_000)
const text = { origin: 'AGENT', text: { body: 'Hello' } }
const template = { name: 'welcome', language: { code: 'en_US' } }

async function roomIn(room: TestRoom, settings = {}) {
  const org = await createOrg(db, settings)
  return { org, room: await createRoom(db, org, room) }
}

const send = (org: TestOrg, id: string, body: unknown, call: object = {}) =>
  api.call('POST', `/v1/org/${org.id}/chatroom/${id}/messages`, { body, ...call })

async function outboxOf(org: TestOrg) {
  const { rows } = await db.$client.query('select * from outbox where org_id = $1', [org.id])
  return rows
}

describe('sending into a chatroom', () => {
  it('queues a text in an active chatroom, shows it there at once, and announces it to the queue', async () => {
    const { org, room } = await roomIn({ lastInboundAt: hoursAgo(1) })
    const { status, body } = await send(org, room.id, text)
    expect([status, body.direction, body.status, body.reason]).toEqual([
      202,
      'out',
      'queued',
      'sent by an agent',
    ])
    const [row] = await outboxOf(org)
    expect(row).toMatchObject({
      kind: 'message',
      state: 'queued',
      payload: { type: 'text', text: { body: 'Hello' } },
    })
    expect([body.id, body.wamid]).toEqual([row.id, `outbox:${row.id}`])
    expect(announced).toContainEqual({ org: org.id, id: row.id })
    const list = await api.call('GET', `/v1/org/${org.id}/chatroom/${room.id}/messages`)
    expect(list.body.messages).toEqual([body])
  })

  it.each([
    [
      'refuses a text in an active chatroom without a message for 24 h',
      { lastInboundAt: hoursAgo(24.1) },
      text,
      409,
      'OUTSIDE_WINDOW',
    ],
    ['refuses a text in an active chatroom whose customer never wrote', {}, text, 409, 'OUTSIDE_WINDOW'],
    [
      'accepts a template in an active chatroom whose customer never wrote',
      {},
      { origin: 'AGENT', template },
      202,
      undefined,
    ],
    [
      'refuses a text of an agent in a deactivated chatroom',
      { deactivatedAt: hoursAgo(1), lastInboundAt: hoursAgo(2) },
      text,
      409,
      'CHATROOM_IS_DEACTIVATED',
    ],
    [
      'accepts a template of a campaign in a deactivated chatroom',
      { deactivatedAt: hoursAgo(1) },
      { origin: 'CAMPAIGN', template },
      202,
      undefined,
    ],
    [
      'refuses a template of a campaign in an expired chatroom',
      { expiredAt: hoursAgo(1) },
      { origin: 'CAMPAIGN', template },
      409,
      'CHATROOM_IS_EXPIRED_FOR_SENDING',
    ],
    [
      'refuses a text of an agent in an expired chatroom',
      { expiredAt: hoursAgo(1), lastInboundAt: hoursAgo(1) },
      text,
      409,
      'CHATROOM_IS_EXPIRED_FOR_SENDING',
    ],
  ])('%s', async (_, room, message, status, error) => {
    const { org, room: created } = await roomIn(room as TestRoom)
    const reply = await send(org, created.id, message)
    expect([reply.status, reply.body.error_message]).toEqual([status, error])
    expect(await outboxOf(org)).toHaveLength(status === 202 ? 1 : 0)
  })

  it('treats a chatroom that is overdue for expiry as expired', async () => {
    const settings = { expiry_days: 10 }
    const { org, room } = await roomIn(
      { contactCreatedAt: hoursAgo(241), lastInboundAt: hoursAgo(1) },
      settings,
    )
    expect((await send(org, room.id, text)).body.error_message).toBe('CHATROOM_IS_EXPIRED_FOR_SENDING')
  })

  it('lets a MEMBER send only in an own chatroom, and only an ADMIN send for a campaign', async () => {
    const { org, room } = await roomIn({ lastInboundAt: hoursAgo(1) })
    const member = { as: { org: org.id, role: 'MEMBER', user: 'ann' } }
    expect((await send(org, room.id, text, member)).status).toBe(403)
    await db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'ann')`,
      [org.id, room.id],
    )
    expect((await send(org, room.id, text, member)).status).toBe(202)
    expect((await send(org, room.id, { origin: 'CAMPAIGN', template }, member)).status).toBe(403)
  })

  it.each([
    ['neither text nor template', { origin: 'AGENT' }],
    ['both text and template', { ...text, template }],
    ['an empty text', { origin: 'AGENT', text: { body: '' } }],
    ['a text of 4,097 characters', { origin: 'AGENT', text: { body: 'x'.repeat(4097) } }],
    ['no origin', { text: { body: 'x' } }],
    ['an unknown field', { ...text, to: '+1555' }],
  ])('refuses %s with 422', async (_, body) => {
    const { org, room } = await roomIn({ lastInboundAt: hoursAgo(1) })
    expect((await send(org, room.id, body)).status).toBe(422)
    expect(await outboxOf(org)).toEqual([])
  })

  it('answers 404 for a chatroom of another org', async () => {
    const { room } = await roomIn({})
    const other = await createOrg(db)
    expect((await send(other, room.id, text)).status).toBe(404)
  })

  it('queues one message for one Idempotency-Key', async () => {
    const { org, room } = await roomIn({ lastInboundAt: hoursAgo(1) })
    const key = { headers: { 'idempotency-key': 'k-1' } }
    const first = await send(org, room.id, text, key)
    const again = await send(org, room.id, text, key)
    expect([again.status, again.body]).toEqual([202, first.body])
    expect(await outboxOf(org)).toHaveLength(1)
    expect((await send(org, room.id, { ...text, text: { body: 'Other' } }, key)).status).toBe(409)
  })
})
