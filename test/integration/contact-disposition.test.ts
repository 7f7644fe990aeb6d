import { afterEach, describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints, contactEvents, readContact, refused } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create, setDisposition } = contactEndpoints(api)

// No request of these tests may end in an internal error.
afterEach(() => {
  expect(api.logged).toEqual([])
})

describe('the disposition of a contact', () => {
  it('is stored, and the answer is a string', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    const additionalFields = { visit: { at: '2024-03-01', rooms: [1, 2] } }
    const { status, body } = await setDisposition(org, created.id, {
      stage: 'S1',
      disposition: 'warm',
      additionalFields,
    })
    expect([status, typeof body]).toEqual([200, 'string'])
    expect(await readContact(db, org, created.id)).toMatchObject({
      stage: 'S1',
      disposition: 'warm',
      additional_fields: additionalFields,
    })
  })

  it('keeps fields that are not given, and replaces the additional fields as a whole', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    await setDisposition(org, created.id, {
      stage: 'S1',
      disposition: 'warm',
      additionalFields: { a: { b: 1 } },
    })
    await setDisposition(org, created.id, { stage: 'S2' })
    expect(await readContact(db, org, created.id)).toMatchObject({
      stage: 'S2',
      disposition: 'warm',
      additional_fields: { a: { b: 1 } },
    })
    await setDisposition(org, created.id, { stage: 'S2', additionalFields: { c: {} } })
    expect((await readContact(db, org, created.id)).additional_fields).toEqual({ c: {} })
  })

  it('is recorded in the audit with the user who changed it and the impersonator', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    await setDisposition(
      org,
      created.id,
      { stage: 'S1' },
      { as: { org: org.id, user: 'ann', act: 'support' } },
    )
    expect((await contactEvents(db, org, created.id)).at(-1)).toEqual({
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
      'an additional field that is not an object',
      { stage: 'S1', additionalFields: { a: 'b' } },
      'additionalFields.a',
    ],
    ['an unknown field', { stage: 'S1', additional_fields: {} }, 'additional_fields'],
  ])('is refused with %s', async (_, body, path) => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    expect(await refused(db, org, () => setDisposition(org, created.id, body))).toMatchObject({
      status: 422,
      issues: [{ path }],
    })
  })
})
