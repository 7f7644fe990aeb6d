import { beforeAll, describe, expect, it } from 'vitest'
import { createChatroom } from '../../src/chatrooms/create-chatroom.ts'
import type { Db } from '../../src/db/client.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { createGroup, createLead, fingerprint, readOrg, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago, DAY } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'

let db: Db
let database: TestDatabase
let api: TestApi

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
  api = await startTestApi(database.db)
})

type Wishes = Partial<Omit<Parameters<typeof createChatroom>[1], 'org'>>

/** Creates as an ADMIN who says nothing but the contact and the user `ann`. */
async function create(org: TestOrg, contactId: string, wishes: Wishes = {}) {
  return createChatroom(db, {
    org: await readOrg(db, org),
    contactId,
    forceDeactivate: false,
    failIfElsewhere: true,
    assign: { mode: 'USER', userId: 'ann' },
    onHandover: false,
    actor: 'user:admin',
    now: new Date(),
    ...wishes,
  })
}

async function refused(org: TestOrg, contactId: string, wishes: Wishes = {}) {
  const before = await fingerprint(db, org.id)
  const error = await create(org, contactId, wishes).catch((e) => e)
  expect(await fingerprint(db, org.id)).toBe(before)
  return { error: error.error, status: error.status, payload: error.payload }
}

const mappingOf = async (contactId: string) =>
  (await db.$client.query('select waba_phone_id from contact_wabas where contact_id = $1', [contactId])).rows

describe('creating a chatroom', () => {
  it('makes an active one at the first number of the org, maps the contact to it and gives it to the user', async () => {
    const org = await createOrg(db, {}, { phones: 3 })
    const lead = await createLead(db, org)
    const now = new Date()
    const { chatroomId, isExisting } = await create(org, lead, { now })
    expect(isExisting).toBe(false)
    expect(await readRoom(db, org.id, chatroomId)).toMatchObject({
      contact_id: lead,
      waba_phone_id: org.phones[0],
      state: 'active',
      created_at: now,
      activated_at: now,
      pending_user_id: null,
      history_visible: true,
    })
    expect(await mappingOf(lead)).toEqual([{ waba_phone_id: org.phones[0] }])
    expect(await usersOf(db, chatroomId)).toEqual(['ann'])
    expect(await eventsOf(db, chatroomId)).toMatchObject([
      {
        kind: 'chatroom.created',
        actor: 'user:admin',
        after: { state: 'active', remote_phone_id: org.phones[0], held_messages: 0 },
      },
      { kind: 'chatroom.assigned', actor: 'user:admin', after: { user_ids: ['ann'] } },
    ])
  })

  it('returns the chatroom the contact has, untouched and whatever else is asked for', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead = await createLead(db, org)
    const first = await create(org, lead)
    const before = await fingerprint(db, org.id)
    const again = await create(org, lead, {
      assign: { mode: 'USER', userId: 'bob' },
      phoneId: org.phones[1],
      displayName: 'other',
    })
    expect(again).toEqual({ chatroomId: first.chatroomId, isExisting: true })
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('returns a deactivated chatroom as it is: activating is another request', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    expect(await create(org, room.contactId)).toEqual({ chatroomId: room.id, isExisting: true })
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })

  it('calls it as asked, else by crm_id, first and last name', async () => {
    const org = await createOrg(db)
    const nameOf = async (lead: string, wishes: Wishes = {}) =>
      (await readRoom(db, org.id, (await create(org, lead, wishes)).chatroomId)).display_name
    const named = { crmId: 'C-1', firstName: 'Ada', lastName: 'Byron', customer: '+15550000001' }
    expect(await nameOf(await createLead(db, org, named))).toBe('C-1 Ada Byron')
    const bare = { crmId: 'C-2', customer: '+15550000002' }
    expect(await nameOf(await createLead(db, org, bare))).toBe('C-2')
    const asked = { crmId: 'C-3', customer: '+15550000003' }
    expect(await nameOf(await createLead(db, org, asked), { displayName: 'VIP' })).toBe('VIP')
  })

  it('takes the org setting of room history along', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const { chatroomId } = await create(org, await createLead(db, org))
    expect((await readRoom(db, org.id, chatroomId)).history_visible).toBe(false)
  })

  it('makes the user wait for the customer on handover', async () => {
    const org = await createOrg(db)
    const { chatroomId } = await create(org, await createLead(db, org), { onHandover: true })
    expect(await usersOf(db, chatroomId)).toEqual([])
    expect((await readRoom(db, org.id, chatroomId)).pending_user_id).toBe('ann')
    await deliver(db, post(org.phones[0]!, message({})))
    expect(await usersOf(db, chatroomId)).toEqual(['ann'])
    expect((await readRoom(db, org.id, chatroomId)).pending_user_id).toBe(null)
  })
})

