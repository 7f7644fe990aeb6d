import { beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { routeBatch } from '../../src/routing/route-batch.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, inboxStates, readMessage, readRoom, store } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const DAY = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY)

let db: Db

beforeAll(async () => {
  db = (await createTestDatabase()).db
})

async function eventsOf(chatroomId: string) {
  const { rows } = await db.$client.query(
    'select kind, reason from events where chatroom_id = $1 order by id',
    [chatroomId],
  )
  return rows
}

describe('the routing table', () => {
  it('gives a message to the active chatroom and moves last_inbound_at to the time of Meta', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await createRoom(db, org, { deactivatedAt: ago(1) })
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000)
    const m = message({ at })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({
      chatroom_id: room.id,
      route: 'active',
      reason: 'the active chatroom',
      direction: 'in',
      payload: m,
      contact: { wa_id: '15550001111' },
      sent_at: at,
    })
    expect((await readRoom(db, org.id, room.id)).last_inbound_at).toEqual(at)
  })

  it('keeps the candidates it saw, the chosen one first', async () => {
    const org = await createOrg(db)
    const expired = await createRoom(db, org, { expiredAt: ago(3) })
    const room = await createRoom(db, org)
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    const { candidates } = await readMessage(db, org.id, m.id)
    expect(candidates.map((c: { chatroom_id: string; state: string }) => [c.chatroom_id, c.state])).toEqual([
      [room.id, 'active'],
      [expired.id, 'expired'],
    ])
  })

  it('gives it to the latest deactivated chatroom when none is active, and activates that one', async () => {
    const org = await createOrg(db)
    await createRoom(db, org, { deactivatedAt: ago(5) })
    const latest = await createRoom(db, org, { deactivatedAt: ago(2) })
    await createRoom(db, org, { deactivatedAt: ago(9), createdAt: new Date() })
    await createRoom(db, org, { expiredAt: ago(1) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({
      chatroom_id: latest.id,
      route: 'reactivated',
    })
    expect(await readRoom(db, org.id, latest.id)).toMatchObject({
      state: 'active',
      deactivated_at: null,
      deactivation_reason: null,
    })
    expect(await eventsOf(latest.id)).toEqual([
      { kind: 'chatroom.reactivated', reason: 'the customer wrote' },
    ])
  })

  it('breaks a tie of deactivation by the later creation', async () => {
    const org = await createOrg(db)
    const at = ago(2)
    await createRoom(db, org, { deactivatedAt: at, createdAt: ago(20) })
    const younger = await createRoom(db, org, { deactivatedAt: at, createdAt: ago(10) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(younger.id)
  })

  it('gives it to the latest expired chatroom when all are expired, which stays so, and queues one reply', async () => {
    const org = await createOrg(db, { auto_reply_text: 'This chat is closed.' })
    await createRoom(db, org, { expiredAt: ago(8) })
    const latest = await createRoom(db, org, { expiredAt: ago(3) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m), post(org.phones[0]!, m))
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: latest.id, route: 'expired' })
    expect((await readRoom(db, org.id, latest.id)).state).toBe('expired')
    const { rows } = await db.$client.query('select * from outbox where org_id = $1', [org.id])
    expect(rows).toMatchObject([
      {
        kind: 'auto_reply',
        state: 'queued',
        in_reply_to: m.id,
        payload: { text: { body: 'This chat is closed.' } },
      },
    ])
  })

  it('queues no reply without a text, to a message older than 24 h, or to a reaction', async () => {
    const silent = await createOrg(db)
    await createRoom(db, silent, { expiredAt: ago(3) })
    await deliver(db, post(silent.phones[0]!, message({})))
    const org = await createOrg(db, { auto_reply_text: 'closed' })
    await createRoom(db, org, { expiredAt: ago(3) })
    await deliver(db, post(org.phones[0]!, message({ at: ago(1.1) })))
    const reaction = { reaction: { message_id: 'wamid.X', emoji: '👍' } }
    await deliver(db, post(org.phones[0]!, message({ type: 'reaction', extra: reaction })))
    const { rows } = await db.$client.query('select 1 from outbox where org_id in ($1, $2)', [
      org.id,
      silent.id,
    ])
    expect(rows).toEqual([])
  })

  it('holds a message for which no chatroom exists', async () => {
    const org = await createOrg(db)
    const m = message({})
    const { outcomes } = await deliver(db, post(org.phones[0]!, m))
    expect(outcomes).toMatchObject([{ end: 'routed' }])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: 'held' })
  })

  it('creates contact and chatroom when the org wants so, and gives them what was held before', async () => {
    const org = await createOrg(db)
    const held = message({})
    await deliver(db, post(org.phones[0]!, held))
    await db.$client.query(`update orgs set unknown_sender = 'create' where id = $1`, [org.id])
    const first = message({})
    const second = message({})
    await deliver(db, post(org.phones[0]!, first, second))
    const created = await readMessage(db, org.id, first.id)
    expect(created.route).toBe('created')
    expect(await readMessage(db, org.id, second.id)).toMatchObject({
      route: 'active',
      chatroom_id: created.chatroom_id,
    })
    expect(await readMessage(db, org.id, held.id)).toMatchObject({
      route: 'held',
      chatroom_id: created.chatroom_id,
    })
    const { rows } = await db.$client.query('select * from contacts where org_id = $1', [org.id])
    expect(rows).toMatchObject([{ crm_id: 'wa:15550001111', is_inbound: true, phone: '+15550001111' }])
    expect((await readRoom(db, org.id, created.chatroom_id)).display_name).toBe(
      'wa:15550001111 Customer 15550001111',
    )
  })

  it('creates a contact of its own for each number that an unknown customer writes to', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' }, { phones: 2 })
    await deliver(db, post(org.phones[0]!, message({})), post(org.phones[1]!, message({})))
    const { rows } = await db.$client.query('select crm_id from contacts where org_id = $1 order by 1', [
      org.id,
    ])
    expect(rows.map((r) => r.crm_id)).toEqual(['wa:15550001111', `wa:15550001111:${org.phones[1]}`])
  })

  it('looks only at chatrooms of the same number', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const m = message({})
    await deliver(db, post(org.phones[1]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held', chatroom_id: null })
  })
})

