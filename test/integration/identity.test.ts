import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { COMMON_NAME, commonName } from '../../src/identity/aliases.ts'
import { findCustomer } from '../../src/identity/find-customers.ts'
import { type Person, personOf, personOfPhone } from '../../src/identity/person.ts'
import { resolveCustomers } from '../../src/identity/resolve-customers.ts'
import { PHONES } from '../fixtures/phones.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

const nobody = { waId: undefined, userId: undefined, parentUserId: undefined, profileName: undefined }
const byWaId = (orgId: string, waId: string) => personOf(orgId, { ...nobody, waId })
const resolve = (...people: Person[]) => inTransaction(db, (tx) => resolveCustomers(tx, people))

describe.each(Object.entries(PHONES))('a phone of %s', (_, phones) => {
  it('leads to one customer in all its spellings, whether the CRM or Meta named it first', async () => {
    const org = await createOrg(db)
    for (const { spellings } of phones) {
      const [customer] = await resolve(byWaId(org.id, spellings[0]!))
      for (const spelling of spellings) {
        expect(await findCustomer(db, personOfPhone(org.id, `+${spelling}`))).toBe(customer)
        expect(await findCustomer(db, byWaId(org.id, spelling))).toBe(customer)
      }
    }
    const { rows } = await db.$client.query('select count(*)::int as n from customers where org_id = $1', [
      org.id,
    ])
    expect(rows[0].n).toBe(phones.length)
  })
})

it('the database sees the same common name in each name as Usher does', async () => {
  const values = ['1555', '+1555', '++1555', 'US.1', '+US.1', 'US.+1', ' +1555', '+']
  const { rows } = await db.$client.query(
    `select ${COMMON_NAME} as name from unnest($1::text[]) with ordinality as a(value, place) order by place`,
    [values],
  )
  expect(rows.map(({ name }) => name)).toEqual(values.map((value) => commonName({ kind: 'bsuid', value })))
})

describe('a phone', () => {
  it('leads to the customer that has exactly this spelling, not to one with another spelling', async () => {
    const org = await createOrg(db)
    const [eight] = await resolve(byWaId(org.id, '551187654321'))
    await db.$client.query(`insert into customers (org_id, id) values ($1, gen_random_uuid())`, [org.id])
    const { rows } = await db.$client.query(`select id from customers where org_id = $1 and id <> $2`, [
      org.id,
      eight,
    ])
    await db.$client.query(
      `insert into customer_aliases (org_id, kind, value, customer_id) values ($1, 'phone', '+5511987654321', $2)`,
      [org.id, rows[0].id],
    )
    expect(await findCustomer(db, byWaId(org.id, '551187654321'))).toBe(eight)
    expect(await findCustomer(db, byWaId(org.id, '5511987654321'))).toBe(rows[0].id)
  })

  it('makes a new customer and an audit entry if its other spellings belong to two customers', async () => {
    const org = await createOrg(db)
    for (const value of ['+541151234678', '+54111551234678']) {
      await db.$client.query(
        `with c as (insert into customers (org_id, id) values ($1, gen_random_uuid()) returning id)
         insert into customer_aliases (org_id, kind, value, customer_id) select $1, 'phone', $2, id from c`,
        [org.id, value],
      )
    }
    const m = message({ from: '5491151234678' })
    await deliver(db, post(org.phones[0]!, m))
    const { customer_id } = await readMessage(db, org.id, m.id)
    const { rows } = await db.$client.query('select id from customers where org_id = $1', [org.id])
    expect(rows).toHaveLength(3)
    const events = await eventsOfOrg(db, org.id, 'customer.ambiguous')
    expect(events[0]!.after.fits).toHaveLength(2)
    expect(events[0]!.after.fits).not.toContain(customer_id)
  })

  it('of a new contact finds the customer with held messages whose `wa_id` is another spelling', async () => {
    const org = await createOrg(db)
    const m = message({ from: '5215512345678' })
    await deliver(db, post(org.phones[0]!, m))
    const room = await createRoom(db, org, { customer: '+525512345678' })
    const next = message({ from: '5215512345678' })
    await deliver(db, post(org.phones[0]!, next))
    expect(await readMessage(db, org.id, next.id)).toMatchObject({ chatroom_id: room.id, route: 'active' })
  })
})

