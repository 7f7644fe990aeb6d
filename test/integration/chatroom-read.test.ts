import { describe, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { addMember, createLead } from '../support/leads.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago, DAY } from '../support/time.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const get = (path: string, as?: Parameters<TestApi['call']>[2]) => api.call('GET', path, as)

describe('the chatroom of a contact', () => {
  it('has its WABA, and leaves out unknown fields', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: room.id,
        is_existing: true,
        is_deactivated: false,
        is_expired: false,
        waba: { remote_waba_id: org.wabaId, name: 'Main' },
      },
    ])
  })

  it('shows when it was deactivated and when it will expire', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const [created, deactivated] = [ago(10), ago(2)]
    const room = await createRoom(db, org, { createdAt: created, deactivatedAt: deactivated })
    await db.$client.query(`update wabas set matrix_host_name = 'm.example' where org_id = $1`, [org.id])
    await db.$client.query(`update chatrooms set external_ref_id = 'x-1' where id = $1`, [room.id])
    const { body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect(body).toMatchObject({
      external_ref_id: 'x-1',
      is_deactivated: true,
      is_expired: false,
      deactivation_ts: deactivated.toISOString(),
      expiry_ts: new Date(created.getTime() + 60 * DAY).toISOString(),
      waba: { matrix_host_name: 'm.example' },
    })
  })

  it('shows when it expired', async () => {
    const org = await createOrg(db)
    const expiredAt = ago(1)
    const room = await createRoom(db, org, { expiredAt })
    const { body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect(body).toMatchObject({ is_expired: true, expiry_ts: expiredAt.toISOString() })
  })

  it('is, of several at the mapped number, the active one, else the one created last', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead_id = await createLead(db, org)
    const assign_details = { assign_mode: 'USER', user_id: 'ann' }
    const create = async (options: object) =>
      (
        await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, {
          body: { lead_id, assign_details, ...options },
        })
      ).body.chatroom_id
    const current = async () => (await get(`/v1/org/${org.id}/chatroom/contact/${lead_id}`)).body.chatroom_id
    const put = (id: string, verb: string) =>
      api.call('PUT', `/v1/org/${org.id}/contacts/chatroom/${id}/${verb}`)
    const [first, second] = [await create({}), await create({ force_deactivate: true })]
    expect(await current()).toBe(second)
    await put(first, 'activate?force_deactivate=true')
    expect(await current()).toBe(first)
    await put(first, 'deactivate')
    expect(await current()).toBe(second)
    const moved = await create({ force_deactivate: true, remote_phone_id: org.phones[1] })
    await put(moved, 'deactivate')
    await put(first, 'activate')
    expect(await current()).toBe(moved)
  })

  it('is not found if the contact has no mapping, does not exist, or is of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const lead = await createLead(db, org)
    const { contactId } = await createRoom(db, other)
    for (const id of [lead, contactId, UNKNOWN_ID, 'x', '%00']) {
      const { status, body } = await get(`/v1/org/${org.id}/chatroom/contact/${id}`)
      if (id === '%00') expect([status, body.error_message]).toEqual([422, 'INVALID_INPUT'])
      else
        expect([status, body.error_message, body.error_description]).toEqual([
          404,
          'WABA_MAPPING_NOT_FOUND',
          'No contact waba mapping found',
        ])
    }
  })
})

describe('the detail of a chatroom', () => {
  it('shows its WABA and number, its contact, its state and its users', async () => {
    const org = await createOrg(db)
    const at = ago(1)
    const room = await createRoom(db, org, { lastInboundAt: at })
    await addMember(db, org, room.id, 'ann')
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/${room.id}`)
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: room.id,
        is_existing: true,
        is_deactivated: false,
        is_expired: false,
        user_id: 'ann',
        contact_id: room.contactId,
        remote_waba_id: org.wabaId,
        remote_phone_id: org.phones[0],
        display_name: `crm-${room.contactId}`,
        state: 'active',
        last_inbound_at: at.toISOString(),
        users: ['ann'],
      },
    ])
  })

  it('shows the user of a pending handover as `user_id`', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { pendingUserId: 'bob' })
    await addMember(db, org, room.id, 'ann')
    const { body } = await get(`/v1/org/${org.id}/chatroom/${room.id}`)
    expect(body).toMatchObject({ user_id: 'bob', users: ['ann'], last_inbound_at: null })
  })

  it('is not found for a chatroom that the org does not have, and neither are its messages', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other)
    for (const id of [foreign.id, UNKNOWN_ID, 'x']) {
      for (const path of ['', '/messages']) {
        const { status, body } = await get(`/v1/org/${org.id}/chatroom/${id}${path}`)
        expect([status, body.error_message]).toEqual([404, 'CHATROOM_NOT_FOUND'])
      }
    }
  })
})