describe('lifecycles that are overdue', () => {
  it('routes as if the sweep had deactivated the chatroom on time, and so reactivates it', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(90), lastInboundAt: ago(40) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'reactivated' })
    expect(await eventsOf(room.id)).toEqual([
      { kind: 'chatroom.deactivated', reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED' },
      { kind: 'chatroom.reactivated', reason: 'the customer wrote' },
    ])
  })

  it('counts expiry from the creation of the contact, also when that is put right later', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { createdAt: ago(10), contactCreatedAt: ago(10) })
    await db.$client.query('update contacts set created_at = $2 where id = $1', [room.contactId, ago(61)])
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'expired' })
  })

  it('expires the contact and its chatrooms first, which beats inactivity', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60, auto_reply_text: 'closed' })
    const room = await createRoom(db, org, { createdAt: ago(70), activatedAt: ago(70) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'expired' })
    expect((await readRoom(db, org.id, room.id)).state).toBe('expired')
    const { rows } = await db.$client.query('select expired_at from contacts where id = $1', [room.contactId])
    expect(rows[0].expired_at).toEqual((await readRoom(db, org.id, room.id)).expired_at)
    const { rows: events } = await db.$client.query(
      'select kind from events where contact_id = $1 order by kind',
      [room.contactId],
    )
    expect(events.map((e) => e.kind)).toEqual(['chatroom.expired', 'contact.expired'])
  })

  it('does not let a late redelivery move the timer back or forth', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = new Date(Math.floor(ago(2).getTime() / 1000) * 1000)
    const room = await createRoom(db, org, { activatedAt: ago(20), lastInboundAt: last })
    await deliver(db, post(org.phones[0]!, message({ at: ago(6) })))
    expect((await readRoom(db, org.id, room.id)).last_inbound_at).toEqual(last)
  })
})

