import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { type ApiReply, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver } from '../support/inbox.ts'
import { createLead, fingerprint } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago, DAY } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const NOBODY = '019a2003-5b86-70e8-ab4f-e6c6b2b13db7'
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

let db: Database['db']
let api: TestApi
let counter = 0

beforeAll(async () => {
  db = (await createTestDatabase()).db
  api = await startTestApi(db)
})

// Whatever a test sends: nothing of it may be our own failure.
afterEach(() => {
  expect(api.logged).toEqual([])
})

const request = (fields: object = {}) => ({
  crm_id: `crm-${counter++}`,
  phone_number: { countryCode: 1, nationalNumber: 5_550_001_111 },
  opt_in_date: '2024-03-01T10:00:00Z',
  ...fields,
})

const create = (org: TestOrg, fields: object = {}) =>
  api.call('POST', `/v2/org/${org.id}/contact`, { body: request(fields) })
const update = (org: TestOrg, id: string, body: unknown) =>
  api.call('PUT', `/v1/orgs/${org.id}/contact/${id}`, { body })
const dispose = (org: TestOrg, id: string, body: unknown) =>
  api.call('PUT', `/v2/orgs/${org.id}/contact/${id}/disposition`, { body })
const byPhone = (org: TestOrg, phone: string) => api.call('GET', `/v2/org/${org.id}/contact/pn/${phone}`)

async function readContact(org: TestOrg, id: string) {
  const { rows } = await db.$client.query('select * from contacts where org_id = $1 and id = $2', [
    org.id,
    id,
  ])
  return rows[0]
}

async function contactEvents(org: TestOrg, id: string) {
  const { rows } = await db.$client.query(
    'select kind, actor, before, after from events where org_id = $1 and contact_id = $2 and chatroom_id is null order by id',
    [org.id, id],
  )
  return rows
}

/** The refusal of a request, after which everything is as it was. */
async function refused(org: TestOrg, send: () => Promise<ApiReply>) {
  const before = await fingerprint(db, org.id)
  const { status, body } = await send()
  expect(await fingerprint(db, org.id)).toBe(before)
  return { status, error: body.error_message, code: body.error_code, issues: body.payload?.issues }
}