describe('a customer who writes without a phone', () => {
  it('reaches the chatroom of the phone after one message named phone and BSUID', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const both = message({ userId: 'US.1' })
    const alone = message({ from: '', userId: 'US.1' })
    await deliver(db, post(org.phones[0]!, both), post(org.phones[0]!, alone))
    for (const m of [both, alone]) {
      expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'active' })
    }
  })

  it('has held messages, and merges into the customer of the phone once a message names both', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const early = message({ from: '', userId: 'US.2' })
    await deliver(db, post(org.phones[0]!, early))
    expect(await readMessage(db, org.id, early.id)).toMatchObject({ route: 'held', chatroom_id: null })
    await deliver(db, post(org.phones[0]!, message({ userId: 'US.2' })))
    expect(await readMessage(db, org.id, early.id)).toMatchObject({
      route: 'held',
      chatroom_id: room.id,
      customer_id: room.customerId,
    })
    expect(await eventsOfOrg(db, org.id, 'customer.identity_conflict')).toMatchObject([{ reason: 'merged' }])
    const later = message({ from: '', userId: 'US.2' })
    await deliver(db, post(org.phones[0]!, later))
    expect((await readMessage(db, org.id, later.id)).chatroom_id).toBe(room.id)
  })

  it('keeps contacts and chatrooms of the BSUID, which leads to the customer of the phone once a message names both', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    await deliver(db, post(org.phones[0]!, message({ from: '', userId: 'US.3' })))
    const room = await createRoom(db, org, { customer: '+15550001111' })
    const both = message({ userId: 'US.3' })
    await deliver(db, post(org.phones[0]!, both))
    expect((await readMessage(db, org.id, both.id)).chatroom_id).toBe(room.id)
    expect(await eventsOfOrg(db, org.id, 'customer.identity_conflict')).toMatchObject([
      { reason: 're-pointed' },
    ])
    const { rows } = await db.$client.query('select 1 from chatrooms where org_id = $1', [org.id])
    expect(rows).toHaveLength(2)
  })

  it('is one customer, also if 200 first messages arrive at the same time', async () => {
    const org = await createOrg(db)
    const batches = Array.from({ length: 20 }, () =>
      Array.from({ length: 10 }, (_, i) =>
        post(org.phones[0]!, message(i % 2 ? { from: '', userId: 'US.9' } : { userId: 'US.9' })),
      ),
    )
    await Promise.all(batches.map((bodies) => deliver(db, ...bodies)))
    const { rows } = await db.$client.query(
      'select count(distinct customer_id)::int as n from messages where org_id = $1',
      [org.id],
    )
    expect(rows[0].n).toBe(1)
  })
})

/** The names that are given up by such a message: test/integration/names-over-time.test.ts. */
describe('a system message about a changed name', () => {
  const system = (extra: object, from?: string) => ({
    ...(from && { from }),
    id: newWamid(),
    timestamp: '1790416832',
    type: 'system',
    system: extra,
  })

  it('adds the new phone and BSUID to the customer (user_changed_number)', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deliver(db, post(org.phones[0]!, message({ userId: 'US.1' })))
    const change = {
      type: 'user_changed_number',
      body: 'Ana changed to 999',
      wa_id: '15559990000',
      user_id: 'US.2',
      previous_user_id: 'US.1',
    }
    const notice = system(change, '15550001111')
    await deliver(db, post(org.phones[0]!, notice))
    expect(await readMessage(db, org.id, notice.id)).toMatchObject({ chatroom_id: room.id, route: 'active' })
    for (const m of [message({ from: '15559990000' }), message({ from: '', userId: 'US.2' })]) {
      await deliver(db, post(org.phones[0]!, m))
      expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(room.id)
    }
  })

  it.each([
    ['the previous BSUID', { previous_user_id: 'US.1' }, undefined],
    ['the old phone', {}, '15550001111'],
  ])(
    'adds the new BSUID to the customer that is found by %s (user_changed_user_id)',
    async (_, previous, from) => {
      const org = await createOrg(db)
      const room = await createRoom(db, org)
      await deliver(db, post(org.phones[0]!, message({ userId: 'US.1' })))
      await deliver(
        db,
        post(org.phones[0]!, system({ type: 'user_changed_user_id', user_id: 'US.2', ...previous }, from)),
      )
      const m = message({ from: '', userId: 'US.2' })
      await deliver(db, post(org.phones[0]!, m))
      expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(room.id)
    },
  )

  it('makes one customer of old phone, new phone and BSUID, also in one batch with a message and in either order', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const org = await createOrg(db)
      const [old, fresh, id] = ['15550001111', '15559990000', 'US.2']
      const before = [message({ from: old }), message({ from: fresh }), message({ from: '', userId: id })]
      for (const m of before) await deliver(db, post(org.phones[0]!, m))
      const both = [
        system({ type: 'user_changed_number', wa_id: fresh }, old),
        message({ from: fresh, userId: id }),
      ]
      await deliver(db, ...order.map((i) => post(org.phones[0]!, both[i])))
      const { rows } = await db.$client.query('select distinct customer_id from messages where org_id = $1', [
        org.id,
      ])
      expect(rows).toHaveLength(1)
    }
  })

  it('merges those who had the new names also when a message under these comes in the batch of the report', async () => {
    const org = await createOrg(db, {}, { phones: 2, wabas: [0, 1] })
    const [first, second] = org.phones as [string, string]
    const room = await createRoom(db, org)
    const [fresh, id] = ['15559990000', 'US.2']
    await deliver(db, post(first, message({ from: '', userId: id })))
    await deliver(db, post(second, message({ from: fresh, userId: 'US.9' })))
    const renamed = { type: 'user_changed_number', wa_id: fresh, user_id: id, previous_user_id: 'US.1' }
    const both = [system(renamed, '15550001111'), message({ from: fresh, userId: id })]
    await deliver(db, ...both.map((m) => post(first, m)))
    const later = message({ from: '', userId: id })
    await deliver(db, post(first, later))
    for (const m of [...both, later]) expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(room.id)
  })

  it('takes the new phone from another person once, if one batch brings the reports of two numbers', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const [old, fresh] = ['15550001111', '15559990000']
    const mine = message({ from: old })
    await deliver(db, post(org.phones[0]!, mine))
    await deliver(db, post(org.phones[0]!, message({ from: fresh, userId: 'US.9' })))
    const renamed = { type: 'user_changed_number', wa_id: fresh, user_id: 'US.2' }
    const seconds = Math.floor(Date.now() / 1000)
    const reports = org.phones.map((phone, i) =>
      post(phone, { ...system(renamed, old), timestamp: String(seconds + i) }),
    )
    await deliver(db, ...reports)
    const later = { ...message({ from: fresh }), timestamp: String(seconds + 60) }
    await deliver(db, post(org.phones[0]!, later))
    const customerOf = async (wamid: string) => (await readMessage(db, org.id, wamid)).customer_id
    expect(await customerOf(later.id)).toBe(await customerOf(mine.id))
  })

  it('reactivates no chatroom, and does not take over a phone that has contacts of its own', async () => {
    const org = await createOrg(db)
    const old = await createRoom(db, org, { deactivatedAt: ago(1) })
    const other = await createRoom(db, org, { customer: '+15559990000' })
    await deliver(
      db,
      post(org.phones[0]!, system({ type: 'user_changed_number', wa_id: '15559990000' }, '15550001111')),
    )
    expect((await readRoom(db, org.id, old.id)).state).toBe('deactivated')
    const m = message({ from: '15559990000' })
    await deliver(db, post(org.phones[0]!, m))
    expect((await readMessage(db, org.id, m.id)).chatroom_id).toBe(other.id)
    expect(await eventsOfOrg(db, org.id, 'customer.identity_conflict')).toMatchObject([
      { reason: 'the phone has contacts of its own and stays' },
    ])
  })
})