describe('handover', () => {
  it('gives the chatroom to the user who waited for the customer to write', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { pendingUserId: 'bob' })
    await db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'ann')`,
      [org.id, room.id],
    )
    await deliver(db, post(org.phones[0]!, message({})))
    const { rows } = await db.$client.query('select user_id from chatroom_members where chatroom_id = $1', [
      room.id,
    ])
    expect(rows).toEqual([{ user_id: 'bob' }])
    expect((await readRoom(db, org.id, room.id)).pending_user_id).toBe(null)
  })
})

describe('duplicates and ghosts', () => {
  it('keeps one row of a message that is delivered often, in one batch and in many', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const body = post(org.phones[0]!, message({}))
    const first = await deliver(db, body, body, body)
    const later = await deliver(db, body)
    expect([first.messages.length, first.duplicates, later.messages.length, later.duplicates]).toEqual([
      1, 2, 0, 1,
    ])
  })

  it.each([
    ['the ghost first', [true, false]],
    ['the real one first', [false, true]],
  ])('lets real content win over its `unsupported` ghost: %s', async (_, order) => {
    for (const together of [true, false]) {
      const org = await createOrg(db)
      await createRoom(db, org)
      const id = newWamid()
      const bodies = order.map((ghost) =>
        post(
          org.phones[0]!,
          ghost
            ? message({ id, type: 'unsupported', extra: { errors: [{ code: 131060 }] } })
            : message({ id, body: 'real' }),
        ),
      )
      if (together) await deliver(db, ...bodies)
      else for (const body of bodies) await deliver(db, body)
      expect(await readMessage(db, org.id, id)).toMatchObject({
        type: 'text',
        payload: { text: { body: 'real' } },
      })
    }
  })
})

describe('what is not a customer message', () => {
  it('shows a system message in the active chatroom without moving its timer', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const m = message({ type: 'system', extra: { system: { type: 'customer_identity_changed', body: 'x' } } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'active' })
    expect((await readRoom(db, org.id, room.id)).last_inbound_at).toBe(null)
  })

  it('does not reactivate for a system message', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const m = message({ type: 'system', extra: { system: { type: 'user_changed_number' } } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: null })
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })

  it('keeps a group message out of one-to-one chatrooms', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const m = message({ extra: { group_id: 'Z3JvdXA' } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: null })
  })

  it('ignores statuses of messages that are not ours, and keeps the messages beside them', async () => {
    const org = await createOrg(db)
    const m = message({})
    const status = { id: 'wamid.UNKNOWN', status: 'delivered', timestamp: '1790416832', recipient_id: '1' }
    const { outcomes } = await deliver(
      db,
      bytes(delivery([change(org.phones[0]!, { messages: [m], statuses: [status] })])),
    )
    expect(outcomes).toMatchObject([{ end: 'routed' }])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })

  it('moves statuses of our messages forward only', async () => {
    const org = await createOrg(db)
    const phone = org.phones[0]!
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       values ($1, 'wamid.OUT', $2, 'out', 'text', now(), now(), 1, 'sent', '{}')`,
      [org.id, phone],
    )
    const say = (...words: string[]) =>
      deliver(
        db,
        bytes(
          delivery([
            change(phone, {
              statuses: words.map((status) => ({ id: 'wamid.OUT', status, timestamp: '1790416832' })),
            }),
          ]),
        ),
      )
    const status = async () => (await readMessage(db, org.id, 'wamid.OUT')).status
    await say('read', 'delivered', 'sent')
    expect(await status()).toBe('read')
    await say('delivered')
    expect(await status()).toBe('read')
    await say('in_orbit')
    expect(await status()).toBe('read')
    await say('failed')
    expect(await status()).toBe('failed')
  })

  it('keeps fields that are no messages as account events, a redelivery once', async () => {
    const org = await createOrg(db)
    const body = bytes({
      object: 'whatsapp_business_account',
      entry: [{ id: org.wabaId, time: 1, changes: [{ field: 'account_update', value: { event: 'X' } }] }],
    })
    await deliver(db, body)
    await deliver(db, body)
    const { rows } = await db.$client.query('select field, payload from account_events where org_id = $1', [
      org.id,
    ])
    expect(rows).toEqual([{ field: 'account_update', payload: { event: 'X' } }])
  })
})

describe('opting out', () => {
  const preferences = (org: { phones: string[] }, ...words: [string, Date][]) =>
    bytes(
      delivery([
        {
          field: 'user_preferences',
          value: {
            metadata: { phone_number_id: org.phones[0] },
            contacts: [{ wa_id: '15550001111', profile: { name: 'Ana' } }],
            user_preferences: words.map(([value, at]) => ({
              wa_id: '15550001111',
              category: 'marketing_messages',
              value,
              timestamp: Math.floor(at.getTime() / 1000),
            })),
          },
        },
      ]),
    )
  const optedOut = async (org: { id: string }) => {
    const { rows } = await db.$client.query('select opted_out_at from customers where org_id = $1', [org.id])
    return rows[0].opted_out_at !== null
  }

  it('is remembered, the latest word of Meta deciding, however late another comes', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deliver(db, preferences(org, ['stop', ago(2)]))
    expect(await optedOut(org)).toBe(true)
    await deliver(db, preferences(org, ['resume', ago(1)]))
    expect(await optedOut(org)).toBe(false)
    await deliver(db, preferences(org, ['stop', ago(1.5)]))
    await deliver(db, preferences(org, ['signup', ago(0)]))
    expect(await optedOut(org)).toBe(false)
    expect((await readRoom(db, org.id, room.id)).state).toBe('active')
  })

  it('deactivates the chatroom where the org says so', async () => {
    const org = await createOrg(db, { deactivate_on_opt_out: true })
    const room = await createRoom(db, org)
    await deliver(db, preferences(org, ['stop', ago(1)]))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivation_reason: 'LEAD_OPTED_OUT',
    })
    expect(await eventsOf(room.id)).toEqual([{ kind: 'chatroom.deactivated', reason: 'LEAD_OPTED_OUT' }])
  })
})

