import { describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { namesOf, system, text, write } from '../support/people.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create } = contactEndpoints(api)

const OLD = '15550001111'
const NEW = '15559990000'
const HOUR = 3_600

/** An org whose customer Ana has an active chatroom, under the old phone and the BSUID US.1. */
async function orgWithAna() {
  const org = await createOrg(db, {}, { phones: 2 })
  const room = await createRoom(db, org)
  await write(db, org, [text({ from: OLD, from_user_id: 'US.1' }, 3 * HOUR)])
  return { org, room }
}

const NUMBER_CHANGED = {
  type: 'user_changed_number',
  wa_id: NEW,
  user_id: 'US.2',
  previous_user_id: 'US.1',
}

describe('a phone and a BSUID that Meta says were given up', () => {
  it('find the customer for messages that were sent before, however late, and nobody for later ones', async () => {
    const { org, room } = await orgWithAna()
    const [notice] = await write(db, org, [system(NUMBER_CHANGED, { from: OLD }, HOUR)])
    expect(notice).toMatchObject({ chatroom_id: room.id, route: 'active' })
    const ofAna = [
      text({ from: NEW }),
      text({ from_user_id: 'US.2' }),
      text({ from: OLD }, 2 * HOUR),
      text({ from_user_id: 'US.1' }, 2 * HOUR),
    ]
    for (const row of await write(db, org, ofAna)) expect(row.chatroom_id).toBe(room.id)
    const later = await write(db, org, [text({ from: OLD, from_user_id: 'US.9' })])
    expect(later).toMatchObject([{ route: 'held', chatroom_id: null }])
    expect(later[0].customer_id).not.toBe(room.customerId)
    expect(await eventsOfOrg(db, org.id, 'customer.%')).toEqual([])
  })

  it('stay with the person who has the phone now when the change is reported to a second number', async () => {
    const { org, room } = await orgWithAna()
    await write(db, org, [system(NUMBER_CHANGED, { from: OLD }, HOUR)])
    const [other] = await write(db, org, [text({ from: OLD, from_user_id: 'US.9' }, 60)])
    await write(db, org, [system(NUMBER_CHANGED, { from: OLD }, HOUR - 2)], 1)
    const [again, ana] = await write(db, org, [text({ from: OLD }), text({ from: NEW })])
    expect(again.customer_id).toBe(other.customer_id)
    expect(ana.chatroom_id).toBe(room.id)
  })

  it('are not given up again by a redelivery of the report, days later', async () => {
    const { org, room } = await orgWithAna()
    const report = system(NUMBER_CHANGED, { from: OLD }, 2 * HOUR)
    const back = { type: 'user_changed_number', wa_id: OLD, user_id: 'US.3', previous_user_id: 'US.2' }
    await write(db, org, [report, system(back, { from: NEW }, HOUR), report])
    const [row] = await write(db, org, [text({ from: OLD })])
    expect(row.chatroom_id).toBe(room.id)
    expect(await namesOf(db, org, room.customerId)).toEqual(
      expect.arrayContaining([OLD, 'US.3', `former ${NEW}`, 'former US.1', 'former US.2']),
    )
  })

  it('still find the customer in look-ups, until somebody else has them', async () => {
    const { org, room } = await orgWithAna()
    await write(db, org, [system(NUMBER_CHANGED, { from: OLD }, HOUR)])
    const lookUp = async () => (await api.call('GET', `/v1/org/${org.id}/customer?phone=${OLD}`)).body
    expect((await lookUp()).customer_id).toBe(room.customerId)
    expect((await lookUp()).aliases).toContainEqual(
      expect.objectContaining({ kind: 'bsuid', value: 'US.1', given_up_at: expect.any(String) }),
    )
    const contacts = await api.call('GET', `/v2/org/${org.id}/contact/pn/+${OLD}`)
    expect(contacts.body).toMatchObject([{ id: room.contactId }])
    const forecast = `/v1/org/${org.id}/route?phone=${OLD}&remote_phone_id=${org.phones[0]}`
    expect((await api.call('GET', forecast)).body).toMatchObject({ decision: 'held' })
    const made = await create(org, { phone_number: { countryCode: 1, nationalNumber: 5550001111 } })
    expect(made.status).toBe(200)
    expect((await lookUp()).customer_id).not.toBe(room.customerId)
  })
})

describe('a system message', () => {
  it('with the keys of two versions at once, one of them a number, is read as one change', async () => {
    const { org, room } = await orgWithAna()
    const both = { ...NUMBER_CHANGED, customer: `+${OLD}`, new_wa_id: Number(NEW), body: 'to 15551112222' }
    await write(db, org, [system(both, { from: OLD }, HOUR)])
    const names = await namesOf(db, org, room.customerId)
    expect(names).toEqual(expect.arrayContaining([NEW, 'US.2', `former ${OLD}`, 'former US.1']))
    expect(names).not.toContain('15551112222')
  })

  it('recognizes a customer by the previous parent id, and the new one leads there from another portfolio', async () => {
    const org = await createOrg(db, {}, { phones: 2, wabas: [0, 1] })
    const mina = { from_user_id: 'US.801', from_parent_user_id: 'US.ENT.91' }
    const [first] = await write(db, org, [text(mina, 2 * HOUR)])
    const change = {
      type: 'user_changed_user_id',
      previous_user_id: 'US.777',
      user_id: 'US.778',
      previous_parent_user_id: 'US.ENT.91',
      parent_user_id: 'US.ENT.92',
    }
    await write(db, org, [system(change, {}, HOUR)])
    const elsewhere = { from_user_id: 'US.900', from_parent_user_id: 'US.ENT.92' }
    const [last] = await write(db, org, [text(elsewhere)], 1)
    expect(last.customer_id).toBe(first.customer_id)
    for (const id of ['US.801', 'US.900', 'US.778', 'US.777', 'US.ENT.91', 'US.ENT.92']) {
      const { body } = await api.call('GET', `/v1/org/${org.id}/customer?user_id=${id}`)
      expect([id, body.customer_id]).toEqual([id, first.customer_id])
    }
  })

  it.each([
    ['a new security code', { type: 'customer_identity_changed', customer: OLD, wa_id: OLD, identity: 'h' }],
    ['a new BSUID without a phone', { type: 'user_changed_user_id', user_id: 'US.2' }],
    ['the same phone again', { type: 'user_changed_number', wa_id: OLD, new_wa_id: Number(OLD) }],
  ])('about %s gives no phone up', async (_, content) => {
    const { org, room } = await orgWithAna()
    await write(db, org, [system(content, { from: OLD }, HOUR)])
    const [row] = await write(db, org, [text({ from: OLD })])
    expect(row.chatroom_id).toBe(room.id)
    expect((await namesOf(db, org, room.customerId)).filter((name) => name.startsWith('former'))).toEqual([])
  })
})
