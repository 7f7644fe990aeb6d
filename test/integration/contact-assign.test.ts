import { describe, expect, it } from 'vitest'
import { assignContact } from '../../src/chatrooms/assign-contact.ts'
import type { Wish } from '../../src/chatrooms/pick-assignee.ts'
import { startTestApi } from '../support/api.ts'
import { assignmentsIn, FOUR, toGroup, toUser } from '../support/assignments.ts'
import { UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { readRoom } from '../support/inbox.ts'
import { createGroup, createLead, fingerprint, readOrg, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const { create, refused } = assignmentsIn(db)

type Ask = { assign?: Wish; wabaId?: string; remotePhoneId?: string; onHandover?: boolean }

async function assign(org: TestOrg, contactId: string, ask: Ask = {}) {
  await assignContact(db, {
    org: await readOrg(db, org),
    contactId,
    assign: toUser('bob'),
    onHandover: false,
    actor: 'user:admin',
    now: new Date(),
    ...ask,
  })
}

const roomOf = async (contactId: string) =>
  (await db.$client.query('select * from chatrooms where contact_id = $1', [contactId])).rows

describe('assigning a contact', () => {
  it('reassigns the chatroom of the contact, to a user or within a group', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const team = await createGroup(db, org, 'team', ['cid'])
    const lead = await createLead(db, org)
    const id = await create(org, lead, toUser('ann'))
    await assign(org, lead)
    expect(await usersOf(db, id)).toEqual(['bob'])
    await assign(org, lead, { assign: toGroup(team), remotePhoneId: org.phones[0]!, wabaId: org.wabaId })
    expect(await usersOf(db, id)).toEqual(['cid'])
    await assign(org, lead, { assign: toUser('dee'), onHandover: true })
    expect(await usersOf(db, id)).toEqual(['cid'])
    expect((await readRoom(db, org.id, id)).pending_user_id).toBe('dee')
  })

  it('creates a chatroom if the contact has none, at the number asked for or the first free one', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    await assign(org, lead)
    const [room] = await roomOf(lead)
    expect(room).toMatchObject({ waba_phone_id: org.phones[1], state: 'active' })
    expect(await usersOf(db, room.id)).toEqual(['bob'])
    const named = await createLead(db, org, { customer: '+15550002222' })
    await assign(org, named, { remotePhoneId: org.phones[1]!, onHandover: true })
    expect(await roomOf(named)).toMatchObject([{ waba_phone_id: org.phones[1], pending_user_id: 'bob' }])
  })

  it('is refused if the user, group, WABA or number is not of the org, or the chatroom is at another number', async () => {
    const [org, other] = [await createOrg(db, {}, { phones: 2 }), await createOrg(db)]
    const { contactId } = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    const refusal = (id: string, ask: Ask = {}) => refused(org, () => assign(org, id, ask))
    expect(await refusal(UNKNOWN_ID)).toEqual([404, 'CONTACT_NOT_FOUND'])
    expect(await refusal(await createLead(db, other))).toEqual([404, 'CONTACT_NOT_FOUND'])
    for (const id of [contactId, lead]) {
      expect(await refusal(id, { assign: toUser('nobody') })).toEqual([404, 'USER_NOT_FOUND'])
      expect(await refusal(id, { assign: toGroup('nobody') })).toEqual([404, 'GROUP_NOT_FOUND'])
      expect(await refusal(id, { wabaId: other.wabaId })).toEqual([404, 'WABA_NOT_FOUND'])
      expect(await refusal(id, { remotePhoneId: other.phones[0]! })).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    }
    expect(await refusal(contactId, { remotePhoneId: org.phones[1]! })).toEqual([
      404,
      'WABA_MAPPING_NOT_FOUND',
    ])
  })

  it('is refused if no number is free, and for an expired contact without a chatroom', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const refusal = (id: string) => refused(org, () => assign(org, id))
    expect(await refusal(await createLead(db, org))).toEqual([404, 'NO_WABA_PHONE_AVAILABLE'])
    const gone = await createLead(db, org, { customer: '+15550002222', expiredAt: ago(1) })
    expect(await refusal(gone)).toEqual([404, 'CONTACT_NOT_FOUND'])
  })
})

describe('POST /v3/orgs/{orgId}/contacts/{contactId}/assign', () => {
  const post = (org: TestOrg, id: string, body: object, as?: object) =>
    api.call('POST', `/v3/orgs/${org.id}/contacts/${id}/assign`, { body, ...as })

  it('answers 202 without a body, and assigns the user if both user and group are given', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await post(org, room.contactId, {
      user_id: 'bob',
      group_id: 'nobody',
      remote_waba_id: org.wabaId,
      remote_phone_id: org.phones[0],
      assign_on_handover: false,
    })
    expect([status, body]).toEqual([202, undefined])
    expect(await usersOf(db, room.id)).toEqual(['bob'])
  })

  it('answers each refusal with its error code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other)
    const leads = await Promise.all(Array.from({ length: 6 }, () => createLead(db, org)))
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    for (const [id, body, code] of [
      [foreign.contactId, { user_id: 'ann' }, 4040002],
      [leads[0]!, { user_id: 'nobody' }, 4040006],
      [leads[1]!, { group_id: 'nobody' }, 4040007],
      [leads[2]!, { user_id: 'ann', remote_phone_id: other.phones[0] }, 4040005],
      [leads[3]!, { user_id: 'ann', remote_waba_id: other.wabaId }, 4040004],
      [leads[4]!, {}, 4220001],
      [leads[4]!, { user_id: 'ann', colour: 'red' }, 4220001],
    ] as const) {
      const reply = await post(org, id, body)
      expect([reply.status, reply.body.error_code]).toEqual([Math.floor(code / 10_000), code])
    }
    const impersonated = { as: { org: org.id, act: 'support' } }
    expect((await post(org, leads[5]!, { user_id: 'ann' }, impersonated)).status).toBe(403)
    expect([await fingerprint(db, org.id), await fingerprint(db, other.id)]).toEqual(before)
  })

  it('accepts one request in 10 s for a contact', async () => {
    const org = await createOrg(db)
    const { contactId, id } = await createRoom(db, org)
    expect((await post(org, contactId, { user_id: 'ann' })).status).toBe(202)
    const refusal = await post(org, contactId, { user_id: 'bob' })
    expect([refusal.status, refusal.body.error_code]).toEqual([429, 4290001])
    expect(await usersOf(db, id)).toEqual(['ann'])
  })
})
