import { describe, expect, it } from 'vitest'
import { insertEvents } from '../../src/audit/record-events.ts'
import { run } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { lockCustomers } from '../../src/identity/lock-customers.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { openTransaction, readEvents, untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const typesOf = (events: { type: string }[]) => events.map(({ type }) => type)
const readNow = async (org: TestOrg, query?: string) => {
  await untilReadable(db)
  return readEvents(api, org.id, query)
}

const noted = (orgId: string, reason: string) =>
  insertEvents([{ orgId, kind: 'contact.updated', actor: 'test', reason }])
const reasonsOf = (events: { type: string; data: { reason?: string } }[]) =>
  events.filter(({ type }) => type === 'contact.updated').map(({ data }) => data.reason)

describe('the order of the event log', () => {
  it('an event that commits after a later one was written is neither skipped nor out of order', async () => {
    const org = await createOrg(db)
    const { tx, commit } = await openTransaction(db)
    await run(tx, noted(org.id, 'committed late'))
    await run(db, noted(org.id, 'committed early'))
    const path = `/v1/org/${org.id}/events`
    const before = await api.call('GET', path)
    expect(reasonsOf(before.body.events), 'a running transaction stops the log').toEqual([])
    await commit()
    await untilReadable(db)
    const { body } = await api.call('GET', `${path}?after=${before.body.next}`)
    expect(reasonsOf(body.events)).toEqual(['committed late', 'committed early'])
  })

  it('events of a customer have the order of the lock, also if the transaction that waited for it began first', async () => {
    const org = await createOrg(db)
    const { customerId } = await createRoom(db, org)
    const lock = lockCustomers([{ orgId: org.id, id: customerId }])
    const first = await openTransaction(db)
    const second = await openTransaction(db)
    await run(second.tx, lock)
    const waiting = run(first.tx, lock)
    await run(second.tx, noted(org.id, 'locked first'))
    await second.commit()
    await waiting
    await run(first.tx, noted(org.id, 'locked second'))
    await first.commit()
    expect(reasonsOf(await readNow(org))).toEqual(['locked first', 'locked second'])
  })

  it('events of a transaction that was rolled back never appear', async () => {
    const org = await createOrg(db)
    const failing = inTransaction(db, async (tx) => {
      await run(tx, noted(org.id, 'undone'))
      throw new Error('undo')
    })
    await expect(failing).rejects.toThrow('undo')
    expect(reasonsOf(await readNow(org))).toEqual([])
  })
})

describe('what happened', () => {
  it('a message is logged with its route, chatroom, contact and customer, after the change that it caused', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: new Date() })
    const sent = message({ at: new Date() })
    await deliver(db, post(org.phones[0]!, sent))
    const events = (await readNow(org)).filter(({ type }) => /^(chatroom|message)/.test(type))
    expect(typesOf(events)).toEqual(['chatroom.reactivated', 'message.received'])
    const contact = { id: room.contactId, crm_id: expect.any(String) }
    const customer = { id: room.customerId, merged_into: null, names: expect.any(Array) }
    expect(events[0]?.data).toMatchObject({ chatroom_id: room.id, contact, wamid: sent.id, actor: 'routing' })
    expect(events[1]).toEqual({
      id: expect.stringMatching(/^evt_\d+$/),
      type: 'message.received',
      timestamp: expect.any(String),
      data: {
        ...{
          id: null,
          retry_of: null,
          wamid: sent.id,
          direction: 'in',
          type: 'text',
          route: 'reactivated',
          reason: expect.any(String),
        },
        ...{
          sent_at: expect.any(String),
          received_at: expect.any(String),
          wa_id: '15550001111',
          user_id: null,
        },
        ...{ remote_phone_id: org.phones[0], chatroom_id: room.id, contact, customer },
        ...{ content: sent, content_omitted: null },
      },
    })
    expect(events[1]?.data.customer.names).toContainEqual({ kind: 'wa_id', value: '15550001111' })
  })

  it('a held message is logged, and attached after the chatroom was created', async () => {
    const org = await createOrg(db)
    const sent = message({})
    await deliver(db, post(org.phones[0]!, sent))
    const body = { crm_id: 'c-1', phone_number: { rawInput: '+15550001111' }, opt_in_date: 1_790_000_000 }
    const created = await api.call('POST', `/v2/org/${org.id}/contact`, { body })
    expect(created.status).toBe(200)
    const assign = { contact_id: created.body.id, user_id: 'ann' }
    expect((await api.call('POST', `/v2/org/${org.id}/chatroom`, { body: assign })).status).toBeLessThan(300)
    const events = await readNow(org)
    const order = typesOf(events).filter((type) => type !== 'customer.identified')
    expect(order).toEqual([
      'message.held',
      'contact.created',
      'chatroom.created',
      'message.attached',
      'chatroom.assigned',
    ])
    const held = events.find(({ type }) => type === 'message.held')
    expect(held?.data).toMatchObject({ chatroom_id: null, contact: null, route: 'held' })
    const attached = events.find(({ type }) => type === 'message.attached')
    expect(attached?.data).toMatchObject({ wamid: sent.id, contact: { crm_id: 'c-1' } })
    expect(typesOf(events)).toContain('customer.identified')
  })

  it('statuses are logged when they move forward, once', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const wamid = newWamid()
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
         seq, reason, payload) values ($1, $2, $3, $4, $5, 'out', 'text', now(), now(), 1, 'x', '{}')`,
      [org.id, wamid, org.phones[0], room.customerId, room.id],
    )
    const report = (status: string, more = {}) =>
      deliver(
        db,
        bytes(
          delivery([
            change(org.phones[0]!, { statuses: [{ id: wamid, status, timestamp: '1790000000', ...more }] }),
          ]),
        ),
      )
    await report('delivered')
    await report('sent')
    await report('read')
    await report('read')
    const events = (await readNow(org)).filter(({ type }) => type === 'message.status')
    expect(events.map(({ data }) => [data.status, data.wamid, data.chatroom_id])).toEqual([
      ['delivered', wamid, room.id],
      ['read', wamid, room.id],
    ])
  })

  it('the real content of a message whose ghost came first is an event of its own', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const ghost = message({ type: 'unsupported' })
    await deliver(db, post(org.phones[0]!, ghost))
    await deliver(db, post(org.phones[0]!, message({ id: ghost.id, body: 'real' })))
    const events = (await readNow(org)).filter(({ type }) => type.startsWith('message.'))
    expect(typesOf(events)).toEqual(['message.received', 'message.completed'])
    expect(events[1]?.data.content.text.body).toBe('real')
  })

  it('opt-outs, and fields that carry no messages, are logged', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const value = {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: org.phones[0] },
      contacts: [{ wa_id: '15550001111' }],
      user_preferences: [
        { wa_id: '15550001111', category: 'marketing_messages', value: 'stop', timestamp: '1790000000' },
      ],
    }
    const field = 'phone_number_quality_update'
    await deliver(
      db,
      bytes(
        delivery(
          [
            { field: 'user_preferences', value },
            { field, value: { event: 'FLAGGED' } },
          ],
          org.wabaId,
        ),
      ),
    )
    const events = await readNow(org, 'types=customer.opted_out,account.event')
    expect(typesOf(events)).toContain('customer.opted_out')
    const fields = events.filter(({ type }) => type === 'account.event').map(({ data }) => data.field)
    expect(fields).toContain(field)
  })
})