describe('the number of a new chatroom', () => {
  it('is the one named, or the first of the WABA named', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const named = await create(org, await createLead(db, org, { customer: '+15550000001' }), {
      phoneId: org.phones[1],
    })
    expect((await readRoom(db, org.id, named.chatroomId)).waba_phone_id).toBe(org.phones[1])
    const ofWaba = await create(org, await createLead(db, org, { customer: '+15550000002' }), {
      wabaId: org.wabaId,
    })
    expect((await readRoom(db, org.id, ofWaba.chatroomId)).waba_phone_id).toBe(org.phones[0])
  })

  it('is refused when it, or the WABA, is not of the org, or it is not of that WABA', async () => {
    const [org, stranger] = [await createOrg(db), await createOrg(db)]
    await db.$client.query(`insert into wabas (org_id, id, name) values ($1, 'second', 'Second')`, [org.id])
    const lead = await createLead(db, org)
    const waba = { error: 'WABA_NOT_FOUND', status: 404 }
    const phone = { error: 'WABA_PHONE_NOT_FOUND', status: 404 }
    expect(await refused(org, lead, { wabaId: 'nobody' })).toMatchObject(waba)
    expect(await refused(org, lead, { wabaId: stranger.wabaId })).toMatchObject(waba)
    expect(await refused(org, lead, { phoneId: 'nobody' })).toMatchObject(phone)
    expect(await refused(org, lead, { phoneId: stranger.phones[0] })).toMatchObject(phone)
    expect(await refused(org, lead, { phoneId: org.phones[0], wabaId: 'second' })).toMatchObject(phone)
    expect(await refused(org, lead, { wabaId: 'second' })).toMatchObject({
      error: 'NO_WABA_PHONE_AVAILABLE',
      status: 404,
    })
  })

  it('is checked before the existing chatroom is returned', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    expect(await refused(org, room.contactId, { phoneId: 'nobody' })).toMatchObject({
      error: 'WABA_PHONE_NOT_FOUND',
    })
  })

  it('is the next free one when another number is taken and the caller accepts that', async () => {
    const org = await createOrg(db, {}, { phones: 3 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const { chatroomId } = await create(org, await createLead(db, org), { failIfElsewhere: false })
    expect((await readRoom(db, org.id, chatroomId)).waba_phone_id).toBe(org.phones[1])
  })
})

describe('an active chatroom of the same customer under another contact', () => {
  const conflict = (room: { id: string }) => ({
    error: 'ACTIVE_CHATROOM_EXISTS',
    status: 409,
    payload: { chatroom_id: room.id },
  })

  it('refuses a second one at its number, even for a caller who accepts other numbers', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead)).toEqual(conflict(rival))
    const named = { phoneId: org.phones[0], failIfElsewhere: false }
    expect(await refused(org, lead, named)).toEqual(conflict(rival))
    expect(await refused(org, lead, { forceDeactivate: true })).toEqual(conflict(rival))
  })

  it('refuses one at another number too, unless the caller accepts that', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead, { phoneId: org.phones[1] })).toEqual(conflict(rival))
    const { chatroomId } = await create(org, lead, { phoneId: org.phones[1], failIfElsewhere: false })
    expect((await readRoom(db, org.id, chatroomId)).waba_phone_id).toBe(org.phones[1])
  })

  it('refuses when every number of the org is taken', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    await createRoom(db, org, { phone: org.phones[1]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead, { failIfElsewhere: false })).toEqual(conflict(rival))
  })

  it('does not stand in the way once it is deactivated or expired', async () => {
    for (const gone of [{ deactivatedAt: ago(1) }, { expiredAt: ago(1) }]) {
      const org = await createOrg(db)
      await createRoom(db, org, gone)
      expect((await create(org, await createLead(db, org))).isExisting).toBe(false)
    }
  })

  it('does not stand in the way when its deactivation or expiry is overdue, which is then written', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 100 }, { phones: 2 })
    const idle = await createRoom(db, org, { phone: org.phones[0]!, activatedAt: ago(31) })
    const old = await createRoom(db, org, { phone: org.phones[1]!, createdAt: ago(101) })
    await create(org, await createLead(db, org))
    expect(await readRoom(db, org.id, idle.id)).toMatchObject({
      state: 'deactivated',
      deactivation_reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
    })
    expect((await readRoom(db, org.id, old.id)).state).toBe('expired')
    const { rows } = await db.$client.query('select expired_at from contacts where id = $1', [old.contactId])
    expect(rows[0].expired_at).toEqual((await readRoom(db, org.id, old.id)).expired_at)
    expect(await eventsOf(db, idle.id)).toMatchObject([
      { kind: 'chatroom.deactivated', actor: 'lifecycle', reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED' },
    ])
    const ofContact = await db.$client.query('select kind from events where contact_id = $1 order by id', [
      old.contactId,
    ])
    expect(ofContact.rows).toEqual([{ kind: 'chatroom.expired' }, { kind: 'contact.expired' }])
  })

  it('of another customer or another org is no rival', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    await createRoom(db, org, { customer: '+15550002222' })
    await createRoom(db, other)
    expect((await create(org, await createLead(db, org))).isExisting).toBe(false)
  })
})

