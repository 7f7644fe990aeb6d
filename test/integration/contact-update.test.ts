import { afterEach, describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { contactEndpoints, contactEvents, readContact, refused } from '../support/contacts.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { createLead } from '../support/leads.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

const NOBODY = '019a2003-5b86-70e8-ab4f-e6c6b2b13db7'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const { create, setDisposition, update } = contactEndpoints(api)

// No request of these tests may end in an internal error.
afterEach(() => {
  expect(api.logged).toEqual([])
})

describe('updating a contact', () => {
  it('changes `crm_id` and names, and answers with `ContactRespDto`', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { governance_level_id: 'gold' })
    const { status, body } = await update(org, created.id, {
      crm_id: 'L-2',
      first_name: 'Ada',
      last_name: 'Byron',
    })
    expect(status).toBe(200)
    expect(body).toEqual({ ...created, crm_id: 'L-2', first_name: 'Ada', last_name: 'Byron' })
    expect(await readContact(db, org, created.id)).toMatchObject({
      crm_id: 'L-2',
      first_name: 'Ada',
      last_name: 'Byron',
    })
  })

  it('keeps a name that is not given, and empties a name that is given empty', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { first_name: 'Ada', last_name: 'Byron' })
    const { body: kept } = await update(org, created.id, { crm_id: 'L-2' })
    expect(kept).toMatchObject({ first_name: 'Ada', last_name: 'Byron' })
    const { body: emptied } = await update(org, created.id, { crm_id: 'L-2', last_name: '' })
    expect(emptied).toMatchObject({ first_name: 'Ada', last_name: '' })
  })

  it('renames the chatroom to `crm_id`, first and last name, also if it had another name', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const bystander = await createRoom(db, org)
    const displayName = async (id: string) =>
      (await db.$client.query('select display_name from chatrooms where id = $1', [id])).rows[0].display_name
    await db.$client.query("update chatrooms set display_name = 'a name of its own' where id = $1", [room.id])
    await update(org, room.contactId, { crm_id: 'L-1', first_name: 'Ada', last_name: 'Byron' })
    expect(await displayName(room.id)).toBe('L-1 Ada Byron')
    await update(org, room.contactId, { crm_id: 'L-1', first_name: '' })
    expect(await displayName(room.id)).toBe('L-1 Byron')
    await update(org, room.contactId, { crm_id: 'L-1' })
    expect(await displayName(bystander.id)).toBe(`crm-${bystander.contactId}`)
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

  it('records old and new values in the audit, and nothing if nothing changes', async () => {
    const org = await createOrg(db)
    const { body: created } = await create(org, { crm_id: 'L-1', first_name: 'Ada' })
    await update(org, created.id, { crm_id: 'L-2' })
    await update(org, created.id, { crm_id: 'L-2', first_name: 'Ada' })
    expect((await contactEvents(db, org, created.id)).slice(1)).toEqual([
      {
        kind: 'contact.updated',
        actor: 'user:ann',
        before: { crm_id: 'L-1', first_name: 'Ada', last_name: null },
        after: { crm_id: 'L-2', first_name: 'Ada', last_name: null },
      },
    ])
  })

  it('refuses a `crm_id` that another contact has, with 400 because the API documents no 409 here', async () => {
    const org = await createOrg(db)
    const { body: first } = await create(org, { crm_id: 'L-1' })
    await create(org, { crm_id: 'L-2' })
    expect(
      await refused(db, org, () => update(org, first.id, { crm_id: 'L-2', first_name: 'Ada' })),
    ).toMatchObject({
      status: 400,
      error: 'CRM_ID_IS_TAKEN',
    })
    expect((await update(org, first.id, { crm_id: 'L-1' })).status).toBe(200)
  })

  it('gives a `crm_id` to one of eight contacts that ask for it at the same time', async () => {
    const org = await createOrg(db)
    const created = await Promise.all(Array.from({ length: 8 }, () => create(org)))
    const replies = await Promise.all(created.map(({ body }) => update(org, body.id, { crm_id: 'wanted' })))
    expect(replies.map((r) => r.status).sort()).toEqual([200, ...Array(7).fill(400)])
  })

  it.each<[string, object, Record<string, unknown>]>([
    ['expired', { expiredAt: ago(1) }, {}],
    ['overdue for expiry', { createdAt: ago(31) }, { expiry_days: 30 }],
  ])('is refused if the contact is %s', async (_, columns, settings) => {
    const org = await createOrg(db, settings)
    const id = await createLead(db, org, columns)
    const refusal = { status: 400, error: 'EXPIRED_CONTACT' }
    expect(await refused(db, org, () => update(org, id, { crm_id: 'new' }))).toMatchObject(refusal)
    expect(await refused(db, org, () => setDisposition(org, id, { stage: 'won' }))).toMatchObject(refusal)
  })

  it('is answered 404 for a contact id that is unknown, of another org, or not a UUID', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db)
    const { body: theirs } = await create(other)
    for (const id of [NOBODY, theirs.id, 'x', '%00', `${NOBODY}'`]) {
      const missing = id === '%00' ? { status: 422 } : { status: 404, code: 4040002 }
      expect(await refused(db, org, () => update(org, id, { crm_id: 'x' })), id).toMatchObject(missing)
      expect(await refused(db, org, () => setDisposition(org, id, { stage: 'x' })), id).toMatchObject(missing)
    }
    expect(await readContact(db, other, theirs.id)).toMatchObject({ crm_id: theirs.crm_id, stage: null })
  })

  it.each<[string, unknown, string]>([
    ['no `crm_id`', { first_name: 'Ada' }, 'crm_id'],
    ['an asterisk', { crm_id: 'x', last_name: 'B*' }, 'last_name'],
    ['129 characters', { crm_id: 'x'.repeat(129) }, 'crm_id'],
    ['a field that only a new contact may have', { crm_id: 'x', source: 'BTRIX' }, 'source'],
    ['a name that is null', { crm_id: 'x', first_name: null }, 'first_name'],
    ['a list', [], 'body'],
  ])('is refused with %s', async (_, body, path) => {
    const org = await createOrg(db)
    const { body: created } = await create(org)
    expect(await refused(db, org, () => update(org, created.id, body))).toMatchObject({
      status: 422,
      issues: [{ path }],
    })
  })
})
