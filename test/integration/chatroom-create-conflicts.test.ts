import { describe, expect, it } from 'vitest'
import { createAsAdmin, type Wishes } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { readRoom } from '../support/inbox.ts'
import { createLead } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { refusalOf } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'

const database = await createTestDatabase()
const { db } = database

const create = (org: TestOrg, contactId: string, wishes?: Wishes) => createAsAdmin(db, org, contactId, wishes)
const refused = (org: TestOrg, contactId: string, wishes?: Wishes) =>
  refusalOf(db, org, () => create(org, contactId, wishes))

const mappingOf = async (contactId: string) =>
  (await db.$client.query('select waba_phone_id from contact_wabas where contact_id = $1', [contactId])).rows

describe('an active chatroom of the same customer under another contact', () => {
  const conflict = (room: { id: string }) => ({
    error: 'ACTIVE_CHATROOM_EXISTS',
    status: 409,
    payload: { chatroom_id: room.id },
  })

  it('prevents a second active chatroom at its number, even for a caller who accepts other numbers', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead)).toEqual(conflict(rival))
    const named = { remotePhoneId: org.phones[0], failIfElsewhere: false }
    expect(await refused(org, lead, named)).toEqual(conflict(rival))
    expect(await refused(org, lead, { forceDeactivate: true })).toEqual(conflict(rival))
  })

  it('prevents a chatroom at another number, unless the caller accepts other numbers', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead, { remotePhoneId: org.phones[1] })).toEqual(conflict(rival))
    const { chatroomId } = await create(org, lead, { remotePhoneId: org.phones[1], failIfElsewhere: false })
    expect((await readRoom(db, org.id, chatroomId)).waba_phone_id).toBe(org.phones[1])
  })

  it('prevents a chatroom if every number of the org is taken', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const rival = await createRoom(db, org, { phone: org.phones[0]! })
    await createRoom(db, org, { phone: org.phones[1]! })
    const lead = await createLead(db, org)
    expect(await refused(org, lead, { failIfElsewhere: false })).toEqual(conflict(rival))
  })

  it('prevents nothing once it is deactivated or expired', async () => {
    for (const gone of [{ deactivatedAt: ago(1) }, { expiredAt: ago(1) }]) {
      const org = await createOrg(db)
      await createRoom(db, org, gone)
      expect((await create(org, await createLead(db, org))).isExisting).toBe(false)
    }
  })

  it('prevents nothing if its deactivation or expiry is overdue, which is then written', async () => {
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

  it('prevents nothing if it is of another customer or of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    await createRoom(db, org, { customer: '+15550002222' })
    await createRoom(db, other)
    expect((await create(org, await createLead(db, org))).isExisting).toBe(false)
  })
})

describe('force_deactivate', () => {
  it('deactivates the chatroom of the contact and makes a new one at the same number', async () => {
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

  it('moves the mapping of the contact to the number asked for', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const room = await createRoom(db, org, { phone: org.phones[0]! })
    await create(org, room.contactId, { forceDeactivate: true, remotePhoneId: org.phones[1] })
    expect(await mappingOf(room.contactId)).toEqual([{ waba_phone_id: org.phones[1] }])
    expect((await readRoom(db, org.id, room.id)).state).toBe('deactivated')
  })
})

describe('creations at the same time', () => {
  it('give one chatroom to one contact, of 50 requests', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead = await createLead(db, org)
    const results = await Promise.all(Array.from({ length: 50 }, () => create(org, lead)))
    expect(new Set(results.map((r) => r.chatroomId)).size).toBe(1)
    expect(results.filter((r) => !r.isExisting)).toHaveLength(1)
    const { rows } = await db.$client.query('select 1 from chatrooms where contact_id = $1', [lead])
    expect(rows).toHaveLength(1)
  })

  it('give the number to one of 20 contacts of one customer, and refuse the others', async () => {
    const org = await createOrg(db)
    const leads = await Promise.all(Array.from({ length: 20 }, () => createLead(db, org)))
    const results = await Promise.all(leads.map((lead) => create(org, lead).catch((e) => e.error)))
    expect(results.filter((r) => r === 'ACTIVE_CHATROOM_EXISTS')).toHaveLength(19)
    expect(results.filter((r) => r.isExisting === false)).toHaveLength(1)
  })

  it('are refused by the unique index if a transaction without the lock activated a chatroom', async () => {
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
