import { afterEach, describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints, contactEvents, ISO, readContact, refused } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createLead } from '../support/leads.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create } = contactEndpoints(api)

// No request of these tests may end in an internal error.
afterEach(() => {
  expect(api.logged).toEqual([])
})

describe('creating a contact', () => {
  it('answers with exactly the fields of `ContactRespDto`', async () => {
    const org = await createOrg(db)
    const { status, body } = await create(org, {
      crm_id: 'L-1',
      first_name: 'Ada',
      last_name: 'Byron',
      governance_level_id: 'gold',
      is_inbound: true,
      source: 'CAMPAIGN',
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      crm_id: 'L-1',
      opt_in_date: '2024-03-01T10:00:00.000Z',
      create_date: expect.stringMatching(ISO),
      first_name: 'Ada',
      last_name: 'Byron',
      governance_level: { id: 'gold', name: 'gold' },
      is_expired: false,
    })
    expect(await readContact(db, org, body.id)).toMatchObject({
      phone: '+15550001111',
      is_inbound: true,
      source: 'CAMPAIGN',
      is_affiliate: false,
    })
  })

  it('leaves fields that were not given out of the answer', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    expect(Object.keys(body).sort()).toEqual(['create_date', 'crm_id', 'id', 'is_expired', 'opt_in_date'])
    expect(await readContact(db, org, body.id)).toMatchObject({ is_inbound: false, source: null })
  })

  it('makes one customer of several contacts with the same phone number', async () => {
    const org = await createOrg(db)
    const ids = [await create(org), await create(org, { phone_number: { rawInput: '+1 (555) 000-1111' } })]
    const customers = await Promise.all(
      ids.map(async ({ body }) => (await readContact(db, org, body.id)).customer_id),
    )
    expect(customers[0]).toBe(customers[1])
  })

  it('finds a customer that is known only by a message', async () => {
    const org = await createOrg(db)
    await deliver(db, post(org.phones[0]!, message({ from: '15550001111' })))
    const { body } = await create(org)
    const { rows } = await db.$client.query('select customer_id from messages where org_id = $1', [org.id])
    expect((await readContact(db, org, body.id)).customer_id).toBe(rows[0].customer_id)
  })

  it('refuses a `crm_id` that another contact of the org has, with 409', async () => {
    const org = await createOrg(db)
    await create(org, { crm_id: 'L-1' })
    const other = { crm_id: 'L-1', phone_number: { rawInput: '+15550002222' } }
    expect(await refused(db, org, () => create(org, other))).toMatchObject({
      status: 409,
      error: 'UQ_CONSTRAINT_FAILED',
      code: 4090001,
    })
    expect((await create(await createOrg(db), other)).status).toBe(200)
  })

  it('refuses the phone number of an affiliate of the org, in any notation', async () => {
    const org = await createOrg(db)
    await createLead(db, org, { isAffiliate: true })
    for (const phone_number of [
      { rawInput: '+1 555 000 1111' },
      { countryCode: 1, nationalNumber: 5550001111 },
    ]) {
      expect(await refused(db, org, () => create(org, { phone_number }))).toMatchObject({
        status: 409,
        error: 'AFFILIATE_PHONE',
        code: 4090003,
      })
    }
    expect((await create(org, { phone_number: { rawInput: '+15550002222' } })).status).toBe(200)
    expect((await create(await createOrg(db))).status).toBe(200)
  })

  it('accepts the phone number of an expired contact', async () => {
    const org = await createOrg(db)
    await createRoom(db, org, { expiredAt: ago(1) })
    expect((await create(org)).status).toBe(200)
  })

  it('makes one contact of 20 parallel requests with one `crm_id`', async () => {
    const org = await createOrg(db)
    const replies = await Promise.all(Array.from({ length: 20 }, () => create(org, { crm_id: 'L-1' })))
    const statuses = replies.map((r) => r.status).sort()
    expect(statuses).toEqual([200, ...Array(19).fill(409)])
  })

  it('makes one customer of 20 parallel requests with one new phone number', async () => {
    const org = await createOrg(db)
    const replies = await Promise.all(Array.from({ length: 20 }, () => create(org)))
    expect(replies.every((r) => r.status === 200)).toBe(true)
    const { rows } = await db.$client.query('select 1 from customers where org_id = $1', [org.id])
    expect(rows).toHaveLength(1)
  })

  it('records in the audit who created the contact, without the phone number', async () => {
    const org = await createOrg(db)
    const { body } = await create(
      org,
      { crm_id: 'L-1', first_name: 'Ada' },
      { as: { org: `${org.id},elsewhere`, partner: 'p1' } },
    )
    const events = await contactEvents(db, org, body.id)
    expect(events).toEqual([
      {
        kind: 'contact.created',
        actor: 'partner:p1',
        before: null,
        after: { crm_id: 'L-1', first_name: 'Ada', opt_in_date: '2024-03-01T10:00:00.000Z' },
      },
    ])
  })
})