describe('force_deactivate', () => {
  it("deactivates the lead's chatroom and makes a new one at its number", async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const room = await createRoom(db, org, { phone: org.phones[1]! })
    const { chatroomId, isExisting } = await create(org, room.contactId, { forceDeactivate: true })
    expect(isExisting).toBe(false)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivation_reason: 'FORCE_DEACTIVATE',
    })
    expect(await readRoom(db, org.id, chatroomId)).toMatchObject({
      state: 'active',
      waba_phone_id: org.phones[1],
    })
    expect(await eventsOf(db, room.id)).toMatchObject([
      {
        kind: 'chatroom.deactivated',
        actor: 'user:admin',
        reason: 'FORCE_DEACTIVATE',
        before: { state: 'active' },
      },
    ])
    expect(await create(org, room.contactId)).toEqual({ chatroomId, isExisting: true })
  })

  it('moves the one mapping of the contact to the number named', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const room = await createRoom(db, org, { phone: org.phones[0]! })
    await create(org, room.contactId, { forceDeactivate: true, phoneId: org.phones[1] })
    expect(await mappingOf(room.contactId)).toEqual([{ waba_phone_id: org.phones[1] }])
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })
})

describe('who cannot have a chatroom', () => {
  it('a contact that the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const unknown = { error: 'CONTACT_NOT_FOUND', status: 404 }
    expect(await refused(org, NOBODY)).toMatchObject(unknown)
    expect(await refused(org, await createLead(db, other))).toMatchObject(unknown)
  })

  it('an expired contact, overdue or not, with a chatroom or without', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const expired = { error: 'CONTACT_IS_EXPIRED', status: 409 }
    expect(await refused(org, await createLead(db, org, { expiredAt: ago(1) }))).toMatchObject(expired)
    expect(await refused(org, await createLead(db, org, { createdAt: ago(61) }))).toMatchObject(expired)
    const gone = await createRoom(db, org, { expiredAt: ago(1) })
    expect(await refused(org, gone.contactId)).toMatchObject(expired)
    const overdue = await createRoom(db, org, { createdAt: ago(61) })
    expect(await refused(org, overdue.contactId, { forceDeactivate: true })).toMatchObject(expired)
  })
})

describe('held messages', () => {
  it('are given to the new chatroom, the oldest first, and to its first user whatever the history setting', async () => {
    const org = await createOrg(db, { room_history_visible: false }, { phones: 2 })
    const times = [3, 1, 2].map((hours) => new Date(Math.floor(Date.now() / 1000) * 1000 - hours * 3_600_000))
    const held = times.map((at) => message({ at }))
    const elsewhere = message({})
    const somebodyElse = message({ from: '15550009999' })
    await deliver(db, post(org.phones[0]!, ...held, somebodyElse), post(org.phones[1]!, elsewhere))
    const { chatroomId } = await create(org, await createLead(db, org))
    const { rows } = await db.$client.query(
      'select wamid, route from messages where chatroom_id = $1 order by sent_at, seq',
      [chatroomId],
    )
    expect(rows).toEqual([held[0], held[2], held[1]].map((m) => ({ wamid: m!.id, route: 'held' })))
    for (const m of [elsewhere, somebodyElse]) {
      expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(null)
    }
    expect((await readRoom(db, org.id, chatroomId)).last_inbound_at).toEqual(times[1])
    expect((await eventsOf(db, chatroomId))[0]!.after).toMatchObject({ held_messages: 3 })
    const members = await db.$client.query(
      'select visible_from from chatroom_members where chatroom_id = $1',
      [chatroomId],
    )
    expect(members.rows).toEqual([{ visible_from: null }])
  })
})

