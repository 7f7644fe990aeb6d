import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { card, namesOf, text, write } from '../support/people.ts'

const { db } = await createTestDatabase()

const OMAR = { from_user_id: 'EG.1' }
const PHONE = '201000000001'
const phone = (waId: string) => ({ phone: `+${waId}`, wa_id: waId, type: 'CELL' })

async function orgWithOmar() {
  const org = await createOrg(db)
  return { org, room: await createRoom(db, org, { customer: `+${PHONE}` }) }
}

/** True when what the sender writes by username reaches another customer than that of the phone. */
async function isApart(org: TestOrg, customerId: string): Promise<boolean> {
  const [row] = await write(db, org, [text(OMAR)])
  return row.customer_id !== customerId
}

describe('a contact card with which Meta attests the phone of a sender who is known by BSUID only', () => {
  it('joins the sender with the customer of that phone, held messages included', async () => {
    const { org, room } = await orgWithOmar()
    const forged = card(OMAR, [phone('201000000009')], 'other')
    const held = await write(db, org, [text(OMAR, 60), forged])
    expect(held.map(({ route }) => route)).toEqual(['held', 'held'])
    expect(await namesOf(db, org, held[0].customer_id)).toEqual(['EG.1'])
    const rows = await write(db, org, [card(OMAR, [phone(PHONE)], 'contact_request'), text(OMAR)])
    expect(rows).toMatchObject([
      { chatroom_id: room.id, route: 'active' },
      { chatroom_id: room.id, route: 'active' },
    ])
    for (const { wamid } of held) {
      expect(await readMessage(db, org.id, wamid)).toMatchObject({
        customer_id: room.customerId,
        chatroom_id: room.id,
      })
    }
  })

  it('is found by another spelling of the phone, without a `wa_id`', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: '+5511987654321' })
    const [row] = await write(db, org, [
      card(OMAR, [{ phone: '+55 11 8765-4321', type: 'CELL' }], 'contact_request'),
    ])
    expect(row.chatroom_id).toBe(room.id)
  })

  it('gives the sender the phone if nobody has it, so that a later contact gets the held messages', async () => {
    const org = await createOrg(db)
    const held = await write(db, org, [text(OMAR), card(OMAR, [phone(PHONE)], 'contact_request')])
    const room = await createRoom(db, org, { customer: `+${PHONE}` })
    expect(held.map((row) => row.customer_id)).toEqual([room.customerId, room.customerId])
  })
})

describe('a contact card joins nobody', () => {
  it.each([
    ['with another origin', 'other', {}],
    ['with an origin that only begins so', 'contact_request/other', {}],
    ['that was forwarded', 'contact_request', { context: { forwarded: true } }],
    ['that was forwarded often', 'contact_request', { context: { frequently_forwarded: true } }],
  ])('%s', async (_, origin, more) => {
    const { org, room } = await orgWithOmar()
    await write(db, org, [card(OMAR, [phone(PHONE)], origin, more)])
    expect(await isApart(org, room.customerId)).toBe(true)
    expect(await eventsOfOrg(db, org.id, 'customer.%')).toEqual([])
  })

  it('if the sender has another phone already', async () => {
    const { org, room } = await orgWithOmar()
    await write(db, org, [text({ from: '201000000007', ...OMAR })])
    await write(db, org, [card(OMAR, [phone(PHONE)], 'contact_request')])
    expect(await isApart(org, room.customerId)).toBe(true)
    expect(await eventsOfOrg(db, org.id, 'customer.%')).toEqual([])
  })

  it('if several customers have another spelling of its phone; an event names them', async () => {
    const org = await createOrg(db)
    const awa = await createRoom(db, org, { customer: '+2250768123456' })
    const bintou = await createRoom(db, org, { customer: '+2250568123456' })
    await write(db, org, [card(OMAR, [phone('22568123456')], 'contact_request')])
    expect(await isApart(org, awa.customerId)).toBe(true)
    expect(await isApart(org, bintou.customerId)).toBe(true)
    const [event] = await eventsOfOrg(db, org.id, 'customer.%')
    expect(event).toMatchObject({ kind: 'customer.ambiguous' })
    expect([...event!.after.fits].sort()).toEqual([awa.customerId, bintou.customerId].sort())
  })

  it('if it has several phones, of which one is known; an event names the customer', async () => {
    const { org, room } = await orgWithOmar()
    await write(db, org, [card(OMAR, [phone(PHONE), phone('201000000008')], 'contact_request')])
    expect(await isApart(org, room.customerId)).toBe(true)
    expect(await eventsOfOrg(db, org.id, 'customer.%')).toMatchObject([
      { kind: 'customer.ambiguous', after: { fits: [room.customerId] } },
    ])
  })
})