describe('creating a contact', () => {
  it('answers with exactly the fields of ContactRespDto', async () => {
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
    expect(await readContact(org, body.id)).toMatchObject({
      phone: '+15550001111',
      is_inbound: true,
      source: 'CAMPAIGN',
      is_affiliate: false,
    })
  })

  it('leaves out what nobody told', async () => {
    const org = await createOrg(db)
    const { body } = await create(org)
    expect(Object.keys(body).sort()).toEqual(['create_date', 'crm_id', 'id', 'is_expired', 'opt_in_date'])
    expect(await readContact(org, body.id)).toMatchObject({ is_inbound: false, source: null })
  })

  it.each([
    ['country code and national number', { countryCode: 49, nationalNumber: 15123456789 }, '+4915123456789'],
    [
      'an Italian leading zero',
      { countryCode: 39, nationalNumber: 612345678, italianLeadingZero: true },
      '+390612345678',
    ],
    [
      'several leading zeros',
      { countryCode: 39, nationalNumber: 12345678, italianLeadingZero: true, numberOfLeadingZeros: 2 },
      '+390012345678',
    ],
    [
      'a national number that needs no zero',
      { countryCode: 39, nationalNumber: 3123456789, italianLeadingZero: false },
      '+393123456789',
    ],
    ['a raw number with spaces and dashes', { rawInput: '+1 555-000-1111' }, '+15550001111'],
    [
      'parts, although the raw input differs',
      { countryCode: 1, nationalNumber: 5550001111, rawInput: '+4915123456789' },
      '+15550001111',
    ],
    [
      'all fields that libphonenumber has',
      {
        countryCode: 1,
        nationalNumber: 5550001111,
        extension: '7',
        italianLeadingZero: false,
        numberOfLeadingZeros: 1,
        rawInput: '(555) 000-1111',
        countryCodeSource: 'FROM_DEFAULT_COUNTRY',
        preferredDomesticCarrierCode: '',
      },
      '+15550001111',
    ],
  ])('reads the phone number from %s', async (_, phone_number, phone) => {
    const org = await createOrg(db)
    const { status, body } = await create(org, { phone_number })
    expect(status).toBe(200)
    expect((await readContact(org, body.id)).phone).toBe(phone)
  })

  it.each([
    ['nothing', {}],
    ['a country code alone', { countryCode: 1 }],
    ['a national number alone', { nationalNumber: 5550001111 }],
    ['a raw number without its country', { rawInput: '555 000 1111' }],
    ['a raw text', { rawInput: 'call me' }],
    ['a raw number inside a text', { rawInput: 'call +15550001111 now' }],
    ['too few digits', { countryCode: 1, nationalNumber: 555 }],
    ['too many digits', { countryCode: 1, nationalNumber: 555000111122 }],
    ['a country that is none', { countryCode: 999, nationalNumber: 5550001111 }],
    ['a negative country', { countryCode: -1, nationalNumber: 5550001111 }],
    ['a negative number', { countryCode: 1, nationalNumber: -5550001111 }],
    [
      'zeros without end',
      { countryCode: 39, nationalNumber: 1, italianLeadingZero: true, numberOfLeadingZeros: 2_000_000_000 },
    ],
    [
      'less than no zeros',
      { countryCode: 39, nationalNumber: 612345678, italianLeadingZero: true, numberOfLeadingZeros: -1 },
    ],
    ['a very long text', { rawInput: `+1${'5'.repeat(100_000)}` }],
  ])('refuses a phone number of %s', async (_, phone_number) => {
    const org = await createOrg(db)
    expect(await refused(org, () => create(org, { phone_number }))).toMatchObject({
      status: 422,
      error: 'INVALID_PHONE_NUMBER',
      code: 4220002,
    })
  })

  it.each([
    ['2024-03-01T10:00:00Z', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01T10:00:00.123+05:30', '2024-03-01T04:30:00.123Z'],
    [1709287200, '2024-03-01T10:00:00.000Z'],
    ['1709287200', '2024-03-01T10:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
  ])('reads the opt-in date %j', async (opt_in_date, expected) => {
    const org = await createOrg(db)
    const { body } = await create(org, { opt_in_date })
    expect(body.opt_in_date).toBe(expected)
  })

  it.each([
    ...['', 'yesterday', '2024-03-01', '2024-03-01T10:00:00', '2024-02-30T10:00:00Z', '2024-13-01T10:00:00Z'],
    ...[
      '-1',
      '1709287200000',
      '1e9',
      '0x10',
      ' 1709287200',
      '9999-12-31T23:59:59-05:00',
      '0001-01-01T00:00:00Z',
    ],
    ...[-1, 1709287200000, 1.5, 1e300, true, null, {}, [1709287200]],
  ])('refuses the opt-in date %j', async (opt_in_date) => {
    const org = await createOrg(db)
    const reply = await refused(org, () => create(org, { opt_in_date }))
    expect(reply).toMatchObject({ status: 422, error: 'INVALID_INPUT', issues: [{ path: 'opt_in_date' }] })
  })

  it.each<[string, string, unknown]>([
    ['an asterisk in the first name', 'first_name', 'A*da'],
    ['an asterisk in the last name', 'last_name', '*'],
    ['an asterisk behind a line break', 'first_name', 'Ada\n*'],
    ['a first name of 129 characters', 'first_name', 'a'.repeat(129)],
    ['a last name of 129 characters', 'last_name', 'a'.repeat(129)],
    ['a crm_id of 129 characters', 'crm_id', 'a'.repeat(129)],
    ['a governance level of 129 characters', 'governance_level_id', 'a'.repeat(129)],
    ['a crm_id that is a number', 'crm_id', 7],
    ['a crm_id that is null', 'crm_id', null],
    ['no crm_id', 'crm_id', undefined],
    ['no phone number', 'phone_number', undefined],
    ['a phone number that is a text', 'phone_number', '+15550001111'],
    ['no opt-in date', 'opt_in_date', undefined],
    ['an is_inbound that is a text', 'is_inbound', 'true'],
    ['a source that is unknown', 'source', 'btrix'],
    ['an unknown field', 'crmId', 'x'],
    ['a phone among the unknown fields', 'phone', '+15550001111'],
    ['an org in the body', 'org_id', 'other'],
    ['U+0000 in a name', 'first_name', 'A\0'],
  ])('refuses %s, naming the field', async (_, field, value) => {
    const org = await createOrg(db)
    const reply = await refused(org, () => create(org, { [field]: value }))
    expect(reply).toMatchObject({ status: 422, code: 4220001, issues: [{ path: field }] })
  })

  it.each([
    [{ countryCode: '1', nationalNumber: 5550001111 }, 'phone_number.countryCode'],
    [{ countryCode: 1, nationalNumber: 5550001111.5 }, 'phone_number.nationalNumber'],
    [{ countryCode: 1, nationalNumber: 1e300 }, 'phone_number.nationalNumber'],
    [{ rawInput: 15550001111 }, 'phone_number.rawInput'],
    [{ rawInput: '+15550001111', country: 'US' }, 'phone_number.country'],
    [{ rawInput: '+15550001111', countryCodeSource: 'GUESS' }, 'phone_number.countryCodeSource'],
  ])('refuses the phone number %j by the name of its field', async (phone_number, path) => {
    const org = await createOrg(db)
    const reply = await refused(org, () => create(org, { phone_number }))
    expect(reply).toMatchObject({ status: 422, code: 4220001, issues: [{ path }] })
  })

  it('takes names of 128 characters, of any script', async () => {
    const org = await createOrg(db)
    const names = { crm_id: 'x'.repeat(128), first_name: 'é'.repeat(128), last_name: "O'Brien 🦊 עברית" }
    expect((await create(org, names)).body).toMatchObject(names)
  })

  it('makes several contacts for one phone number, which are one customer', async () => {
    const org = await createOrg(db)
    const ids = [await create(org), await create(org, { phone_number: { rawInput: '+1 (555) 000-1111' } })]
    const customers = await Promise.all(
      ids.map(async ({ body }) => (await readContact(org, body.id)).customer_id),
    )
    expect(customers[0]).toBe(customers[1])
  })

  it('finds the customer who has only written so far', async () => {
    const org = await createOrg(db)
    await deliver(db, post(org.phones[0]!, message({ from: '15550001111' })))
    const { body } = await create(org)
    const { rows } = await db.$client.query('select customer_id from messages where org_id = $1', [org.id])
    expect((await readContact(org, body.id)).customer_id).toBe(rows[0].customer_id)
  })

  it('refuses a crm_id that the org has, with the code of the spec', async () => {
    const org = await createOrg(db)
    await create(org, { crm_id: 'L-1' })
    const other = { crm_id: 'L-1', phone_number: { rawInput: '+15550002222' } }
    expect(await refused(org, () => create(org, other))).toMatchObject({
      status: 409,
      error: 'UQ_CONSTRAINT_FAILED',
      code: 4090001,
    })
    expect((await create(await createOrg(db), other)).status).toBe(200)
  })

  it('refuses the phone number of an affiliate, however it is written, to its own org only', async () => {
    const org = await createOrg(db)
    await createLead(db, org, { isAffiliate: true })
    for (const phone_number of [
      { rawInput: '+1 555 000 1111' },
      { countryCode: 1, nationalNumber: 5550001111 },
    ]) {
      expect(await refused(org, () => create(org, { phone_number }))).toMatchObject({
        status: 409,
        error: 'AFFILIATE_PHONE',
        code: 4090003,
      })
    }
    expect((await create(org, { phone_number: { rawInput: '+15550002222' } })).status).toBe(200)
    expect((await create(await createOrg(db))).status).toBe(200)
  })

  it('makes a new contact for the phone number of an expired one', async () => {
    const org = await createOrg(db)
    await createRoom(db, org, { expiredAt: ago(1) })
    expect((await create(org)).status).toBe(200)
  })

  it('makes one contact of many parallel requests with one crm_id', async () => {
    const org = await createOrg(db)
    const replies = await Promise.all(Array.from({ length: 20 }, () => create(org, { crm_id: 'L-1' })))
    const statuses = replies.map((r) => r.status).sort()
    expect(statuses).toEqual([200, ...Array(19).fill(409)])
  })

  it('makes one customer of many parallel requests with one new phone number', async () => {
    const org = await createOrg(db)
    const replies = await Promise.all(Array.from({ length: 20 }, () => create(org)))
    expect(replies.every((r) => r.status === 200)).toBe(true)
    const { rows } = await db.$client.query('select 1 from customers where org_id = $1', [org.id])
    expect(rows).toHaveLength(1)
  })

  it('notes who created it, without the phone number', async () => {
    const org = await createOrg(db)
    const { body } = await api.call('POST', `/v2/org/${org.id}/contact`, {
      as: { org: `${org.id},elsewhere`, partner: 'p1' },
      body: request({ crm_id: 'L-1', first_name: 'Ada' }),
    })
    const events = await contactEvents(org, body.id)
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

describe('updating a contact', () => {
  it('changes crm_id and names, and answers with ContactRespDto', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { governance_level_id: 'gold' })
    const { status, body } = await update(org, created.id, {
      crm_id: 'L-2',
      first_name: 'Ada',
      last_name: 'Byron',
    })
    expect(status).toBe(200)
    expect(body).toEqual({ ...created, crm_id: 'L-2', first_name: 'Ada', last_name: 'Byron' })
    expect(await readContact(org, created.id)).toMatchObject({
      crm_id: 'L-2',
      first_name: 'Ada',
      last_name: 'Byron',
    })
  })

  it('keeps a name that is not given, and empties one that is given empty', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { first_name: 'Ada', last_name: 'Byron' })
    const { body: kept } = await update(org, created.id, { crm_id: 'L-2' })
    expect(kept).toMatchObject({ first_name: 'Ada', last_name: 'Byron' })
    const { body: emptied } = await update(org, created.id, { crm_id: 'L-2', last_name: '' })
    expect(emptied).toMatchObject({ first_name: 'Ada', last_name: '' })
  })

  it('renames the chatroom to crm_id, first and last name, whatever it was called', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const bystander = await createRoom(db, org)
    const called = async (id: string) =>
      (await db.$client.query('select display_name from chatrooms where id = $1', [id])).rows[0].display_name
    await db.$client.query("update chatrooms set display_name = 'a name of its own' where id = $1", [room.id])
    await update(org, room.contactId, { crm_id: 'L-1', first_name: 'Ada', last_name: 'Byron' })
    expect(await called(room.id)).toBe('L-1 Ada Byron')
    await update(org, room.contactId, { crm_id: 'L-1', first_name: '' })
    expect(await called(room.id)).toBe('L-1 Byron')
    await update(org, room.contactId, { crm_id: 'L-1' })
    expect(await called(bystander.id)).toBe(`crm-${bystander.contactId}`)
    expect(await eventsOf(db, room.id)).toMatchObject([
      {
        kind: 'chatroom.renamed',
        actor: 'user:ann',
        before: { display_name: 'a name of its own' },
        after: { display_name: 'L-1 Ada Byron' },
      },
      { kind: 'chatroom.renamed', after: { display_name: 'L-1 Byron' } },
    ])
  })

  it('notes what it was and what it is, and nothing when nothing changes', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { crm_id: 'L-1', first_name: 'Ada' })
    await update(org, created.id, { crm_id: 'L-2' })
    await update(org, created.id, { crm_id: 'L-2', first_name: 'Ada' })
    expect((await contactEvents(org, created.id)).slice(1)).toEqual([
      {
        kind: 'contact.updated',
        actor: 'user:ann',
        before: { crm_id: 'L-1', first_name: 'Ada', last_name: null },
        after: { crm_id: 'L-2', first_name: 'Ada', last_name: null },
      },
    ])
  })

  it('refuses a crm_id that another contact has: 400, since the spec knows no 409 here', async () => {
    const org = await createOrg(db)
    const { body: first } = await create(org, { crm_id: 'L-1' })
    await create(org, { crm_id: 'L-2' })
    expect(
      await refused(org, () => update(org, first.id, { crm_id: 'L-2', first_name: 'Ada' })),
    ).toMatchObject({
      status: 400,
      error: 'CRM_ID_IS_TAKEN',
    })
    expect((await update(org, first.id, { crm_id: 'L-1' })).status).toBe(200)
  })

  it('gives a crm_id to one of many that want it', async () => {
    const org = await createOrg(db)
    const created = await Promise.all(Array.from({ length: 8 }, () => create(org)))
    const replies = await Promise.all(created.map(({ body }) => update(org, body.id, { crm_id: 'wanted' })))
    expect(replies.map((r) => r.status).sort()).toEqual([200, ...Array(7).fill(400)])
  })

  it.each<[string, object, Record<string, unknown>]>([
    ['expired', { expiredAt: ago(1) }, {}],
    ['overdue to expire, though no sweep has come by yet', { createdAt: ago(31) }, { expiry_days: 30 }],
  ])('refuses a contact that is %s', async (_, columns, settings) => {
    const org = await createOrg(db, settings)
    const id = await createLead(db, org, columns)
    const refusal = { status: 400, error: 'EXPIRED_CONTACT' }
    expect(await refused(org, () => update(org, id, { crm_id: 'new' }))).toMatchObject(refusal)
    expect(await refused(org, () => dispose(org, id, { stage: 'won' }))).toMatchObject(refusal)
  })

  it('answers 404 for a contact that is unknown, of another org, or named by no UUID', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db)
    const { body: theirs } = await create(other)
    for (const id of [NOBODY, theirs.id, 'x', '%00', `${NOBODY}'`]) {
      const missing = id === '%00' ? { status: 422 } : { status: 404, code: 4040002 }
      expect(await refused(org, () => update(org, id, { crm_id: 'x' })), id).toMatchObject(missing)
      expect(await refused(org, () => dispose(org, id, { stage: 'x' })), id).toMatchObject(missing)
    }
    expect(await readContact(other, theirs.id)).toMatchObject({ crm_id: theirs.crm_id, stage: null })
  })

  it.each<[string, unknown, string]>([
    ['no crm_id', { first_name: 'Ada' }, 'crm_id'],
    ['an asterisk', { crm_id: 'x', last_name: 'B*' }, 'last_name'],
    ['129 characters', { crm_id: 'x'.repeat(129) }, 'crm_id'],
    ['a field that only create knows', { crm_id: 'x', source: 'BTRIX' }, 'source'],
    ['a name that is null', { crm_id: 'x', first_name: null }, 'first_name'],
    ['a list', [], 'body'],
  ])('refuses %s', async (_, body, path) => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    expect(await refused(org, () => update(org, created.id, body))).toMatchObject({
      status: 422,
      issues: [{ path }],
    })
  })
})

