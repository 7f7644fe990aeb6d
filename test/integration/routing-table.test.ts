import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { wholeSecond } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

describe('the routing table', () => {
  it('gives a message to the active chatroom and sets `last_inbound_at` to the timestamp of Meta', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await createRoom(db, org, { deactivatedAt: ago(1) })
    const at = wholeSecond(new Date(Date.now() - 60_000))
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

  it('records the chatrooms it considered, the chosen one first', async () => {
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

  it('gives a message to the latest deactivated chatroom if none is active, and activates that chatroom', async () => {
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
    expect(await eventsOf(db, latest.id)).toMatchObject([
      { kind: 'chatroom.reactivated', reason: 'the customer wrote' },
    ])
  })

  it('breaks a tie of deactivation times by the later creation', async () => {
    const org = await createOrg(db)
    const at = ago(2)
    await createRoom(db, org, { deactivatedAt: at, createdAt: ago(20) })
    const younger = await createRoom(db, org, { deactivatedAt: at, createdAt: ago(10) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(younger.id)
  })

  it('gives a message to the latest expired chatroom if all are expired, which stays expired, and queues one auto-reply', async () => {
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

  it('queues no auto-reply without `auto_reply_text`, to a message older than 24 h, or to a reaction', async () => {
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

  it('holds a message if the customer has no chatroom', async () => {
    const org = await createOrg(db)
    const m = message({})
    const { outcomes } = await deliver(db, post(org.phones[0]!, m))
    expect(outcomes).toMatchObject([{ end: 'routed' }])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: 'held' })
  })

  it('creates contact and chatroom with `unknown_sender` = `create`, and the held messages join the chatroom', async () => {
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

  it('creates one contact for each number that an unknown customer writes to', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' }, { phones: 2 })
    await deliver(db, post(org.phones[0]!, message({})), post(org.phones[1]!, message({})))
    const { rows } = await db.$client.query('select crm_id from contacts where org_id = $1 order by 1', [
      org.id,
    ])
    expect(rows.map((r) => r.crm_id)).toEqual(['wa:15550001111', `wa:15550001111:${org.phones[1]}`])
  })

  it('considers only chatrooms at the same number', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const m = message({})
    await deliver(db, post(org.phones[1]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held', chatroom_id: null })
  })
})

describe('routing to a chatroom that is overdue', () => {
  it('deactivates it as the sweep would have, and so reactivates it', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(90), lastInboundAt: ago(40) })
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'reactivated' })
    expect(await eventsOf(db, room.id)).toMatchObject([
      { kind: 'chatroom.deactivated', reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED' },
      { kind: 'chatroom.reactivated', reason: 'the customer wrote' },
    ])
  })

  it('counts expiry from the creation time of the contact, also after that time was corrected', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { createdAt: ago(10), contactCreatedAt: ago(10) })
    await db.$client.query('update contacts set created_at = $2 where id = $1', [room.contactId, ago(61)])
    const m = message({})
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'expired' })
  })

  it('expires the contact and its chatrooms, because expiry has precedence over inactivity', async () => {
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

  it('does not move `last_inbound_at` for a late redelivery', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = wholeSecond(ago(2))
    const room = await createRoom(db, org, { activatedAt: ago(20), lastInboundAt: last })
    await deliver(db, post(org.phones[0]!, message({ at: ago(6) })))
    expect((await readRoom(db, org.id, room.id)).last_inbound_at).toEqual(last)
  })
})

describe('a pending handover', () => {
  it('makes the pending user the only user when the customer writes', async () => {
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

describe('a message that is delivered several times', () => {
  it('is stored once, in one batch and in several', async () => {
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
    ['ghost first', [true, false]],
    ['real content first', [false, true]],
  ])(
    'keeps its real content, not that of its `unsupported` ghost, in one batch and in several (%s)',
    async (_, order) => {
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
    },
  )
})