describe('at the same time', () => {
  it('50 creations for one contact give one chatroom', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead = await createLead(db, org)
    const results = await Promise.all(Array.from({ length: 50 }, () => create(org, lead)))
    expect(new Set(results.map((r) => r.chatroomId)).size).toBe(1)
    expect(results.filter((r) => !r.isExisting)).toHaveLength(1)
    const { rows } = await db.$client.query('select 1 from chatrooms where contact_id = $1', [lead])
    expect(rows).toHaveLength(1)
  })

  it('20 contacts of one customer: one wins the number, all others are refused', async () => {
    const org = await createOrg(db)
    const leads = await Promise.all(Array.from({ length: 20 }, () => createLead(db, org)))
    const results = await Promise.all(leads.map((lead) => create(org, lead).catch((e) => e.error)))
    expect(results.filter((r) => r === 'ACTIVE_CHATROOM_EXISTS')).toHaveLength(19)
  })

  it('what the lock did not stop, the unique index does, as the documented refusal', async () => {
    const org = await createOrg(db)
    const rival = await createRoom(db, org, { deactivatedAt: ago(1) })
    const lead = await createLead(db, org)
    const outsider = await database.pool.connect()
    await outsider.query('begin')
    await outsider.query('update chatrooms set deactivated_at = null where id = $1', [rival.id])
    const creation = create(org, lead).catch((e) => e.error)
    await expect.poll(() => waitingQueries(db)).toHaveLength(1)
    await outsider.query('commit')
    outsider.release()
    expect(await creation).toBe('ACTIVE_CHATROOM_EXISTS')
  })
})

describe('POST /v3/org/{orgId}/lead/chatroom', () => {
  const user = { assign_mode: 'USER', user_id: 'ann' }
  const createV3 = (org: TestOrg, body: object, as?: object) =>
    api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { body, ...as })

  it('answers with the chatroom, again as an existing one', async () => {
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

  it('says which user of a group it chose, on handover too', async () => {
    const org = await createOrg(db)
    await createGroup(db, org, 'team', ['bob'])
    const lead_id = await createLead(db, org)
    const assign_details = { assign_mode: 'GROUP', group_id: 'team', assign_on_handover: true }
    expect((await createV3(org, { lead_id, assign_details })).body.user_id).toBe('bob')
  })

  it('knows every option', async () => {
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

  it('answers each refusal with its code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db, {}, { phones: 2 }), await createOrg(db)]
    await createRoom(db, org)
    const [lead_id, strange] = [await createLead(db, org), await createLead(db, other)]
    const free = await createLead(db, org, { customer: '+15550003333' })
    const gone = await createLead(db, org, { customer: '+15550004444', expiredAt: ago(1) })
    const details = (assign_details: object) => ({ lead_id: free, assign_details })
    const before = await fingerprint(db, org.id)
    for (const [body, ...answer] of [
      [{ lead_id: strange, assign_details: user }, 404, 4040002],
      [{ lead_id: 'no uuid', assign_details: user }, 404, 4040002],
      [{ ...details(user), remote_waba_id: other.wabaId }, 404, 4040004],
      [{ ...details(user), remote_phone_id: other.phones[0] }, 404, 4040005],
      [details({ assign_mode: 'USER', user_id: 'nobody' }), 404, 4040006],
      [details({ assign_mode: 'USER', user_email: 'no@body.test' }), 404, 4040006],
      [details({ assign_mode: 'GROUP', group_id: 'nobody' }), 404, 4040007],
      [details({ assign_mode: 'DELEGATE' }), 404, 4040008],
      [{ lead_id, assign_details: user }, 409, 4090002],
      [{ lead_id: gone, assign_details: user }, 409, 4090005],
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

  it('answers with the chatroom and knows every option', async () => {
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

  it('answers each refusal with its code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const contact_id = await createLead(db, org)
    const before = await fingerprint(db, org.id)
    for (const [body, ...answer] of [
      [{ contact_id: NOBODY, user_id: 'ann' }, 404, 4040002],
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
