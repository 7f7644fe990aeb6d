import { describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

describe('a customer', () => {
  it.each([
    ['Mexico', '+525512345678', '+5215512345678'],
    ['Brazil', '+5511987654321', '+551187654321'],
    ['Argentina', '+5491151234678', '+541151234678'],
  ])('of %s is found by either spelling of the phone', async (_, stored, spelled) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: stored })
    for (const phone of [stored, spelled]) {
      const contacts = await api.call('GET', `/v2/org/${org.id}/contact/pn/${phone}`)
      expect(contacts.body.map((c: { id: string }) => c.id)).toEqual([room.contactId])
      const query = `phone=${encodeURIComponent(phone)}&remote_phone_id=${org.phones[0]}`
      const route = await api.call('GET', `/v1/org/${org.id}/route?${query}`)
      expect(route.body).toMatchObject({ decision: 'active', chatroom_id: room.id })
    }
  })

  it('is shown with all names and contacts, by phone and by BSUID', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deliver(db, post(org.phones[0]!, message({ userId: 'US.1' })))
    for (const query of ['phone=15550001111', 'user_id=US.1']) {
      const { status, body } = await api.call('GET', `/v1/org/${org.id}/customer?${query}`)
      expect([status, body.customer_id]).toEqual([200, room.customerId])
      expect(body.aliases.map((a: { kind: string; value: string }) => [a.kind, a.value])).toEqual(
        expect.arrayContaining([
          ['phone', '+15550001111'],
          ['wa_id', '15550001111'],
          ['bsuid', 'US.1'],
        ]),
      )
      expect(body.contacts).toMatchObject([{ id: room.contactId }])
      expect(body.opted_out_at).toBe(null)
    }
    await db.$client.query('update customers set opted_out_at = now() where id = $1', [room.customerId])
    expect((await api.call('GET', `/v1/org/${org.id}/customer?user_id=US.1`)).body.opted_out_at).not.toBe(
      null,
    )
  })

  it('is answered 404 if unknown, and 422 if the request has no name, two names or an invalid phone', async () => {
    const org = await createOrg(db)
    const statusOf = async (query: string) =>
      (await api.call('GET', `/v1/org/${org.id}/customer?${query}`)).status
    expect(await statusOf('phone=15550009999')).toBe(404)
    expect(await statusOf('user_id=US.9')).toBe(404)
    expect(await statusOf('')).toBe(422)
    expect(await statusOf('phone=15550009999&user_id=US.9')).toBe(422)
    expect(await statusOf('phone=12')).toBe(422)
  })
})
