import { beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createLead, fingerprint, readOrg } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const DAY = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY)
const NOBODY = '00000000-0000-7000-8000-000000000000'
const SECOND = Math.floor(Date.now() / 1000) * 1000

let db: Db
let api: TestApi

beforeAll(async () => {
  const database = await createTestDatabase()
  db = database.db
  api = await startTestApi(database.db)
})

const get = (path: string, as?: Parameters<TestApi['call']>[2]) => api.call('GET', path, as)

async function join(org: TestOrg, chatroomId: string, userId: string, visibleFrom: Date | null = null) {
  await db.$client.query(
    'insert into chatroom_members (org_id, chatroom_id, user_id, visible_from) values ($1, $2, $3, $4)',
    [org.id, chatroomId, userId, visibleFrom],
  )
}

describe('the chatroom of a contact', () => {
  it('comes with its WABA and without what is not known', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: room.id,
        is_existing: true,
        is_deactivated: false,
        is_expired: false,
        waba: { remote_waba_id: org.wabaId, name: 'Main' },
      },
    ])
  })

  it('says when it was deactivated and when it will expire', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const [created, deactivated] = [ago(10), ago(2)]
    const room = await createRoom(db, org, { createdAt: created, deactivatedAt: deactivated })
    await db.$client.query(`update wabas set matrix_host_name = 'm.example' where org_id = $1`, [org.id])
    await db.$client.query(`update chatrooms set external_ref_id = 'x-1' where id = $1`, [room.id])
    const { body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect(body).toMatchObject({
      external_ref_id: 'x-1',
      is_deactivated: true,
      is_expired: false,
      deactivation_ts: deactivated.toISOString(),
      expiry_ts: new Date(created.getTime() + 60 * DAY).toISOString(),
      waba: { matrix_host_name: 'm.example' },
    })
  })

  it('says when it expired', async () => {
    const org = await createOrg(db)
    const expiredAt = ago(1)
    const room = await createRoom(db, org, { expiredAt })
    const { body } = await get(`/v1/org/${org.id}/chatroom/contact/${room.contactId}`)
    expect(body).toMatchObject({ is_expired: true, expiry_ts: expiredAt.toISOString() })
  })

  it('is the active one of several at its mapped number, else the one created last', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const lead_id = await createLead(db, org)
    const assign_details = { assign_mode: 'USER', user_id: 'ann' }
    const create = async (options: object) =>
      (
        await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, {
          body: { lead_id, assign_details, ...options },
        })
      ).body.chatroom_id
    const current = async () => (await get(`/v1/org/${org.id}/chatroom/contact/${lead_id}`)).body.chatroom_id
    const put = (id: string, verb: string) =>
      api.call('PUT', `/v1/org/${org.id}/contacts/chatroom/${id}/${verb}`)
    const [first, second] = [await create({}), await create({ force_deactivate: true })]
    expect(await current()).toBe(second)
    await put(first, 'activate?force_deactivate=true')
    expect(await current()).toBe(first)
    await put(first, 'deactivate')
    expect(await current()).toBe(second)
    const moved = await create({ force_deactivate: true, remote_phone_id: org.phones[1] })
    await put(moved, 'deactivate')
    await put(first, 'activate')
    expect(await current()).toBe(moved)
  })

  it('is not found without a mapping: no chatroom, no such contact, or one of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const lead = await createLead(db, org)
    const { contactId } = await createRoom(db, other)
    for (const id of [lead, contactId, NOBODY, 'x', '%00']) {
      const { status, body } = await get(`/v1/org/${org.id}/chatroom/contact/${id}`)
      if (id === '%00') expect([status, body.error_message]).toEqual([422, 'INVALID_INPUT'])
      else
        expect([status, body.error_message, body.error_description]).toEqual([
          404,
          'WABA_MAPPING_NOT_FOUND',
          'No contact waba mapping found',
        ])
    }
  })
})

