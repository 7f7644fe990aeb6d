import { describe, expect, it } from 'vitest'
import { type ApiReply, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createGroup } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db, pool } = await createTestDatabase()
const api = await startTestApi(db)

let people = 0
const line = (chatroom: object | undefined, fields: object = {}) => {
  people += 1
  const phone_number = `+91982${String(people).padStart(7, '0')}`
  const contact = { crm_id: `lead-${people}`, phone_number, opt_in_date: '2026-01-31T09:30:00Z' }
  return { ...contact, ...(chatroom && { chatroom }), ...fields }
}
const send = (org: TestOrg, lines: object[]): Promise<ApiReply> =>
  api.call('POST', `/v1/org/${org.id}/contacts:import`, {
    body: lines.map((one) => JSON.stringify(one)).join('\n'),
  })
const errorsOf = ({ body }: ApiReply) =>
  body.slice(0, -1).map((one: { error?: { error_message: string } }) => one.error?.error_message ?? '')
const roomOf = async (org: TestOrg, id: string) =>
  (await api.call('GET', `/v1/org/${org.id}/chatroom/${id}`)).body
const auditOf = async (org: TestOrg, chatroom: string) =>
  (
    await pool.query(
      'select kind, actor, reason, before, after from events where org_id = $1 and chatroom_id = $2 order by id',
      [org.id, chatroom],
    )
  ).rows

