import { describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { unparkDeliveries } from '../../src/inbox/unpark.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, inboxStates, readMessage, readRoom, store } from '../support/inbox.ts'
import { createLead } from '../support/leads.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { refusalMessageOf, unchanged } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const first = (org: TestOrg) => org.phones[0]!
const at = (waba: string, ...phones: object[]) => ({
  id: waba,
  name: 'moved',
  phones: phones.map((phone) => ({ display_phone_number: '+91 98100 00000', ...phone })),
})

/** The file that says that number `id`, of a WABA of its own, replaces `replaces`. */
const moveTo = (org: TestOrg, id: string, replaces = first(org)) =>
  provisionOrg(db, { id: org.id, wabas: [at(`waba-of-${id}`, { id, replaces })] })

const status = (phone: string, id: string) =>
  bytes(delivery([change(phone, { statuses: [{ id, status: 'read', timestamp: '1700000000' }] })]))

async function sentMessage(db: Db, org: TestOrg, room: { id: string; customerId: string }): Promise<string> {
  const wamid = newWamid()
  await db.$client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
       received_at, seq, reason, payload)
     values ($1, $2, $3, $4, $5, 'out', 'text', now(), now(), 0, '', '{}')`,
    [org.id, wamid, first(org), room.customerId, room.id],
  )
  return wamid
}

describe('a number that has moved to another WABA', () => {
  it('is parked until it is provisioned, then leads to the chatrooms that the number had', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const before = message({})
    await deliver(db, post(first(org), before))
    const m = message({})
    const ids = await store(db, post(`${org.id}-1009`, m))
    await routeDeliveries(db, ids, () => {})
    expect(await inboxStates(db, ids)).toEqual(['parked'])
    expect(await moveTo(org, `${org.id}-1009`)).toMatchObject({ unparked: 1 })
    await routeDeliveries(db, ids, () => {})
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'active', chatroom_id: room.id })
    const { body } = await api.call('GET', `/v1/org/${org.id}/chatroom/${room.id}/messages`)
    expect(body.messages.map((shown: { wamid: string }) => shown.wamid)).toEqual([m.id, before.id])
  })

  it('finds a place for late messages and statuses that name the former id', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const sent = await sentMessage(db, org, room)
    await moveTo(org, `${org.id}-1009`)
    const late = message({})
    await deliver(db, status(first(org), sent), post(first(org), late))
    expect(await readMessage(db, org.id, sent)).toMatchObject({ status: 'read' })
    expect(await readMessage(db, org.id, late.id)).toMatchObject({ route: 'active', chatroom_id: room.id })
  })

  it('keeps one active chatroom for a customer at all its ids, wherever messages name them in one batch', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    await moveTo(org, `${org.id}-1009`)
    const [a, b] = [message({}), message({})]
    await deliver(db, post(`${org.id}-1009`, a), post(first(org), b))
    const stored = await Promise.all([a, b].map(({ id }) => readMessage(db, org.id, id)))
    expect(stored.map(({ route }) => route)).toEqual(['created', 'active'])
    expect(stored[0].chatroom_id).toBe(stored[1].chatroom_id)
  })

  it('gives what was held at the former id to the first chatroom at the new one', async () => {
    const org = await createOrg(db)
    const m = message({})
    await deliver(db, post(first(org), m))
    await moveTo(org, `${org.id}-1009`)
    const lead = await createLead(db, org)
    const { body } = await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, {
      body: {
        lead_id: lead,
        remote_phone_id: `${org.id}-1009`,
        assign_details: { assign_mode: 'USER', user_id: 'ann' },
      },
    })
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: body.chatroom_id })
    const { rows } = await db.$client.query('select waba_phone_id from contact_wabas where contact_id = $1', [
      lead,
    ])
    expect(rows).toEqual([{ waba_phone_id: first(org) }])
  })

  it('is reactivated, opted out and explained under the new id', async () => {
    const org = await createOrg(db, { deactivate_on_opt_out: true })
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    await moveTo(org, `${org.id}-1009`)
    await deliver(db, post(`${org.id}-1009`, message({})))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
    const stop = {
      metadata: { phone_number_id: `${org.id}-1009` },
      user_preferences: [
        { wa_id: '15550001111', category: 'marketing_messages', value: 'stop', timestamp: '1800000000' },
      ],
    }
    await deliver(db, bytes(delivery([{ field: 'user_preferences', value: stop }])))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ deactivation_reason: 'LEAD_OPTED_OUT' })
    for (const phone of [`${org.id}-1009`, first(org)]) {
      const { body } = await api.call(
        'GET',
        `/v1/org/${org.id}/route?phone=%2B15550001111&remote_phone_id=${phone}`,
      )
      expect(body).toMatchObject({ decision: 'reactivated', chatroom_id: room.id })
    }
  })

  it('rewrites no chatroom, message, mapping or send', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed' })
    await createRoom(db, org, { expiredAt: ago(1) })
    await deliver(db, post(first(org), message({})))
    const versions = async () => {
      const { rows } = await db.$client.query(
        `select xmin::text, ctid::text from chatrooms where org_id = $1
         union all select xmin::text, ctid::text from messages where org_id = $1
         union all select xmin::text, ctid::text from contact_wabas where org_id = $1
         union all select xmin::text, ctid::text from outbox where org_id = $1`,
        [org.id],
      )
      return rows
    }
    const before = await versions()
    expect(before).toHaveLength(5)
    await moveTo(org, `${org.id}-1009`)
    expect(await versions()).toEqual(before)
  })

  it('is in the audit', async () => {
    const org = await createOrg(db)
    await moveTo(org, `${org.id}-1009`)
    expect(await eventsOfOrg(db, org.id, 'number.%')).toMatchObject([
      {
        kind: 'number.moved',
        actor: 'provision',
        before: { remote_phone_id: first(org), remote_waba_id: org.wabaId },
        after: { remote_phone_id: `${org.id}-1009`, remote_waba_id: `waba-of-${org.id}-1009` },
      },
    ])
  })
})

describe('while a number moves', () => {
  it('every message that arrives, under either id, is in the chatroom once', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    const customers = Array.from({ length: 10 }, (_, i) => `1555000100${i}`)
    const rooms = new Map<string, string>()
    for (const customer of customers.slice(0, 5)) {
      rooms.set(customer, (await createRoom(db, org, { customer: `+${customer}` })).id)
    }
    const chain = [first(org), ...[1, 2, 3, 4].map((n) => `${org.id}-${n}`)]
    const sent: { id: string; from?: string }[] = []
    let moving = true
    const write = async () => {
      while (moving) {
        const m = message({ from: customers[sent.length % customers.length] })
        const ids = await store(db, post(chain[sent.push(m) % chain.length]!, m))
        await routeDeliveries(db, ids, () => {})
      }
    }
    const move = async () => {
      for (const [i, id] of chain.slice(1).entries()) await moveTo(org, id, chain[i])
      moving = false
    }
    await Promise.all([write(), write(), move()])
    await unparkDeliveries(db)
    const { rows } = await db.$client.query<{ id: string }>('select id from inbox')
    await routeDeliveries(
      db,
      rows.map(({ id }) => Number(id)),
      () => {},
    )
    expect(
      await inboxStates(
        db,
        rows.map(({ id }) => Number(id)),
      ),
    ).toEqual([])
    const { rows: stored } = await db.$client.query<{ wamid: string; room: string }>(
      'select wamid, chatroom_id as room from messages where org_id = $1',
      [org.id],
    )
    const roomOf = new Map(stored.map(({ wamid, room }) => [wamid, room]))
    expect(stored).toHaveLength(sent.length)
    for (const { id, from = '' } of sent) {
      if (!rooms.has(from)) rooms.set(from, roomOf.get(id)!)
      expect([from, roomOf.get(id)]).toEqual([from, rooms.get(from)])
    }
  })
})

describe('the file of a move', () => {
  it('changes nothing when it is applied again, alone or with the number that was replaced beside it', async () => {
    const org = await createOrg(db)
    await moveTo(org, `${org.id}-1009`)
    await unchanged(db, org, () => moveTo(org, `${org.id}-1009`))
    const beside = {
      id: org.id,
      wabas: [
        at(org.wabaId, { id: first(org) }),
        at(`waba-of-${org.id}-1009`, { id: `${org.id}-1009`, replaces: first(org) }),
      ],
    }
    await provisionOrg(db, beside)
    await unchanged(db, org, () => provisionOrg(db, beside))
  })

  it('does not undo a later move, nor does a file from before all moves', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await moveTo(org, `${org.id}-1009`)
    await moveTo(org, `${org.id}-1010`, `${org.id}-1009`)
    await unchanged(db, org, async () => {
      await moveTo(org, `${org.id}-1009`)
      await provisionOrg(db, { id: org.id, wabas: [{ ...at(org.wabaId, { id: first(org) }), name: 'Main' }] })
    })
    const { body } = await api.call('GET', `/v1/org/${org.id}/chatroom/${room.id}`)
    expect(body).toMatchObject({
      remote_phone_id: `${org.id}-1010`,
      remote_waba_id: `waba-of-${org.id}-1010`,
    })
    for (const phone of [first(org), `${org.id}-1009`, `${org.id}-1010`]) {
      const m = message({})
      await deliver(db, post(phone, m))
      expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id })
    }
  })

  it('may name a whole chain, in any order, also for a new installation', async () => {
    const id = `chain-${newWamid()}`
    const wabas = [
      at(`${id}-c`, { id: `${id}-1010`, replaces: `${id}-1009` }),
      at(`${id}-b`, { id: `${id}-1009`, replaces: `${id}-1001` }),
      at(`${id}-a`, { id: `${id}-1001` }),
    ]
    await provisionOrg(db, { id, wabas })
    const org: TestOrg = { id, wabaId: `${id}-c`, wabaIds: [`${id}-c`], phones: [`${id}-1001`] }
    await unchanged(db, org, () => provisionOrg(db, { id, wabas }))
    const { rows } = await db.$client.query(
      'select id, remote_id, waba_id, position from waba_phones where org_id = $1',
      [id],
    )
    expect(rows).toEqual([{ id: `${id}-1001`, remote_id: `${id}-1010`, waba_id: `${id}-c`, position: 0 }])
  })

  it('may move a number back to an id that it had before', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await moveTo(org, `${org.id}-1009`)
    const back = { id: org.id, wabas: [at(org.wabaId, { id: first(org), replaces: `${org.id}-1009` })] }
    await provisionOrg(db, back)
    await unchanged(db, org, () => provisionOrg(db, back))
    const { body } = await api.call('GET', `/v1/org/${org.id}/chatroom/${room.id}`)
    expect(body).toMatchObject({ remote_phone_id: first(org), remote_waba_id: org.wabaId })
    const m = message({})
    await deliver(db, post(`${org.id}-1009`, m))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id })
  })

  it('keeps the settings when it has none', async () => {
    const org = await createOrg(db, { inactivity_days: 30, auto_reply_text: 'closed' })
    await moveTo(org, `${org.id}-1009`)
    const { body } = await api.call('GET', `/v1/org/${org.id}/settings`)
    expect(body).toMatchObject({ inactivity_days: 30, auto_reply_text: 'closed' })
  })

  it('may name an affiliate at the former id', async () => {
    const org = await createOrg(db)
    await moveTo(org, `${org.id}-1009`)
    const affiliates = [{ crm_id: 'backoffice', phone: '+919810000099', remote_phone_id: first(org) }]
    const wabas = [at(`waba-of-${org.id}-1009`, { id: `${org.id}-1009`, replaces: first(org) })]
    await provisionOrg(db, { id: org.id, wabas, affiliates })
    const { rows } = await db.$client.query('select waba_phone_id from chatrooms where org_id = $1', [org.id])
    expect(rows).toEqual([{ waba_phone_id: first(org) }])
  })
})

describe('a move is refused, and nothing changes,', () => {
  const refused = (org: TestOrg, work: () => Promise<unknown>) =>
    unchanged(db, org, () => refusalMessageOf(work))

  it('when the replaced number is unknown, or of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    for (const replaces of ['1', first(other)]) {
      expect(await refused(org, () => moveTo(org, `${org.id}-1009`, replaces))).toBe(
        `${org.id}-1009 replaces ${replaces}, which is not a number of this org`,
      )
    }
  })

  it('when the new id belongs to another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    expect(await refused(org, () => moveTo(org, first(other)))).toBe(
      `the phone ${first(other)} belongs to another org`,
    )
  })

  it('when another id has replaced the number already', async () => {
    const org = await createOrg(db)
    await moveTo(org, `${org.id}-1009`)
    expect(await refused(org, () => moveTo(org, `${org.id}-1011`))).toBe(
      `${org.id}-1011 replaces ${first(org)}, which ${org.id}-1009 has replaced already: name ${org.id}-1009`,
    )
  })

  it('when numbers replace each other in a circle, twice, or are given twice', async () => {
    const org = await createOrg(db)
    const circle = { id: org.id, wabas: [at('w', { id: 'a', replaces: 'b' }, { id: 'b', replaces: 'a' })] }
    expect(await refused(org, () => provisionOrg(db, circle))).toContain('a replaces itself')
    const twice = { id: org.id, wabas: [at('w', { id: 'a', replaces: 'b' }, { id: 'c', replaces: 'b' })] }
    expect(await refused(org, () => provisionOrg(db, twice))).toContain('two numbers replace b')
    const same = { id: org.id, wabas: [at('w', { id: 'a' }), at('v', { id: 'a' })] }
    expect(await refused(org, () => provisionOrg(db, same))).toContain('the number a is given twice')
  })
})