describe('parked deliveries', () => {
  it('waits for a number that is not provisioned yet and is routed once it is', async () => {
    const n = newWamid()
    const [phone, m] = [`late-${n}`, message({})]
    const ids = await store(db, post(phone, m))
    await routeBatch(db, ids, () => {})
    expect(await inboxStates(db, ids)).toEqual(['parked'])
    const org = {
      id: `late-${n}`,
      name: 'Late',
      wabas: [{ id: `w-${n}`, name: 'w', phones: [{ id: phone, display_phone_number: '1' }] }],
    }
    const file = parseProvisionFile(JSON.stringify({ orgs: [org] }))
    expect((await provision(db, file, undefined)).unparked).toBe(1)
    await routeBatch(db, ids, () => {})
    expect(await inboxStates(db, ids)).toEqual([])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })

  it('routes the known numbers of a delivery that also names an unknown one', async () => {
    const org = await createOrg(db)
    const [m, other] = [message({}), message({})]
    const body = bytes(
      delivery([
        change(org.phones[0]!, { messages: [m] }),
        change(`nobody-${org.id}`, { messages: [other] }),
      ]),
    )
    const { outcomes } = await deliver(db, body)
    expect(outcomes).toMatchObject([{ end: 'parked', waitsFor: `phone:nobody-${org.id}` }])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })
})

describe('poison', () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  it.each([
    ['not JSON', Buffer.from('{"object":')],
    ['not an object', Buffer.from('[1,2]')],
    ['empty', Buffer.alloc(0)],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['100,000 levels deep', Buffer.from(deep(100_000))],
    ['of another object', bytes({ object: 'page', entry: [] })],
    ['without a list of entries', bytes({ object: 'whatsapp_business_account', entry: {} })],
  ])('keeps a body that is %s as a dead letter, bytes and all', async (_, body) => {
    const ids = await store(db, body)
    const { outcomes } = await routeBatch(db, ids, () => {})
    expect(outcomes).toMatchObject([{ end: 'dead' }])
    const { rows } = await db.$client.query('select body, error from inbox where id = $1', [ids[0]])
    expect(rows[0].body).toEqual(body)
    expect(rows[0].error).not.toBe('')
  })

  it('routes all other messages of a delivery with one unreadable message, and buries the delivery', async () => {
    const org = await createOrg(db)
    const [a, b] = [message({}), message({})]
    const noSender = { id: newWamid(), type: 'text', text: { body: 'x' } }
    const nested = `{"id":"${newWamid()}","from":"1","type":"text","text":${deep(5_000)}}`
    const body = bytes(
      delivery([
        change(org.phones[0]!, { messages: [a, { ...message({}), id: undefined }, 7, noSender, 'DEEP', b] }),
      ]),
    )
    const { outcomes } = await deliver(db, Buffer.from(body.toString().replace('"DEEP"', nested)))
    expect(outcomes).toMatchObject([
      {
        end: 'dead',
        problems: [
          'messages[1]: has no id',
          'messages[2]: is not an object',
          'messages[3]: names no sender',
          'messages[4]: is nested deeper than 64',
        ],
      },
    ])
    for (const m of [a, b]) expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })

  it('keeps \\u0000, lone surrogates and __proto__ inside a message, and routes it', async () => {
    const org = await createOrg(db)
    const m = message({ body: 'a\u0000b\ud800c' })
    const text = post(org.phones[0]!, m)
      .toString()
      .replace('"type":"text"', '"__proto__":{"x":1},"type":"text"')
    await deliver(db, Buffer.from(text))
    const { rows } = await db.$client.query('select payload::text from messages where wamid = $1', [m.id])
    expect(rows[0].payload).toContain('a\\u0000b\\ud800c')
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  it('isolates an item that only the database refuses: the rest of its delivery and batch is routed', async () => {
    const org = await createOrg(db)
    await db.$client.query(
      `alter table messages add constraint no_poison check (payload::text not like '%POISON%') not valid`,
    )
    const [a, poison, b, c] = [message({}), message({ body: 'POISON' }), message({}), message({})]
    const errors: unknown[] = []
    const ids = await store(db, post(org.phones[0]!, a, poison, b), post(org.phones[0]!, c))
    const { outcomes } = await routeBatch(db, ids, (e) => errors.push(e))
    await db.$client.query('alter table messages drop constraint no_poison')
    expect(outcomes).toMatchObject([
      { end: 'dead', problems: ['messages[1]: refused by the database (SQLSTATE 23514)'] },
      { end: 'routed' },
    ])
    expect(errors).toHaveLength(1)
    for (const m of [a, b, c]) expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await readMessage(db, org.id, poison.id)).toBeUndefined()
  })
})