describe('a message that the customer did not write to this number', () => {
  const field = (org: { phones: string[] }, name: string, value: object) =>
    bytes(delivery([{ field: name, value: { metadata: { phone_number_id: org.phones[0] }, ...value } }]))

  it('is shown in the chatroom and changes nothing if it is an echo of the Business App', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed' })
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const echo = { from: '1999', to: '15550001111', id: newWamid(), type: 'text', timestamp: '1790416832' }
    await deliver(db, field(org, 'smb_message_echoes', { message_echoes: [echo] }))
    expect(await readMessage(db, org.id, echo.id)).toMatchObject({
      chatroom_id: room.id,
      direction: 'echo',
      route: null,
    })
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'deactivated', last_inbound_at: null })
  })

  it('is shown, reactivates no chatroom and gets no auto-reply if it is imported history', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed' })
    const room = await createRoom(db, org, { expiredAt: ago(1) })
    const old = message({ at: new Date() })
    await deliver(
      db,
      field(org, 'history', { history: [{ threads: [{ id: '15550001111', messages: [old] }] }] }),
    )
    expect(await readMessage(db, org.id, old.id)).toMatchObject({
      chatroom_id: room.id,
      direction: 'in',
      route: null,
    })
    const { rows } = await db.$client.query('select 1 from outbox where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })

  it('is routed once and gets no auto-reply if it came in standby', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed' })
    const room = await createRoom(db, org, { expiredAt: ago(1) })
    const m = message({})
    await deliver(db, field(org, 'standby', { standby: { messages: [m] } }))
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ chatroom_id: room.id, route: 'expired' })
    expect((await deliver(db, post(org.phones[0]!, m))).duplicates).toBe(1)
    const { rows } = await db.$client.query('select 1 from outbox where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })

  it('makes no customer if it is a status of an unknown message that names phone and BSUID', async () => {
    const org = await createOrg(db)
    const statuses = [{ id: 'x', status: 'sent', recipient_id: '1555', recipient_user_id: 'US.1' }]
    const { outcomes } = await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses })])))
    expect(outcomes).toMatchObject([{ end: 'routed' }])
    const { rows } = await db.$client.query('select id from customers where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })
})
