import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

describe('an item that is not a message of a customer', () => {
  it('is shown in the active chatroom, without moving `last_inbound_at`, if it is a system message', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const m = message({ type: 'system', extra: { system: { type: 'customer_identity_changed', body: 'x' } } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'active' })
    expect((await readRoom(db, org.id, room.id)).last_inbound_at).toBe(null)
  })

  it('reactivates no chatroom if it is a system message', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const m = message({ type: 'system', extra: { system: { type: 'user_changed_number' } } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: null })
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })

  it('gets no chatroom if it was written in a group', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const m = message({ extra: { group_id: 'Z3JvdXA' } })
    await deliver(db, post(org.phones[0]!, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: null, route: null })
  })

  it('is ignored if it is a status of an unknown message, and the messages beside it are routed', async () => {
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

  it('moves the status of a sent message only forward', async () => {
    const org = await createOrg(db)
    const phone = org.phones[0]!
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       values ($1, 'wamid.OUT', $2, 'out', 'text', now(), now(), 1, 'sent', '{}')`,
      [org.id, phone],
    )
    const receiveStatuses = (...names: string[]) =>
      deliver(
        db,
        bytes(
          delivery([
            change(phone, {
              statuses: names.map((status) => ({ id: 'wamid.OUT', status, timestamp: '1790416832' })),
            }),
          ]),
        ),
      )
    const status = async () => (await readMessage(db, org.id, 'wamid.OUT')).status
    await receiveStatuses('read', 'delivered', 'sent')
    expect(await status()).toBe('read')
    await receiveStatuses('delivered')
    expect(await status()).toBe('read')
    await receiveStatuses('in_orbit')
    expect(await status()).toBe('read')
    await receiveStatuses('failed')
    expect(await status()).toBe('read')
  })

  it('is stored once as an account event if its field carries no messages', async () => {
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

describe('a customer who opts out', () => {
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

  it('is marked by the preference with the greatest timestamp of Meta, in whatever order preferences arrive', async () => {
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

  it('has the active chatroom deactivated if the org has `deactivate_on_opt_out`', async () => {
    const org = await createOrg(db, { deactivate_on_opt_out: true })
    const room = await createRoom(db, org)
    await deliver(db, preferences(org, ['stop', ago(1)]))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivation_reason: 'LEAD_OPTED_OUT',
    })
    expect(await eventsOf(db, room.id)).toMatchObject([
      { kind: 'chatroom.deactivated', reason: 'LEAD_OPTED_OUT' },
    ])
  })
})