describe('the detail of a chatroom', () => {
  it('says where it is, whose it is and who has it', async () => {
    const org = await createOrg(db)
    const at = ago(1)
    const room = await createRoom(db, org, { lastInboundAt: at })
    await join(org, room.id, 'ann')
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/${room.id}`)
    expect([status, body]).toEqual([
      200,
      {
        chatroom_id: room.id,
        is_existing: true,
        is_deactivated: false,
        is_expired: false,
        user_id: 'ann',
        contact_id: room.contactId,
        remote_waba_id: org.wabaId,
        remote_phone_id: org.phones[0],
        display_name: `crm-${room.contactId}`,
        state: 'active',
        last_inbound_at: at.toISOString(),
        users: ['ann'],
      },
    ])
  })

  it('names the user whose handover waits as the one it is assigned to', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { pendingUserId: 'bob' })
    await join(org, room.id, 'ann')
    const { body } = await get(`/v1/org/${org.id}/chatroom/${room.id}`)
    expect(body).toMatchObject({ user_id: 'bob', users: ['ann'], last_inbound_at: null })
  })

  it('is not found for a chatroom the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other)
    for (const id of [strange.id, NOBODY, 'x']) {
      for (const path of ['', '/messages']) {
        const { status, body } = await get(`/v1/org/${org.id}/chatroom/${id}${path}`)
        expect([status, body.error_message]).toEqual([404, 'CHATROOM_NOT_FOUND'])
      }
    }
  })
})

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

  it('come newest first with their route and the reason', async () => {
    const { room, sent, path } = await chat([60, 120])
    const { status, body } = await get(path)
    expect(status).toBe(200)
    expect(body.next_before).toBe(null)
    expect(idsOf(body)).toEqual([sent[0]!.id, sent[1]!.id])
    expect(body.messages[0]).toEqual({
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

  it('are paged without a gap or a repeat, also within one second and while new ones arrive', async () => {
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

  it('are 50 a page unless a number up to 200 is asked for', async () => {
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
  ])('are refused for a page that makes no sense: %s', async (query) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await get(`/v1/org/${org.id}/chatroom/${room.id}/messages?${query}`)
    expect([status, body.error_message]).toEqual([422, 'INVALID_INPUT'])
  })

  it('keep what no other JSON reader would: U+0000, lone surrogates and __proto__', async () => {
    const { org, path } = await chat([])
    const text = post(org.phones[0]!, message({ body: 'a\u0000b\ud800c' }))
      .toString()
      .replace('"type":"text"', '"__proto__":{"x":1},"type":"text"')
    await deliver(db, Buffer.from(text))
    const { body } = await get(path)
    expect(body.messages[0].payload.text.body).toBe('a\u0000b\ud800c')
    expect(Object.keys(body.messages[0].payload)).toContain('__proto__')
  })

  it('show a MEMBER of the chatroom what is not older than his membership allows', async () => {
    const { org, room, sent, path } = await chat([120, 60, 30])
    await join(org, room.id, 'bob', new Date(SECOND - 60_000))
    await join(org, room.id, 'ann')
    const as = (user: string) => ({ as: { org: org.id, role: 'MEMBER', user } })
    expect(idsOf((await get(path, as('bob'))).body)).toEqual([sent[2]!.id, sent[1]!.id])
    expect(idsOf((await get(path, as('ann'))).body)).toHaveLength(3)
    const impersonated = { as: { org: org.id, role: 'MEMBER', user: 'bob', act: 'support' } }
    expect(idsOf((await get(path, impersonated)).body)).toHaveLength(2)
  })

  it('are refused to a MEMBER who is no user of the chatroom, and shown to ADMIN and partner', async () => {
    const { org, path } = await chat([10])
    const { status, body } = await get(path, { as: { org: org.id, role: 'MEMBER', user: 'bob' } })
    expect([status, body.error_message]).toEqual([403, 'FORBIDDEN'])
    const admin = await get(path, { as: { org: org.id, role: 'ADMIN', user: 'bob' } })
    const partner = await get(path, { as: { org: org.id, role: 'MEMBER', partner: 'p' } })
    expect([idsOf(admin.body).length, idsOf(partner.body).length]).toEqual([1, 1])
  })
})

describe('held messages', () => {
  it('are those of the org that wait for a chatroom, newest first, in pages', async () => {
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

  it('are held no longer once a chatroom has them', async () => {
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

describe('the explanation of a route', () => {
  const explain = (org: TestOrg, query: string, phone = org.phones[0]) =>
    get(`/v1/org/${org.id}/route?remote_phone_id=${phone}&${query}`)

  it('is what routing then does, and changes nothing', async () => {
    const states = {
      active: [{}],
      reactivated: [{ deactivatedAt: ago(2) }, { deactivatedAt: ago(1) }],
      expired: [{ expiredAt: ago(2) }, { expiredAt: ago(1) }],
      held: [],
    }
    for (const [route, rooms] of Object.entries(states)) {
      const org = await createOrg(db, { auto_reply_text: 'closed' })
      for (const room of rooms) await createRoom(db, org, room)
      const before = await fingerprint(db, org.id)
      const { body } = await explain(org, 'phone=%2B15550001111')
      expect(await fingerprint(db, org.id)).toBe(before)
      expect(body.decision).toBe(route)
      const m = message({})
      await deliver(db, post(org.phones[0]!, m))
      const { rows } = await db.$client.query(
        'select route as decision, chatroom_id, reason, candidates from messages where wamid = $1',
        [m.id],
      )
      expect(body).toEqual(rows[0])
    }
  })

  it('counts overdue expiry and inactivity as done', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(31) })
    const { body } = await explain(org, 'phone=15550001111')
    expect(body).toMatchObject({ decision: 'reactivated', chatroom_id: room.id })
    expect(body.candidates).toMatchObject([{ chatroom_id: room.id, state: 'deactivated' }])
  })

  it('says that an unknown customer would be created where the org wants so, and creates none', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    const before = await fingerprint(db, org.id)
    expect((await explain(org, 'phone=15559998888')).body).toEqual({
      decision: 'created',
      chatroom_id: null,
      reason: 'no chatroom of this customer at this number; the org has one created',
      candidates: [],
    })
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('finds a customer by the business-scoped id that Meta gave', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    const m = message({ from: undefined, userId: 'US.123' })
    await deliver(db, bytes(delivery([change(org.phones[0]!, { messages: [m] })])))
    const { body } = await explain(org, 'user_id=US.123')
    expect(body).toMatchObject({ decision: 'active', candidates: [{ state: 'active' }] })
  })

  it('needs a number of the org and somebody to ask about', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const answer = async (query: string, phone?: string) => {
      const { status, body } = await explain(org, query, phone)
      return [status, body.error_message]
    }
    expect(await answer('phone=15550001111', 'nobody')).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    expect(await answer('phone=15550001111', other.phones[0])).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    expect(await answer('')).toEqual([422, 'INVALID_INPUT'])
    expect(await answer('phone=x')).toEqual([422, 'INVALID_INPUT'])
    expect(await answer('phone=1&colour=red')).toEqual([422, 'INVALID_INPUT'])
    const { status } = await get(`/v1/org/${org.id}/route?phone=15550001111`)
    expect(status).toBe(422)
  })
})

describe('settings', () => {
  const DEFAULTS = {
    inactivity_days: null,
    expiry_days: null,
    auto_reply_text: null,
    auto_reply_min_interval_seconds: 0,
    unknown_sender: 'hold',
    room_history_visible: true,
    deactivate_on_opt_out: false,
    delegate: null,
  }
  const put = (org: TestOrg, body: unknown, as?: Parameters<TestApi['call']>[2]) =>
    api.call('PUT', `/v1/org/${org.id}/settings`, { body, ...as })

  it('are read as they were provisioned', async () => {
    const org = await createOrg(db, { inactivity_days: 30, delegate: { user_id: 'ann' } })
    const { body } = await get(`/v1/org/${org.id}/settings`, { as: { org: org.id, role: 'MEMBER' } })
    expect(body).toEqual({ ...DEFAULTS, inactivity_days: 30, delegate: { user_id: 'ann' } })
  })

  it('are replaced as a whole: what is left out takes its default; the audit has before and after', async () => {
    const org = await createOrg(db, { inactivity_days: 30, unknown_sender: 'create' })
    const wanted = { expiry_days: 365, delegate: { user_id: 'bob' } }
    const { status, body } = await put(org, wanted)
    expect([status, body]).toEqual([200, { ...DEFAULTS, ...wanted }])
    expect((await get(`/v1/org/${org.id}/settings`)).body).toEqual(body)
    expect((await readOrg(db, org)).delegateUserId).toBe('bob')
    const { rows } = await db.$client.query(
      'select kind, actor, before, after from events where org_id = $1',
      [org.id],
    )
    expect(rows).toEqual([
      {
        kind: 'org.settings_changed',
        actor: 'user:ann',
        before: { ...DEFAULTS, inactivity_days: 30, unknown_sender: 'create' },
        after: body,
      },
    ])
  })

  it('leave no audit when they stay the same', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    await put(org, { inactivity_days: 30 })
    const { rows } = await db.$client.query('select 1 from events where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })

  it('are refused with an unknown delegate or values that make no sense, and stay', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db, {}, { users: ['eve'] })
    for (const [body, ...answer] of [
      [{ delegate: { user_id: 'eve' } }, 404, 'USER_NOT_FOUND'],
      [{ delegate: { group_id: 'nobody' } }, 404, 'GROUP_NOT_FOUND'],
      [{ inactivity_days: 0 }, 422, 'INVALID_INPUT'],
      [{ inactivity_days: '30' }, 422, 'INVALID_INPUT'],
      [{ colour: 'red' }, 422, 'INVALID_INPUT'],
      [[], 422, 'INVALID_INPUT'],
    ] as const) {
      const reply = await put(org, body)
      expect([reply.status, reply.body.error_message]).toEqual(answer)
    }
    expect((await get(`/v1/org/${org.id}/settings`)).body).toEqual(DEFAULTS)
    expect((await put(org, {}, { as: { org: other.id } })).status).toBe(403)
    expect((await put(org, {}, { as: { org: org.id, role: 'MEMBER' } })).status).toBe(403)
    expect((await put(org, {}, { as: { org: org.id, act: 'support' } })).status).toBe(403)
  })
})
