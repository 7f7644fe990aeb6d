import { describe, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { addMember, createLead } from '../support/leads.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { message, newWamid, post } from '../support/webhooks.ts'

const SECOND = Math.floor(Date.now() / 1000) * 1000

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const get = (path: string, as?: Parameters<TestApi['call']>[2]) => api.call('GET', path, as)

describe('the messages of a chatroom', () => {
  /** A room whose messages arrived in this order; `times` in seconds before now. Their ids say the reverse. */
  async function chat(times: number[], settings = {}) {
    const org = await createOrg(db, settings)
    const room = await createRoom(db, org)
    const sent = times.map((s, i) =>
      message({ at: new Date(SECOND - s * 1000), body: `text ${i}`, id: `wamid.${999 - i}${newWamid()}` }),
    )
    await deliver(db, post(org.phones[0]!, ...sent))
    return { org, room, sent, path: `/v1/org/${org.id}/chatroom/${room.id}/messages` }
  }
  const idsOf = (body: { messages: { wamid: string }[] }) => body.messages.map((m) => m.wamid)

  it('are listed newest first, with route and reason', async () => {
    const { room, sent, path } = await chat([60, 120])
    const { status, body } = await get(path)
    expect(status).toBe(200)
    expect(body.next_before).toBe(null)
    expect(idsOf(body)).toEqual([sent[0]!.id, sent[1]!.id])
    expect(body.messages[0]).toEqual({
      ...{ id: null, retry_of: null, status_reason: null, next_try_at: null },
      wamid: sent[0]!.id,
      direction: 'in',
      type: 'text',
      sent_at: new Date(SECOND - 60_000).toISOString(),
      received_at: expect.any(String),
      route: 'active',
      reason: 'the active chatroom',
      from: '15550001111',
      wa_id: '15550001111',
      user_id: null,
      chatroom_id: room.id,
      status: null,
      errors: null,
      payload: sent[0],
    })
  })

  it('are paged without a gap or a repeat, also within one second and while new messages arrive', async () => {
    const { org, sent, path } = await chat([9, 9, 9, 9, 5, 5, 5])
    const seen: string[] = []
    let next = ''
    do {
      const { body } = await get(`${path}?limit=2${next && `&before=${next}`}`)
      seen.push(...idsOf(body))
      next = body.next_before ?? ''
      await deliver(db, post(org.phones[0]!, message({ at: new Date(SECOND) })))
    } while (next)
    const order = [6, 5, 4, 3, 2, 1, 0].map((i) => sent[i]!.id)
    expect(seen).toEqual(order)
  })

  it('come 50 to a page, or as many as asked for, up to 200', async () => {
    const { path } = await chat(Array.from({ length: 201 }, (_, i) => 300 - i))
    expect(idsOf((await get(path)).body)).toHaveLength(50)
    const { body } = await get(`${path}?limit=200`)
    expect(idsOf(body)).toHaveLength(200)
    expect(idsOf((await get(`${path}?limit=200&before=${body.next_before}`)).body)).toHaveLength(1)
  })

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1.5',
    'limit=',
    'before=',
    'before=x',
    `before=${Buffer.from('[1,2,3]').toString('base64url')}`,
    `before=${Buffer.from('[1e99,"1","x"]').toString('base64url')}`,
    `before=${Buffer.from('[1,"1","\\u0000"]').toString('base64url')}`,
    `before=${Buffer.from('[1,"9999999999999999999","x"]').toString('base64url')}`,
    'after=x',
    'limit=1&limit=2',
  ])('are refused with the invalid query %s', async (query) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/${room.id}/messages?${query}`)
    expect([status, body.error_message]).toEqual([422, 'INVALID_INPUT'])
  })

  it('keep U+0000, unpaired surrogates and a key `__proto__` of a payload', async () => {
    const { org, path } = await chat([])
    const text = post(org.phones[0]!, message({ body: 'a\u0000b\ud800c' }))
      .toString()
      .replace('"type":"text"', '"__proto__":{"x":1},"type":"text"')
    await deliver(db, Buffer.from(text))
    const { body } = await get(path)
    expect(body.messages[0].payload.text.body).toBe('a\u0000b\ud800c')
    expect(Object.keys(body.messages[0].payload)).toContain('__proto__')
  })

  it('are shown to a MEMBER of the chatroom from the time on that the membership allows', async () => {
    const { org, room, sent, path } = await chat([120, 60, 30])
    await addMember(db, org, room.id, 'bob', new Date(SECOND - 60_000))
    await addMember(db, org, room.id, 'ann')
    const as = (user: string) => ({ as: { org: org.id, role: 'MEMBER', user } })
    expect(idsOf((await get(path, as('bob'))).body)).toEqual([sent[2]!.id, sent[1]!.id])
    expect(idsOf((await get(path, as('ann'))).body)).toHaveLength(3)
    const impersonated = { as: { org: org.id, role: 'MEMBER', user: 'bob', act: 'support' } }
    expect(idsOf((await get(path, impersonated)).body)).toHaveLength(2)
  })

  it('are refused to a MEMBER who is not a user of the chatroom, and shown to an ADMIN and a partner', async () => {
    const { org, path } = await chat([10])
    const { status, body } = await get(path, { as: { org: org.id, role: 'MEMBER', user: 'bob' } })
    expect([status, body.error_message]).toEqual([403, 'FORBIDDEN'])
    const admin = await get(path, { as: { org: org.id, role: 'ADMIN', user: 'bob' } })
    const partner = await get(path, { as: { org: org.id, role: 'MEMBER', partner: 'p' } })
    expect([idsOf(admin.body).length, idsOf(partner.body).length]).toEqual([1, 1])
  })
})

describe('held messages', () => {
  it('are the messages of the org that have no chatroom yet, newest first, in pages', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const held = [50, 40, 30].map((s) =>
      message({ at: new Date(SECOND - s * 1000), from: `1555000${1000 + s}` }),
    )
    await deliver(db, post(org.phones[0]!, ...held), post(other.phones[0]!, message({})))
    await createRoom(db, org, { customer: '+15550009999' })
    await deliver(db, post(org.phones[0]!, message({ from: '15550009999' })))
    const first = await get(`/v1/org/${org.id}/messages/held?limit=2`, {
      as: { org: org.id, role: 'MEMBER' },
    })
    expect(first.body.messages.map((m: { wamid: string }) => m.wamid)).toEqual([held[2]!.id, held[1]!.id])
    expect(first.body.messages[0]).toMatchObject({ route: 'held', chatroom_id: null, from: '15550001030' })
    const rest = await get(`/v1/org/${org.id}/messages/held?before=${first.body.next_before}`)
    expect(rest.body.messages.map((m: { wamid: string }) => m.wamid)).toEqual([held[0]!.id])
    expect(rest.body.next_before).toBe(null)
  })

  it('leave the list when they join a chatroom', async () => {
    const org = await createOrg(db)
    await deliver(db, post(org.phones[0]!, message({})))
    const held = async () => (await get(`/v1/org/${org.id}/messages/held`)).body.messages
    expect(await held()).toHaveLength(1)
    const lead_id = await createLead(db, org)
    const assign_details = { assign_mode: 'USER', user_id: 'ann' }
    await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { body: { lead_id, assign_details } })
    expect(await held()).toEqual([])
  })
})
