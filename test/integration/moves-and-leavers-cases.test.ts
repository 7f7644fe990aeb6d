import { describe, expect, it } from 'vitest'
import { requeueStranded } from '../../src/inbox/requeue-stranded.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, inboxStates, readMessage, store } from '../support/inbox.ts'
import { provisionOrg } from '../support/org.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const INDIA = '+91 98100 00000'
const user = (id: string) => ({ id, email: `${id}@acme.example`, name: id })
const org = (id: string) => ({
  id,
  wabas: [{ id: `${id}-5001`, name: 'India', phones: [{ id: `${id}-1001`, display_phone_number: INDIA }] }],
  users: ['asha', 'bala', 'chen'].map(user),
  groups: [{ id: 'sales', name: 'Sales', members: ['asha', 'bala', 'chen'] }],
})

/** A contact with an active chatroom of Asha, made by the API. */
async function roomOfAsha(id: string, nationalNumber: number): Promise<string> {
  await provisionOrg(db, org(id))
  const contact = {
    crm_id: 'lead',
    opt_in_date: 1_790_000_000,
    phone_number: { countryCode: 1, nationalNumber },
  }
  const { body } = await api.call('POST', `/v2/org/${id}/contact`, { body: contact })
  const assign_details = { assign_mode: 'USER', user_id: 'asha' }
  const wish = { lead_id: body.id, remote_phone_id: `${id}-1001`, assign_details }
  return (await api.call('POST', `/v3/org/${id}/lead/chatroom`, { body: wish })).body.chatroom_id
}

describe('cases from the field', () => {
  it('a number that migrates to another WABA keeps its chatrooms, and late statuses of the former id count', async () => {
    const id = 'acme-026'
    const room = await roomOfAsha(id, 5550002222)
    const m = message({ from: '15550002222' })
    const [early] = await store(db, post(`${id}-1009`, m))
    await routeDeliveries(db, [early!], () => {})
    expect(await inboxStates(db, [early!])).toEqual(['parked'])
    const phones = [{ id: `${id}-1009`, replaces: `${id}-1001`, display_phone_number: INDIA }]
    await provisionOrg(db, { id, wabas: [{ id: `${id}-5009`, name: 'Moved', phones }] })
    const enqueue = async (ids: number[]) => {
      await routeDeliveries(db, ids, () => {})
      return true
    }
    await requeueStranded(db, enqueue, async () => 0)
    expect(await readMessage(db, id, m.id)).toMatchObject({ route: 'active', chatroom_id: room })
    const answer = { origin: 'AGENT', text: { body: 'we are here' } }
    const sent = await api.call('POST', `/v1/org/${id}/chatroom/${room}/messages`, { body: answer })
    expect(sent.status).toBe(202)
    const statuses = [{ id: sent.body.wamid, status: 'read', timestamp: '1790000000' }]
    await deliver(db, bytes(delivery([change(`${id}-1001`, { statuses })])))
    expect(await readMessage(db, id, sent.body.wamid)).toMatchObject({ status: 'read' })
  })

  it('a chatroom of somebody who left wakes for nobody, and the token neither reads nor sends', async () => {
    const id = 'acme-021'
    const room = await roomOfAsha(id, 5550004444)
    await api.call('PUT', `/v1/org/${id}/contacts/chatroom/${room}/deactivate`)
    const without = { ...org(id), users: ['bala', 'chen'].map(user), users_are_complete: true }
    const groups = [{ id: 'sales', name: 'Sales', members: ['bala', 'chen'] }]
    await provisionOrg(db, { ...without, groups })
    await deliver(db, post(`${id}-1001`, message({ from: '15550004444' })))
    const { body } = await api.call('GET', `/v1/org/${id}/chatroom/${room}`)
    expect(body).toMatchObject({ state: 'active', users: [] })
    expect((await eventsOf(db, room)).map(({ kind }) => kind)).toContain('chatroom.unassigned')
    const as = { org: id, user: 'asha', role: 'MEMBER' }
    const path = `/v1/org/${id}/chatroom/${room}/messages`
    const text = { origin: 'AGENT', text: { body: 'still here' } }
    expect((await api.call('GET', path, { as })).status).toBe(403)
    expect((await api.call('POST', path, { as, body: text })).status).toBe(403)
  })
})
