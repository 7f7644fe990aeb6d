import { describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { text, write } from '../support/people.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create, byPhone } = contactEndpoints(api)

describe('a renumbered phone', () => {
  it.each([
    ['Ivory Coast', '+2250768123456', '22568123456'],
    ['Ivory Coast, fixed', '+2252720123456', '22520123456'],
    ['Benin', '+2290197123456', '22997123456'],
    ['Gabon', '+24162123456', '2412123456'],
    ['Mexico', '+525512345678', '5215512345678'],
    ['Argentina', '+541151234678', '5491151234678'],
    ['Brazil', '+5511987654321', '551187654321'],
  ])('of %s is found by the old one, and by the new one', async (_, now, old) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: now })
    const [row] = await write(db, org, [text({ from: old })])
    expect(row).toMatchObject({ chatroom_id: room.id, route: 'active' })
    const other = await createOrg(db)
    const before = await createRoom(db, other, { customer: `+${old}` })
    const [later] = await write(db, other, [text({ from: now.slice(1) })])
    expect(later.chatroom_id).toBe(before.id)
  })

  it('of Ivory Coast that fits two customers leads to none of them, and an event names both', async () => {
    const org = await createOrg(db)
    const rooms = [
      await createRoom(db, org, { customer: '+2250768123456' }),
      await createRoom(db, org, { customer: '+2250568123456' }),
    ]
    const [row] = await write(db, org, [text({ from: '22568123456' })])
    expect(row).toMatchObject({ route: 'held', chatroom_id: null })
    const [event] = await eventsOfOrg(db, org.id, 'customer.%')
    expect(event).toMatchObject({ kind: 'customer.ambiguous', customer_id: row.customer_id })
    expect([...event!.after.fits].sort()).toEqual(rooms.map((room) => room.customerId).sort())
  })

  it('of Ivory Coast does not lead to a customer with the same old digits behind another prefix', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: '+2250768123456' })
    await write(db, org, [text({ from: '22568123456' })])
    const [row] = await write(db, org, [text({ from: '2250568123456' })])
    expect(row.customer_id).not.toBe(room.customerId)
    expect(row.route).toBe('held')
  })
})

describe('a look-up', () => {
  it.each([
    ['digits', '22568123456'],
    ['a plus, unescaped', '+22568123456'],
    ['a plus', '%2B22568123456'],
    ['00', '0022568123456'],
    ['spaces', '%2B225%2068%2012%2034%2056'],
    ['the present number', '2250768123456'],
  ])('with %s finds a customer whose phone libphonenumber calls impossible', async (_, query) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: '+22568123456' })
    const customer = await api.call('GET', `/v1/org/${org.id}/customer?phone=${query}`)
    expect([customer.status, customer.body.customer_id]).toEqual([200, room.customerId])
    const path = `/v1/org/${org.id}/route?phone=${query}&remote_phone_id=${org.phones[0]}`
    const route = await api.call('GET', path)
    expect([route.status, route.body.chatroom_id]).toEqual([200, room.id])
  })

  it.each(['22568123456', '2250768123456', '22997123456', '5215512345678', '5491151234678'])(
    'of contacts finds those of %s in any spelling',
    async (phone) => {
      const org = await createOrg(db)
      const [row] = await write(db, org, [text({ from: phone })])
      expect(await byPhone(org, `+${phone}`)).toMatchObject({ status: 200, body: [] })
      const room = await createRoom(db, org, { customer: `+${phone}` })
      expect(room.customerId).toBe(row.customer_id)
      expect((await byPhone(org, `+${phone}`)).body).toMatchObject([{ id: room.contactId }])
    },
  )

  it('in the console finds the customer by the digits that WhatsApp shows', async () => {
    const org = await createOrg(db)
    const [row] = await write(db, org, [text({ from: '22868123456' })])
    const url = await startOps(db)
    const { body } = await loggedIn(`${url}/console/customer?q=22868123456`)
    expect(body).toContain(row.customer_id)
  })

  it('is refused for a text that is no phone', async () => {
    const org = await createOrg(db)
    for (const phone of ['1234', 'abc', '+', '123456789012345678901']) {
      const { status } = await api.call(
        'GET',
        `/v1/org/${org.id}/customer?phone=${encodeURIComponent(phone)}`,
      )
      expect([phone, status]).toEqual([phone, 422])
    }
  })
})

describe('the leading zero of an Italian number', () => {
  const rome = { countryCode: 39, nationalNumber: 612345678 }

  it('that JSON lost is taken from the raw input, so that messages find the contact', async () => {
    const org = await createOrg(db)
    const made = await create(org, { phone_number: { ...rome, rawInput: '+39 06 1234 5678' } })
    expect(made.status).toBe(200)
    const [row] = await write(db, org, [text({ from: '390612345678' })])
    expect((await byPhone(org, '+390612345678')).body).toMatchObject([{ id: made.body.id }])
    expect((await api.call('GET', `/v1/org/${org.id}/customer?phone=390612345678`)).body.customer_id).toBe(
      row.customer_id,
    )
  })

  it.each([
    ['without a flag or a raw input', {}, 'italianLeadingZero'],
    [
      'with a flag that contradicts the raw input',
      { italianLeadingZero: false, rawInput: '06 1234 5678' },
      'rawInput',
    ],
  ])('is asked for %s', async (_, more, named) => {
    const org = await createOrg(db)
    const { status, body } = await create(org, { phone_number: { ...rome, ...more } })
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toContain(named)
    expect(JSON.stringify(body)).not.toContain('612345678')
  })

  it('is not invented for a mobile number, nor for a country without such zeros', async () => {
    const org = await createOrg(db)
    const made = [
      await create(org, {
        phone_number: { countryCode: 39, nationalNumber: 3123456789, rawInput: '312 345 6789' },
      }),
      await create(org, {
        phone_number: { countryCode: 49, nationalNumber: 15123456789, rawInput: '0151 23456789' },
      }),
    ]
    const { rows } = await db.$client.query('select phone from contacts where org_id = $1 order by phone', [
      org.id,
    ])
    expect(made.map(({ status }) => status)).toEqual([200, 200])
    expect(rows).toEqual([{ phone: '+393123456789' }, { phone: '+4915123456789' }])
  })
})
