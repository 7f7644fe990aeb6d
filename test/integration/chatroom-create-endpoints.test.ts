import { describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { readRoom } from '../support/inbox.ts'
import { createGroup, createLead, fingerprint } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago, DAY } from '../support/time.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

describe('POST /v3/org/{orgId}/lead/chatroom', () => {
  const user = { assign_mode: 'USER', user_id: 'ann' }
  const createV3 = (org: TestOrg, body: object, as?: object) =>
    api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { body, ...as })

  it('answers with the chatroom, and with an existing chatroom at the second call', async () => {
    const org = await createOrg(db, { expiry_days: 30 })
    const createdAt = ago(1)
    const lead_id = await createLead(db, org, { createdAt })
    const { status, body } = await createV3(org, { lead_id, assign_details: user })
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: expect.any(String),
        is_existing: false,
        is_deactivated: false,
        is_expired: false,
        expiry_ts: new Date(createdAt.getTime() + 30 * DAY).toISOString(),
        user_id: 'ann',
      },
    ])
    const again = await createV3(org, { lead_id, assign_details: user })
    expect(again.body).toEqual({ ...body, is_existing: true })
    expect((await eventsOf(db, body.chatroom_id))[0]!.actor).toBe('user:ann')
  })

  it('answers with the user that it chose from a group, also on handover', async () => {
    const org = await createOrg(db)
    await createGroup(db, org, 'team', ['bob'])
    const lead_id = await createLead(db, org)
    const assign_details = { assign_mode: 'GROUP', group_id: 'team', assign_on_handover: true }
    expect((await createV3(org, { lead_id, assign_details })).body.user_id).toBe('bob')
  })

  it('applies every option', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    const { body } = await createV3(org, {
      lead_id: await createLead(db, org),
      display_name: 'VIP',
      remote_waba_id: org.wabaId,
      remote_phone_id: org.phones[1],
      force_deactivate: false,
      fail_if_chatroom_exists_on_other_waba_phone: false,
      assign_details: { ...user, user_email: 'ignored@x.test', assign_on_handover: true },
    })
    expect(await readRoom(db, org.id, body.chatroom_id)).toMatchObject({
      display_name: 'VIP',
      waba_phone_id: org.phones[1],
      pending_user_id: 'ann',
    })
    const forced = { lead_id: rival.contactId, force_deactivate: true, assign_details: user }
    expect(
      (await createV3(org, { ...forced, fail_if_chatroom_exists_on_other_waba_phone: false })).body,
    ).toEqual(expect.objectContaining({ is_existing: false }))
  })

  it('answers each refusal with its error code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db, {}, { phones: 2 }), await createOrg(db)]
    await createRoom(db, org)
    const [lead_id, foreign] = [await createLead(db, org), await createLead(db, other)]
    const free = await createLead(db, org, { customer: '+15550003333' })
    const expired = await createLead(db, org, { customer: '+15550004444', expiredAt: ago(1) })
    const details = (assign_details: object) => ({ lead_id: free, assign_details })
    const before = await fingerprint(db, org.id)
    for (const [body, ...answer] of [
      [{ lead_id: foreign, assign_details: user }, 404, 4040002],
      [{ lead_id: 'no uuid', assign_details: user }, 404, 4040002],
      [{ ...details(user), remote_waba_id: other.wabaId }, 404, 4040004],
      [{ ...details(user), remote_phone_id: other.phones[0] }, 404, 4040005],
      [details({ assign_mode: 'USER', user_id: 'nobody' }), 404, 4040006],
      [details({ assign_mode: 'USER', user_email: 'no@body.test' }), 404, 4040006],
      [details({ assign_mode: 'GROUP', group_id: 'nobody' }), 404, 4040007],
      [details({ assign_mode: 'DELEGATE' }), 404, 4040008],
      [{ lead_id, assign_details: user }, 409, 4090002],
      [{ lead_id: expired, assign_details: user }, 409, 4090005],
      [details({ assign_mode: 'USER' }), 422, 4220001],
      [details({ assign_mode: 'GROUP', user_id: 'ann' }), 422, 4220001],
      [details({ assign_mode: 'EVERYBODY' }), 422, 4220001],
      [details({ user_id: 'ann' }), 422, 4220001],
      [{ lead_id: free }, 422, 4220001],
      [{ assign_details: user }, 422, 4220001],
      [{ ...details(user), force_deactivate: 'yes' }, 422, 4220001],
      [{ ...details(user), display_name: 7 }, 422, 4220001],
      [{ ...details(user), colour: 'red' }, 422, 4220001],
      [{ ...details(user), display_name: '\0' }, 422, 4220001],
    ] as const) {
      const reply = await createV3(org, body)
      expect([reply.status, reply.body.error_code], JSON.stringify(body)).toEqual(answer)
    }
    expect((await createV3(org, details(user), { as: { org: other.id } })).body.error_code).toBe(4030001)
    expect((await createV3(org, details(user), { as: { org: org.id, role: 'MEMBER' } })).status).toBe(403)
    expect((await createV3(org, details(user), { as: { org: org.id, act: 'support' } })).status).toBe(403)
    expect((await createV3(org, details(user), { as: null })).body.error_code).toBe(4010001)
    expect(await fingerprint(db, org.id)).toBe(before)
    const partner = { as: { org: `${org.id},${other.id}`, partner: 'p' } }
    expect((await createV3(org, details(user), partner)).status).toBe(200)
  })
})

describe('POST /v2/org/{orgId}/chatroom', () => {
  const createV2 = (org: TestOrg, body: object) => api.call('POST', `/v2/org/${org.id}/chatroom`, { body })

  it('answers with the chatroom and applies every option', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const contact_id = await createLead(db, org)
    const taken = await createV2(org, { contact_id, user_id: 'ann' })
    expect([taken.status, taken.body.error_code]).toEqual([409, 4090002])
    const { status, body } = await createV2(org, {
      user_id: 'ann',
      display_name: 'VIP',
      remote_waba_id: org.wabaId,
      remote_phone_id: org.phones[1],
      contact_id,
      fail_if_chatroom_exists_on_other_wabaphone: false,
      assign_on_handover: true,
    })
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: expect.any(String),
        is_existing: false,
        is_deactivated: false,
        is_expired: false,
        user_id: 'ann',
      },
    ])
    expect(await readRoom(db, org.id, body.chatroom_id)).toMatchObject({
      display_name: 'VIP',
      waba_phone_id: org.phones[1],
      pending_user_id: 'ann',
    })
    expect((await createV2(org, { contact_id, user_id: 'ann' })).body.is_existing).toBe(true)
  })

  it('answers each refusal with its error code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const contact_id = await createLead(db, org)
    const before = await fingerprint(db, org.id)
    for (const [body, ...answer] of [
      [{ contact_id: UNKNOWN_ID, user_id: 'ann' }, 404, 4040002],
      [{ contact_id, user_id: 'nobody' }, 404, 4040006],
      [{ contact_id, user_id: 'ann', remote_waba_id: other.wabaId }, 404, 4040004],
      [{ contact_id, user_id: 'ann', remote_phone_id: other.phones[0] }, 404, 4040005],
      [{ contact_id }, 422, 4220001],
      [{ contact_id, user_id: 7 }, 422, 4220001],
      [{ contact_id, user_id: '' }, 422, 4220001],
      [{ contact_id, user_id: 'ann', force_deactivate: true }, 422, 4220001],
    ] as const) {
      const reply = await createV2(org, body)
      expect([reply.status, reply.body.error_code], JSON.stringify(body)).toEqual(answer)
    }
    expect(await fingerprint(db, org.id)).toBe(before)
  })
})
