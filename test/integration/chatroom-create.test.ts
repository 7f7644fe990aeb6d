import { describe, expect, it } from 'vitest'
import { createAsAdmin, UNKNOWN_ID, type Wishes } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { createLead, fingerprint, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { refusalOf } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

const create = (org: TestOrg, contactId: string, wishes?: Wishes) => createAsAdmin(db, org, contactId, wishes)
const refused = (org: TestOrg, contactId: string, wishes?: Wishes) =>
  refusalOf(db, org, () => create(org, contactId, wishes))

const mappingOf = async (contactId: string) =>
  (await db.$client.query('select waba_phone_id from contact_wabas where contact_id = $1', [contactId])).rows

describe('creating a chatroom', () => {
  it('makes an active chatroom at the first number of the org, maps the contact to it and assigns the user', async () => {
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

  it('returns the chatroom that the contact has already, unchanged, also if other options are asked for', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead = await createLead(db, org)
    const first = await create(org, lead)
    const before = await fingerprint(db, org.id)
    const again = await create(org, lead, {
      assign: { mode: 'USER', userId: 'bob' },
      remotePhoneId: org.phones[1],
      displayName: 'other',
    })
    expect(again).toEqual({ chatroomId: first.chatroomId, isExisting: true })
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('returns a deactivated chatroom as it is, because activating is another request', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    expect(await create(org, room.contactId)).toEqual({ chatroomId: room.id, isExisting: true })
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })

  it('names the chatroom as asked, else by `crm_id`, first and last name', async () => {
    const org = await createOrg(db)
    const displayName = async (lead: string, wishes: Wishes = {}) =>
      (await readRoom(db, org.id, (await create(org, lead, wishes)).chatroomId)).display_name
    const named = { crmId: 'C-1', firstName: 'Ada', lastName: 'Byron', customer: '+15550000001' }
    expect(await displayName(await createLead(db, org, named))).toBe('C-1 Ada Byron')
    const bare = { crmId: 'C-2', customer: '+15550000002' }
    expect(await displayName(await createLead(db, org, bare))).toBe('C-2')
    const asked = { crmId: 'C-3', customer: '+15550000003' }
    expect(await displayName(await createLead(db, org, asked), { displayName: 'VIP' })).toBe('VIP')
  })

  it('copies the `room_history_visible` setting of the org', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const { chatroomId } = await create(org, await createLead(db, org))
    expect((await readRoom(db, org.id, chatroomId)).history_visible).toBe(false)
  })

  it('assigns the user on handover when the customer writes', async () => {
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
  it('is the number asked for, or the first number of the WABA asked for', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const named = await create(org, await createLead(db, org, { customer: '+15550000001' }), {
      remotePhoneId: org.phones[1],
    })
    expect((await readRoom(db, org.id, named.chatroomId)).waba_phone_id).toBe(org.phones[1])
    const ofWaba = await create(org, await createLead(db, org, { customer: '+15550000002' }), {
      wabaId: org.wabaId,
    })
    expect((await readRoom(db, org.id, ofWaba.chatroomId)).waba_phone_id).toBe(org.phones[0])
  })

  it('is refused if the number or the WABA is not of the org, or the number is not of the WABA', async () => {
    const [org, stranger] = [await createOrg(db), await createOrg(db)]
    await db.$client.query(`insert into wabas (org_id, id, name) values ($1, 'second', 'Second')`, [org.id])
    const lead = await createLead(db, org)
    const waba = { error: 'WABA_NOT_FOUND', status: 404 }
    const phone = { error: 'WABA_PHONE_NOT_FOUND', status: 404 }
    expect(await refused(org, lead, { wabaId: 'nobody' })).toMatchObject(waba)
    expect(await refused(org, lead, { wabaId: stranger.wabaId })).toMatchObject(waba)
    expect(await refused(org, lead, { remotePhoneId: 'nobody' })).toMatchObject(phone)
    expect(await refused(org, lead, { remotePhoneId: stranger.phones[0] })).toMatchObject(phone)
    expect(await refused(org, lead, { remotePhoneId: org.phones[0], wabaId: 'second' })).toMatchObject(phone)
    expect(await refused(org, lead, { wabaId: 'second' })).toMatchObject({
      error: 'NO_WABA_PHONE_AVAILABLE',
      status: 404,
    })
  })

  it('is checked also if the contact has a chatroom already', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    expect(await refused(org, room.contactId, { remotePhoneId: 'nobody' })).toMatchObject({
      error: 'WABA_PHONE_NOT_FOUND',
    })
  })

  it('is the next free number if the first is taken and the caller accepts another', async () => {
    const org = await createOrg(db, {}, { phones: 3 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const { chatroomId } = await create(org, await createLead(db, org), { failIfElsewhere: false })
    expect((await readRoom(db, org.id, chatroomId)).waba_phone_id).toBe(org.phones[1])
  })
})

describe('a chatroom is refused for', () => {
  it('a contact of no org or of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const unknown = { error: 'CONTACT_NOT_FOUND', status: 404 }
    expect(await refused(org, UNKNOWN_ID)).toMatchObject(unknown)
    expect(await refused(org, await createLead(db, other))).toMatchObject(unknown)
  })

  it('an expired contact and one that is overdue for expiry, with or without a chatroom', async () => {
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
  it('join the new chatroom, and its first user sees them whatever the history setting is', async () => {
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
