import { afterEach, describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints, ISO, refused } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createLead } from '../support/leads.ts'
import { createOrg } from '../support/org.ts'
import { ago, DAY } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { byPhone } = contactEndpoints(api)

// No request of these tests may end in an internal error.
afterEach(() => {
  expect(api.logged).toEqual([])
})

describe('the contacts of a phone number', () => {
  it('are listed oldest first, expired contacts included, as `GetContactRespDto`', async () => {
    const org = await createOrg(db)
    const expired = await createLead(db, org, { crmId: 'L-1', createdAt: ago(3), expiredAt: ago(1) })
    const living = await createLead(db, org, {
      crmId: 'L-2',
      firstName: 'Ada',
      lastName: 'Byron',
      optInDate: ago(2),
      governanceLevelId: 'gold',
    })
    await createLead(db, org, { customer: '+15550002222' })
    await createLead(db, await createOrg(db), {})
    const { status, body } = await byPhone(org, '+15550001111')
    expect(status).toBe(200)
    expect(body).toEqual([
      {
        id: expired,
        crm_id: 'L-1',
        create_date: expect.stringMatching(ISO),
        is_expired: true,
        expiry_ts: expect.stringMatching(ISO),
      },
      {
        id: living,
        crm_id: 'L-2',
        create_date: expect.stringMatching(ISO),
        opt_in_date: expect.stringMatching(ISO),
        first_name: 'Ada',
        last_name: 'Byron',
        is_expired: false,
      },
    ])
  })

  it('show when they expire, and count as expired from that moment on', async () => {
    const org = await createOrg(db, { expiry_days: 30 })
    const [old, young] = [ago(31), ago(1)]
    await createLead(db, org, { createdAt: old })
    await createLead(db, org, { createdAt: young })
    const { body } = await byPhone(org, '+15550001111')
    const expiry = (created: Date) => new Date(created.getTime() + 30 * DAY).toISOString()
    expect(body).toMatchObject([
      { is_expired: true, expiry_ts: expiry(old) },
      { is_expired: false, expiry_ts: expiry(young) },
    ])
  })

  it('are an empty list if no contact has the number', async () => {
    const org = await createOrg(db)
    expect(await byPhone(org, '+15550001111')).toMatchObject({ status: 200, body: [] })
  })

  it('include a contact that routing created from a message', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    await deliver(db, post(org.phones[0]!, message({ from: '15550001111' })))
    expect((await byPhone(org, '+15550001111')).body).toMatchObject([{ crm_id: 'wa:15550001111' }])
  })

  it('are found with the plus sign literal or encoded', async () => {
    const org = await createOrg(db)
    const id = await createLead(db, org)
    expect((await byPhone(org, '%2B15550001111')).body).toMatchObject([{ id }])
  })

  it.each([
    ...[
      '15550001111',
      '0015550001111',
      '%201555000111',
      '+1%20555%20000%201111',
      '+1-555-000-1111',
      '+1555000111a',
    ],
    ...['+', '+0', '+999123456789', '+1555', `+1${'5'.repeat(100)}`, 'null', '%FF', '+15550001111;ext=5'],
  ])('are refused for %s, which is not an E.164 number', async (phone) => {
    const org = await createOrg(db)
    expect(await refused(db, org, () => byPhone(org, phone))).toMatchObject({ status: 422, code: 4220002 })
  })

  it.each(['%00', `+${'1'.repeat(128)}`])('are refused as invalid input for %s', async (phone) => {
    const org = await createOrg(db)
    expect(await refused(db, org, () => byPhone(org, phone))).toMatchObject({ status: 422, code: 4220001 })
  })
})