describe('a line that wants a chatroom', () => {
  it('gets one as by POST lead/chatroom, with its user and the same audit', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const assign_details = { assign_mode: 'USER', user_id: 'ann' }
    const lead = line({ assign_details }, { first_name: 'Ana' })
    const { body } = await send(org, [lead])
    const { chatroom: _, phone_number, ...contact } = lead as { chatroom?: object; phone_number: string }
    const created = await api.call('POST', `/v2/org/${other.id}/contact`, {
      body: { ...contact, phone_number: { rawInput: phone_number } },
    })
    const alone = await api.call('POST', `/v3/org/${other.id}/lead/chatroom`, {
      body: { lead_id: created.body.id, assign_details },
    })
    const shared = ({
      chatroom_id,
      contact_id,
      remote_waba_id,
      remote_phone_id,
      ...room
    }: Record<string, unknown>) => room
    const [mine, theirs] = [body[0].chatroom_id, alone.body.chatroom_id]
    expect(shared(await roomOf(org, mine))).toEqual(shared(await roomOf(other, theirs)))
    const audit = JSON.stringify(await auditOf(other, theirs)).replaceAll(other.phones[0]!, org.phones[0]!)
    expect(await auditOf(org, mine)).toEqual(JSON.parse(audit))
    const members = 'select user_id, visible_from from chatroom_members where org_id = $1'
    expect((await pool.query(members, [org.id])).rows).toEqual([{ user_id: 'ann', visible_from: null }])
  })

  it('needs nobody to have it, and may be handed over when the customer writes', async () => {
    const org = await createOrg(db)
    const handover = { assign_mode: 'USER', user_id: 'bob', assign_on_handover: true }
    const { body } = await send(org, [line({}), line({ assign_details: handover })])
    expect((await roomOf(org, body[0].chatroom_id)).users).toEqual([])
    const pending = await roomOf(org, body[1].chatroom_id)
    expect([pending.users, pending.user_id]).toEqual([[], 'bob'])
    expect((await auditOf(org, body[1].chatroom_id)).map((one) => one.kind)).toEqual([
      'chatroom.created',
      'chatroom.handover_set',
    ])
  })

  it('is shared out in a group by load, each counting the lines before it', async () => {
    const org = await createOrg(db, {}, { users: ['ann', 'bob', 'cid'] })
    await createGroup(db, org, 'team', ['ann', 'bob', 'cid'])
    await api.call('PUT', `/v1/org/${org.id}/settings`, { body: { delegate: { group_id: 'team' } } })
    await send(org, [line({ assign_details: { assign_mode: 'USER', user_id: 'ann' } })])
    const group = { assign_details: { assign_mode: 'GROUP', group_id: 'team' } }
    const lines = [
      ...Array.from({ length: 6 }, () => line(group)),
      line({ assign_details: { assign_mode: 'DELEGATE' } }),
    ]
    const { body } = await send(org, [...lines, line(group)])
    const users = await Promise.all(
      body
        .slice(0, -1)
        .map(async (one: { chatroom_id: string }) => (await roomOf(org, one.chatroom_id)).users[0]),
    )
    const counts = ['ann', 'bob', 'cid'].map((user) => users.filter((one) => one === user).length)
    expect(counts).toEqual([2, 3, 3])
    expect(new Set(users.slice(0, 2))).toEqual(new Set(['bob', 'cid']))
  })

  it('is rejected as a whole, without its contact, when it wants what the org does not have', async () => {
    const org = await createOrg(db)
    const user = (fields: object) => ({ assign_details: { assign_mode: 'USER', ...fields } })
    const reply = await send(org, [
      line(user({ user_id: 'nobody' })),
      line(user({ user_email: 'nobody@x.test' })),
      line({ assign_details: { assign_mode: 'GROUP', group_id: 'none' } }),
      line({ assign_details: { assign_mode: 'DELEGATE' } }),
      line({ remote_phone_id: 'none' }),
      line({ remote_waba_id: 'none' }),
      line({ assign_details: { assign_mode: 'USER' } }),
      line({}),
    ])
    expect(errorsOf(reply)).toEqual([
      'USER_NOT_FOUND',
      'USER_NOT_FOUND',
      'GROUP_NOT_FOUND',
      'DELEGATE_NOT_FOUND',
      'WABA_PHONE_NOT_FOUND',
      'WABA_NOT_FOUND',
      'INVALID_INPUT',
      '',
    ])
    for (const table of ['contacts', 'customers'])
      expect((await pool.query(`select from ${table} where org_id = $1`, [org.id])).rowCount).toBe(1)
  })

  it('takes a number that no earlier line has taken for the customer, else it is rejected', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const phone_number = '+919829999999'
    const anywhere = { fail_if_chatroom_exists_on_other_waba_phone: false }
    const reply = await send(org, [
      line({}, { phone_number }),
      line({}, { phone_number }),
      line(anywhere, { phone_number }),
      line(anywhere, { phone_number }),
    ])
    expect(errorsOf(reply)).toEqual(['', 'ACTIVE_CHATROOM_EXISTS', '', 'ACTIVE_CHATROOM_EXISTS'])
    const numbers = await Promise.all(
      [0, 2].map(async (i) => (await roomOf(org, reply.body[i].chatroom_id)).remote_phone_id),
    )
    expect(new Set(numbers).size).toBe(2)
  })

  it('finds the chatroom when it is sent again, and gives one to a contact that had none', async () => {
    const org = await createOrg(db)
    const [one, two] = [line({}), line(undefined)]
    const first = await send(org, [one, two])
    const again = await send(org, [one, { ...two, chatroom: {} }, { ...two, chatroom: {} }])
    expect(again.body[0]).toMatchObject({ status: 'exists', chatroom_id: first.body[0].chatroom_id })
    expect(again.body[1]).toMatchObject({ status: 'exists', chatroom_id: expect.any(String) })
    expect(again.body[2].chatroom_id).toBe(again.body[1].chatroom_id)
    expect((await pool.query('select from chatrooms where org_id = $1', [org.id])).rowCount).toBe(2)
  })

  it('counts overdue changes as done: an inactive rival is no rival, and an expired contact gets no chatroom', async () => {
    const org = await createOrg(db, { inactivity_days: 7, expiry_days: 100 })
    const rival = await createRoom(db, org, {
      customer: '+919821111111',
      createdAt: ago(20),
      contactCreatedAt: ago(20),
      activatedAt: ago(20),
      lastInboundAt: ago(8),
    })
    const [expired] = [line(undefined)]
    await send(org, [expired])
    await pool.query('update contacts set created_at = $2 where org_id = $1 and crm_id = $3', [
      org.id,
      ago(101),
      expired.crm_id,
    ])
    const reply = await send(org, [line({}, { phone_number: '+919821111111' }), { ...expired, chatroom: {} }])
    expect(errorsOf(reply)).toEqual(['', 'CONTACT_IS_EXPIRED'])
    const { rows } = await pool.query('select state from chatrooms where org_id = $1 and id = $2', [
      org.id,
      rival.id,
    ])
    expect(rows).toEqual([{ state: 'deactivated' }])
  })

  it('gets the messages that were held for its customer', async () => {
    const org = await createOrg(db)
    const lead = line(undefined)
    await send(org, [lead])
    const { rows } = await pool.query('select customer_id from contacts where org_id = $1', [org.id])
    await pool.query(
      `insert into messages (org_id, wamid, waba_phone_id, customer_id, direction, type, sent_at, received_at, seq,
         route, reason, payload) values ($1, 'held', $2, $3, 'in', 'text', now(), now(), 1, 'held', 'x', '{}')`,
      [org.id, org.phones[0], rows[0].customer_id],
    )
    const { body } = await send(org, [{ ...lead, chatroom: {} }])
    const { body: page } = await api.call('GET', `/v1/org/${org.id}/chatroom/${body[0].chatroom_id}/messages`)
    expect(page.messages).toHaveLength(1)
    const [created] = await auditOf(org, body[0].chatroom_id)
    expect(created.after).toMatchObject({ held_messages: 1 })
  })
})