describe('the disposition of a contact', () => {
  it('is stored and answered with a string', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    const additionalFields = { visit: { at: '2024-03-01', rooms: [1, 2] } }
    const { status, body } = await dispose(org, created.id, {
      stage: 'S1',
      disposition: 'warm',
      additionalFields,
    })
    expect([status, typeof body]).toEqual([200, 'string'])
    expect(await readContact(org, created.id)).toMatchObject({
      stage: 'S1',
      disposition: 'warm',
      additional_fields: additionalFields,
    })
  })

  it('keeps what is not given, and replaces the additional fields as a whole', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    await dispose(org, created.id, { stage: 'S1', disposition: 'warm', additionalFields: { a: { b: 1 } } })
    await dispose(org, created.id, { stage: 'S2' })
    expect(await readContact(org, created.id)).toMatchObject({
      stage: 'S2',
      disposition: 'warm',
      additional_fields: { a: { b: 1 } },
    })
    await dispose(org, created.id, { stage: 'S2', additionalFields: { c: {} } })
    expect((await readContact(org, created.id)).additional_fields).toEqual({ c: {} })
  })

  it('notes who changed it, also when that user is impersonated', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    await api.call('PUT', `/v2/orgs/${org.id}/contact/${created.id}/disposition`, {
      as: { org: org.id, user: 'ann', act: 'support' },
      body: { stage: 'S1' },
    })
    expect((await contactEvents(org, created.id)).at(-1)).toEqual({
      kind: 'contact.disposition_updated',
      actor: 'user:support as ann',
      before: { stage: null, disposition: null, additional_fields: null },
      after: { stage: 'S1', disposition: null, additional_fields: null },
    })
  })

  it.each<[string, unknown, string]>([
    ['no stage', { disposition: 'warm' }, 'stage'],
    ['a stage that is a number', { stage: 1 }, 'stage'],
    ['additional fields that are a list', { stage: 'S1', additionalFields: [] }, 'additionalFields'],
    [
      'an additional field that is no object',
      { stage: 'S1', additionalFields: { a: 'b' } },
      'additionalFields.a',
    ],
    ['an unknown field', { stage: 'S1', additional_fields: {} }, 'additional_fields'],
  ])('refuses %s', async (_, body, path) => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    expect(await refused(org, () => dispose(org, created.id, body))).toMatchObject({
      status: 422,
      issues: [{ path }],
    })
  })
})

describe('contacts by phone number', () => {
  it('are all contacts of the number, the oldest first, the expired ones too, as GetContactRespDto', async () => {
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

  it('tell when they are going to expire, and are expired from that moment on', async () => {
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

  it('are an empty list when nobody has the number', async () => {
    const org = await createOrg(db)
    expect(await byPhone(org, '+15550001111')).toMatchObject({ status: 200, body: [] })
  })

  it('are found by the number that a customer wrote from', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    await deliver(db, post(org.phones[0]!, message({ from: '15550001111' })))
    expect((await byPhone(org, '+15550001111')).body).toMatchObject([{ crm_id: 'wa:15550001111' }])
  })

  it('take the plus as it is or encoded', async () => {
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
  ])('refuse %s, which is no E.164', async (phone) => {
    const org = await createOrg(db)
    expect(await refused(org, () => byPhone(org, phone))).toMatchObject({ status: 422, code: 4220002 })
  })

  it.each(['%00', `+${'1'.repeat(128)}`])('refuse %s before it is looked at as a number', async (phone) => {
    const org = await createOrg(db)
    expect(await refused(org, () => byPhone(org, phone))).toMatchObject({ status: 422, code: 4220001 })
  })
})
