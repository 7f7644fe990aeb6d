import { describe, expect, it } from 'vitest'
import { type Claims, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { addMember, createLead } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { bytes, delivery, message, post } from '../support/webhooks.ts'

const NOW = Math.floor(Date.now() / 1000) * 1000
const minutesAgo = (n: number) => new Date(NOW - n * 60_000)

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const phoneOf = (n: number) => `+1555000${2000 + n}`
const from = (n: number) => phoneOf(n).slice(1)

/** An org with active chatrooms of customers 0, 1, ... */
async function createInbox(rooms: number) {
  const org = await createOrg(db)
  const ids = []
  for (let n = 0; n < rooms; n += 1) ids.push((await createRoom(db, org, { customer: phoneOf(n) })).id)
  return { org, ids }
}

const write = (org: TestOrg, ...messages: object[]) => deliver(db, post(org.phones[0]!, ...messages))

/** An answer that the company wrote in the Business App. */
function echo(org: TestOrg, n: number, at: Date): Buffer {
  const metadata = { display_phone_number: '15550783881', phone_number_id: org.phones[0] }
  const { from: _, ...sent } = { ...message({ at }), to: from(n) }
  const value = {
    ...{ messaging_product: 'whatsapp', metadata },
    message_echoes: [{ from: '15550783881', ...sent }],
  }
  return bytes(delivery([{ field: 'smb_message_echoes', value }], org.wabaId))
}

async function list(org: TestOrg, query = '', as?: Claims) {
  return api.call('GET', `/v1/org/${org.id}/chatrooms?${query}`, as && { as })
}

/** The chatrooms that wait, in their order, and since when. */
async function waits(org: TestOrg): Promise<[string, string][]> {
  const { body } = await list(org, 'waiting=true')
  return body.chatrooms.map((room: { chatroom_id: string; waiting_since: string }) => [
    room.chatroom_id,
    room.waiting_since,
  ])
}

describe('a chatroom waits for an answer', () => {
  it('since the first message that has none, and those come first that wait longest', async () => {
    const { org, ids } = await createInbox(3)
    await write(
      org,
      message({ from: from(1), at: minutesAgo(9) }),
      message({ from: from(0), at: minutesAgo(5) }),
    )
    await write(org, message({ from: from(1), at: minutesAgo(2) }))
    expect(await waits(org)).toEqual([
      [ids[1], minutesAgo(9).toISOString()],
      [ids[0], minutesAgo(5).toISOString()],
    ])
  })

  it('until the company sends a message, and again from the next message of the customer on', async () => {
    const { org, ids } = await createInbox(1)
    await write(org, message({ from: from(0), at: minutesAgo(9) }))
    const text = { origin: 'AGENT', text: { body: 'Yes' } }
    expect(
      (await api.call('POST', `/v1/org/${org.id}/chatroom/${ids[0]}/messages`, { body: text })).status,
    ).toBe(202)
    expect(await waits(org)).toEqual([])
    const soon = new Date(NOW + 2_000)
    await write(org, message({ from: from(0), at: soon }))
    expect(await waits(org)).toEqual([[ids[0], expect.any(String)]])
  })

  it('until the company answers in the Business App', async () => {
    const { org } = await createInbox(1)
    await write(org, message({ from: from(0), at: minutesAgo(9) }))
    await deliver(db, echo(org, 0, minutesAgo(8)))
    expect(await waits(org)).toEqual([])
  })

  it('in whatever order messages and answers come, also within one batch', async () => {
    const { org, ids } = await createInbox(4)
    const question = (n: number, at: number) => message({ from: from(n), at: minutesAgo(at) })
    // 0: answered in the same batch; 1: asked again after the answer; 2: the answer comes last; 3: the question does.
    await write(org, question(1, 30), question(2, 30), question(2, 10))
    await deliver(
      db,
      post(org.phones[0]!, question(0, 30), question(1, 15)),
      ...[echo(org, 0, minutesAgo(20)), echo(org, 1, minutesAgo(20))],
    )
    await deliver(db, echo(org, 2, minutesAgo(20)), echo(org, 3, minutesAgo(20)))
    await write(org, question(3, 30))
    expect(await waits(org)).toEqual([
      [ids[1], minutesAgo(15).toISOString()],
      [ids[2], minutesAgo(10).toISOString()],
    ])
  })

  it('not after a reaction, and no more once it is deactivated', async () => {
    const { org, ids } = await createInbox(2)
    const reaction = { message_id: 'wamid.unknown', emoji: '👍' }
    await write(
      org,
      message({ from: from(0), type: 'reaction', extra: { reaction } }),
      message({ from: from(1) }),
    )
    expect(await waits(org)).toHaveLength(1)
    await api.call('PUT', `/v1/org/${org.id}/contacts/chatroom/${ids[1]}/deactivate`)
    expect(await waits(org)).toEqual([])
    const { rows } = await db.$client.query('select 1 from waiting_chatrooms where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })

  it('since the first message that was held, when its chatroom is created', async () => {
    const { org } = await createInbox(0)
    await write(
      org,
      message({ from: from(0), at: minutesAgo(9) }),
      message({ from: from(0), at: minutesAgo(8) }),
    )
    const body = {
      lead_id: await createLead(db, org, { customer: phoneOf(0) }),
      assign_details: { assign_mode: 'USER', user_id: 'ann' },
    }
    const created = await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { body })
    expect(await waits(org)).toEqual([[created.body.chatroom_id, minutesAgo(9).toISOString()]])
  })
})

describe('the list of chatrooms', () => {
  it('shows contact, number, users and the last message, newest chatroom first', async () => {
    const { org, ids } = await createInbox(2)
    await addMember(db, org, ids[1]!, 'ann')
    await write(org, message({ from: from(1), at: minutesAgo(3) }))
    const { status, body } = await list(org)
    expect(status).toBe(200)
    expect(body.next_before).toBe(null)
    expect(body.chatrooms.map((room: { chatroom_id: string }) => room.chatroom_id)).toEqual([ids[1], ids[0]])
    expect(body.chatrooms[0]).toEqual({
      chatroom_id: ids[1],
      state: 'active',
      display_name: expect.stringMatching(/^crm-/),
      contact: {
        ...{ id: expect.any(String), crm_id: expect.stringMatching(/^crm-/), phone: phoneOf(1) },
        ...{ first_name: null, last_name: null },
      },
      remote_waba_id: org.wabaId,
      remote_phone_id: org.phones[0],
      assigned_to: 'ann',
      handover_to: null,
      last_message: { sent_at: minutesAgo(3).toISOString(), direction: 'in', type: 'text' },
      waiting_since: minutesAgo(3).toISOString(),
      created_at: expect.any(String),
    })
    expect(body.chatrooms[1]).toMatchObject({ assigned_to: null, last_message: null, waiting_since: null })
  })

  it('filters by state, by user and by whether the customer waits', async () => {
    const { org, ids } = await createInbox(3)
    const gone = await createRoom(db, org, { customer: phoneOf(7), deactivatedAt: new Date() })
    await addMember(db, org, ids[0]!, 'ann')
    await addMember(db, org, ids[1]!, 'ann')
    await addMember(db, org, gone.id, 'ann')
    await write(org, message({ from: from(0) }), message({ from: from(2) }))
    const idsOf = async (query: string) =>
      (await list(org, query)).body.chatrooms.map((room: { chatroom_id: string }) => room.chatroom_id)
    expect(await idsOf('state=active')).toEqual([ids[2], ids[1], ids[0]])
    expect(await idsOf('state=deactivated')).toEqual([gone.id])
    expect(await idsOf('state=deactivated&assigned_to=ann')).toEqual([gone.id])
    expect(await idsOf('state=expired')).toEqual([])
    expect(await idsOf('assigned_to=ann')).toEqual([ids[1], ids[0]])
    expect(await idsOf('assigned_to=ann&waiting=true')).toEqual([ids[0]])
    expect(await idsOf('waiting=false')).toEqual([ids[1]])
  })

  it.each(['', 'waiting=true&', 'assigned_to=ann&', 'waiting=true&assigned_to=ann&'])(
    'is paged without a gap or a repeat: %s',
    async (query) => {
      const { org, ids } = await createInbox(5)
      for (const id of ids) await addMember(db, org, id, 'ann')
      await write(org, ...ids.map((_, n) => message({ from: from(n), at: minutesAgo(n < 3 ? 5 : 4) })))
      const seen: string[] = []
      let next: string | null = ''
      while (next !== null) {
        const { body } = await list(org, `${query}limit=2${next && `&before=${next}`}`)
        seen.push(...body.chatrooms.map((room: { chatroom_id: string }) => room.chatroom_id))
        next = body.next_before
      }
      expect(seen).toEqual(query.startsWith('waiting') ? ids : ids.toReversed())
    },
  )

  it('goes on behind a page that found nothing among the chatrooms it looked at', async () => {
    const { org, ids } = await createInbox(1)
    await write(org, message({ from: from(0), at: minutesAgo(1) }))
    await db.$client.query(
      `insert into waiting_chatrooms (org_id, chatroom_id, since)
       select $1, gen_random_uuid(), now() - interval '1 day' from generate_series(1, 5000)`,
      [org.id],
    )
    const { body } = await list(org, 'waiting=true')
    expect(body.chatrooms).toEqual([])
    const rest = await list(org, `waiting=true&before=${body.next_before}`)
    expect(rest.body.chatrooms).toMatchObject([{ chatroom_id: ids[0] }])
    expect(rest.body.next_before).toBe(null)
  })

  it('shows a MEMBER the own chatrooms only, an ADMIN and a partner all', async () => {
    const { org, ids } = await createInbox(2)
    await addMember(db, org, ids[0]!, 'ann')
    await addMember(db, org, ids[1]!, 'bob')
    const seen = async (as: Omit<Claims, 'org'>, query = '') => {
      const { status, body } = await list(org, query, { org: org.id, ...as })
      return status === 200 ? body.chatrooms.length : status
    }
    expect(await seen({ role: 'MEMBER', user: 'ann' })).toBe(1)
    expect(await seen({ role: 'MEMBER', user: 'ann' }, 'assigned_to=ann')).toBe(1)
    expect(await seen({ role: 'MEMBER', user: 'ann' }, 'assigned_to=bob')).toBe(403)
    expect(await seen({ role: 'MEMBER', user: 'ann', act: 'bob' }, 'assigned_to=ann')).toBe(1)
    expect(await seen({ role: 'ADMIN', user: 'ann' })).toBe(2)
    expect(await seen({ role: 'MEMBER', user: 'someone', partner: 'p' }, 'assigned_to=bob')).toBe(1)
  })

  it.each(['state=odd', 'waiting=yes', 'limit=0', 'limit=201', 'before=x', 'waiting=true&state=expired'])(
    'refuses %s',
    async (query) => {
      expect((await list(await createOrg(db), query)).status).toBe(422)
    },
  )

  it('refuses a cursor of a list in another order', async () => {
    const { org } = await createInbox(2)
    const { body } = await list(org, 'limit=1')
    expect((await list(org, `waiting=true&before=${body.next_before}`)).status).toBe(422)
  })
})
