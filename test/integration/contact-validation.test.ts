import { afterEach, describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints, readContact, refused } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create } = contactEndpoints(api)

// No request of these tests may end in an internal error.
afterEach(() => {
  expect(api.logged).toEqual([])
})

const org = await createOrg(db)

describe('the phone number of a new contact', () => {
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
      'an Italian number without a leading zero',
      { countryCode: 39, nationalNumber: 3123456789, italianLeadingZero: false },
      '+393123456789',
    ],
    ['a raw number with spaces and dashes', { rawInput: '+1 555-000-1111' }, '+15550001111'],
    [
      'the parts if the raw input differs',
      { countryCode: 1, nationalNumber: 5550001111, rawInput: '+4915123456789' },
      '+15550001111',
    ],
    [
      'all fields of libphonenumber',
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
  ])('is read from %s', async (_, phone_number, phone) => {
    const { status, body } = await create(org, { phone_number })
    expect(status).toBe(200)
    expect((await readContact(db, org, body.id)).phone).toBe(phone)
  })

  it.each([
    ['an empty object', {}],
    ['a country code alone', { countryCode: 1 }],
    ['a national number alone', { nationalNumber: 5550001111 }],
    ['a raw number without its country', { rawInput: '555 000 1111' }],
    ['a raw text', { rawInput: 'call me' }],
    ['a raw number inside a text', { rawInput: 'call +15550001111 now' }],
    ['too few digits', { countryCode: 1, nationalNumber: 555 }],
    ['too many digits', { countryCode: 1, nationalNumber: 555000111122 }],
    ['an unknown country code', { countryCode: 999, nationalNumber: 5550001111 }],
    ['a negative country code', { countryCode: -1, nationalNumber: 5550001111 }],
    ['a negative number', { countryCode: 1, nationalNumber: -5550001111 }],
    [
      '2,000,000,000 leading zeros',
      { countryCode: 39, nationalNumber: 1, italianLeadingZero: true, numberOfLeadingZeros: 2_000_000_000 },
    ],
    [
      '-1 leading zeros',
      { countryCode: 39, nationalNumber: 612345678, italianLeadingZero: true, numberOfLeadingZeros: -1 },
    ],
    ['a very long text', { rawInput: `+1${'5'.repeat(100_000)}` }],
  ])('is refused if it is %s', async (_, phone_number) => {
    expect(await refused(db, org, () => create(org, { phone_number }))).toMatchObject({
      status: 422,
      error: 'INVALID_PHONE_NUMBER',
      code: 4220002,
    })
  })

  it.each([
    [{ countryCode: '1', nationalNumber: 5550001111 }, 'phone_number.countryCode'],
    [{ countryCode: 1, nationalNumber: 5550001111.5 }, 'phone_number.nationalNumber'],
    [{ countryCode: 1, nationalNumber: 1e300 }, 'phone_number.nationalNumber'],
    [{ rawInput: 15550001111 }, 'phone_number.rawInput'],
    [{ rawInput: '+15550001111', country: 'US' }, 'phone_number.country'],
    [{ rawInput: '+15550001111', countryCodeSource: 'GUESS' }, 'phone_number.countryCodeSource'],
  ])('%j is refused, and the error names the field %s', async (phone_number, path) => {
    const reply = await refused(db, org, () => create(org, { phone_number }))
    expect(reply).toMatchObject({ status: 422, code: 4220001, issues: [{ path }] })
  })
})

describe('the opt-in date of a new contact', () => {
  it.each([
    ['2024-03-01T10:00:00Z', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01T10:00:00.123+05:30', '2024-03-01T04:30:00.123Z'],
    [1709287200, '2024-03-01T10:00:00.000Z'],
    ['1709287200', '2024-03-01T10:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
  ])('%j is read as %s', async (opt_in_date, expected) => {
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
  ])('%j is refused', async (opt_in_date) => {
    const reply = await refused(db, org, () => create(org, { opt_in_date }))
    expect(reply).toMatchObject({ status: 422, error: 'INVALID_INPUT', issues: [{ path: 'opt_in_date' }] })
  })
})

describe('the fields of a new contact', () => {
  it.each<[string, string, unknown]>([
    ['an asterisk in the first name', 'first_name', 'A*da'],
    ['an asterisk in the last name', 'last_name', '*'],
    ['an asterisk behind a line break', 'first_name', 'Ada\n*'],
    ['a first name of 129 characters', 'first_name', 'a'.repeat(129)],
    ['a last name of 129 characters', 'last_name', 'a'.repeat(129)],
    ['a `crm_id` of 129 characters', 'crm_id', 'a'.repeat(129)],
    ['a governance level of 129 characters', 'governance_level_id', 'a'.repeat(129)],
    ['a `crm_id` that is a number', 'crm_id', 7],
    ['a `crm_id` that is null', 'crm_id', null],
    ['no `crm_id`', 'crm_id', undefined],
    ['no phone number', 'phone_number', undefined],
    ['a phone number that is a text', 'phone_number', '+15550001111'],
    ['no opt-in date', 'opt_in_date', undefined],
    ['an `is_inbound` that is a text', 'is_inbound', 'true'],
    ['an unknown `source`', 'source', 'btrix'],
    ['an unknown field', 'crmId', 'x'],
    ['the unknown field `phone`', 'phone', '+15550001111'],
    ['the unknown field `org_id`', 'org_id', 'other'],
    ['U+0000 in a name', 'first_name', 'A\0'],
  ])('are refused with %s, and the error names the field', async (_, field, value) => {
    const reply = await refused(db, org, () => create(org, { [field]: value }))
    expect(reply).toMatchObject({ status: 422, code: 4220001, issues: [{ path: field }] })
  })

  it('may have 128 characters of any script', async () => {
    const names = { crm_id: 'x'.repeat(128), first_name: 'é'.repeat(128), last_name: "O'Brien 🦊 עברית" }
    expect((await create(org, names)).body).toMatchObject(names)
  })
})
