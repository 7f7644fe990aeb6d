import { describe, expect, it } from 'vitest'
import { ADMIN, startAdmin } from '../support/admin.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, store } from '../support/inbox.ts'
import { addMember, createGroup, createLead, readOrg, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { unchanged } from '../support/refusal.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const admin = await startAdmin(db)

const at = (org: TestOrg, path = '') => `/orgs/${org.id}${path}`
const put = (org: TestOrg, path: string, body: unknown) => admin('PUT', at(org, path), { body })
const get = async (org: TestOrg, path = '') => (await admin('GET', at(org, path))).body
const remove = (org: TestOrg, path: string) => admin('DELETE', at(org, path))
const codeOf = ({ status, body }: { status: number; body: { error_message: string } }) => [
  status,
  body.error_message,
]
/** The answer, which must be a refusal that changes nothing. */
const refused = async (org: TestOrg, call: () => ReturnType<typeof admin>) =>
  codeOf(await unchanged(db, org, call))

describe('an org', () => {
  it('is created and changed by PUT, which keeps what it leaves out, as the file does', async () => {
    const id = `made-${process.pid}`
    const org = { id } as TestOrg
    expect(codeOf(await put(org, '', {}))).toEqual([404, 'NOT_FOUND'])
    const created = await put(org, '', {
      name: 'Made',
      settings: { inactivity_days: 5 },
      wabas: [{ id: `w-${id}`, name: 'W', phones: [{ id: `n-${id}`, display_phone_number: '+1 555' }] }],
      users: [{ id: 'ann', email: 'ann@x.test', name: 'Ann' }],
      groups: [{ id: 'team', name: 'Team', members: ['ann'] }],
    })
    expect([created.status, created.body]).toMatchObject([
      200,
      { id, name: 'Made', settings: { inactivity_days: 5, expiry_days: null }, wabas: [{ id: `w-${id}` }] },
    ])
    const changed = await put(org, '', { settings: { delegate: { group_id: 'team' } } })
    expect(changed.body).toEqual({
      ...created.body,
      settings: { ...created.body.settings, delegate: { group_id: 'team' } },
    })
    expect(await get(org)).toEqual(changed.body)
    await unchanged(db, org, () => put(org, '', { name: 'Made', settings: { inactivity_days: 5 } }))
    const events = await eventsOfOrg(db, id)
    expect(events.map(({ kind }) => kind)).toEqual([
      ...['org.created', 'waba.created', 'number.created', 'user.created', 'group.created'],
      ...['group.members_added', 'org.settings_changed', 'org.settings_changed'],
    ])
    for (const { actor, reason } of events)
      expect([actor, reason]).toEqual([expect.stringMatching(ADMIN), 'asked for'])
  })

  it('is refused with input that the file would be refused with', async () => {
    const org = await createOrg(db)
    const user = { id: 'u', email: 'u@x.test', name: 'U' }
    for (const body of [
      ...['{', [], { colour: 1 }, { name: '' }, { settings: { inactivity_days: 0 } }, { settings: { x: 1 } }],
      ...[
        { wabas: [{ id: 'a/b', name: 'x' }] },
        { users: [user, user] },
        { users: [{ id: 'u', email: 'u@x.test' }] },
      ],
      ...[{ users: [{ ...user, email: 'no address' }] }, { users_are_complete: true }, { name: 'a\0b' }],
      ...[
        { wabas: [{ id: 'w', name: 'w', phones: [{ id: 'n', display_phone_number: '1', replaces: 'n' }] }] },
      ],
      ...[{ affiliates: [{ crm_id: 'a', phone: '12', remote_phone_id: org.phones[0] }] }],
    ])
      expect(await refused(org, () => put(org, '', body))).toEqual([422, 'INVALID_INPUT'])
    for (const delegate of [{ user_id: 'nobody' }, { group_id: 'nobody' }])
      expect((await refused(org, () => put(org, '', { settings: { delegate } })))[0]).toBe(404)
  })

  it('takes PUTs of one thing at once: one creates, all answer the same', async () => {
    const org = await createOrg(db)
    const bodies = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => ({ name, email: `${name}@x.test` }))
    const replies = await Promise.all(bodies.map((body) => put(org, '/users/new', body)))
    expect(replies.map(({ status }) => status)).toEqual(bodies.map(() => 200))
    const kinds = (await eventsOfOrg(db, org.id, 'user.%')).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'user.created')).toHaveLength(1)
    expect(kinds).toHaveLength(6)
    expect(bodies.map(({ name }) => name)).toContain((await get(org, '/users/new')).name)
    const sames = await Promise.all(
      bodies.map(() => put(org, '/groups/new', { name: 'N', members: ['ann', 'bob'] })),
    )
    for (const { body } of sames) expect(body).toEqual({ id: 'new', name: 'N', members: ['ann', 'bob'] })
    expect(await eventsOfOrg(db, org.id, 'group.%')).toHaveLength(2)
  })
})

describe('a WABA', () => {
  it('is created, changed field by field, and its token is never shown', async () => {
    const org = await createOrg(db)
    const id = `${org.id}-w`
    const token = 'canary-access-token'
    const created = await put(org, `/wabas/${id}`, { name: 'W', access_token: token })
    const shown = { id, name: 'W', matrix_host_name: null, has_access_token: true, phones: [] }
    expect([created.status, created.body]).toEqual([200, shown])
    const changed = await put(org, `/wabas/${id}`, { matrix_host_name: 'm.test' })
    expect(changed.body).toEqual({ ...shown, matrix_host_name: 'm.test' })
    await unchanged(db, org, () => put(org, `/wabas/${id}`, { access_token: token }))
    const stored = await db.$client.query('select access_token from wabas where org_id = $1 and id = $2', [
      org.id,
      id,
    ])
    expect(stored.rows[0].access_token).toBeInstanceOf(Buffer)
    const events = await eventsOfOrg(db, org.id, 'waba.%')
    expect(events.map(({ kind, after }) => [kind, after.new_access_token])).toEqual([
      ['waba.created', true],
      ['waba.updated', false],
    ])
    const everything = [
      await get(org),
      await get(org, '/wabas'),
      await get(org, `/wabas/${id}`),
      changed,
      events,
    ]
    expect(JSON.stringify(everything)).not.toContain(token)
  })

  it('is refused with a token that no header can carry, without a name, and if it is of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const path = `/wabas/${org.id}-x`
    for (const access_token of ['a b', 'a\nb', 'ü', '', 7, 'a\r\nX: y'])
      expect(await refused(org, () => put(org, path, { name: 'X', access_token }))).toEqual([
        422,
        'INVALID_INPUT',
      ])
    expect(await refused(org, () => put(org, path, {}))).toEqual([422, 'INVALID_INPUT'])
    const foreign = () => put(org, `/wabas/${other.wabaId}`, { name: 'X' })
    expect(await unchanged(db, other, () => refused(org, foreign))).toEqual([409, 'BELONGS_TO_OTHER_ORG'])
    const keyless = await startAdmin(db, {
      installation: { secretsKey: undefined, allowPrivateWebhooks: false },
    })
    const body = { name: 'X', access_token: 'token' }
    expect(await refused(org, () => keyless('PUT', at(org, path), { body }))).toEqual([
      503,
      'SECRETS_KEY_MISSING',
    ])
  })

  it('that gets a token lets its stopped numbers send again', async () => {
    const org = await createOrg(db)
    await db.$client.query(
      `update waba_phones set stopped_at = now(), stopped_reason = 'r' where org_id = $1`,
      [org.id],
    )
    expect((await get(org, `/numbers/${org.phones[0]}`)).stopped_reason).toBe('r')
    await put(org, `/wabas/${org.wabaId}`, { access_token: 'token' })
    expect((await get(org, `/numbers/${org.phones[0]}`)).stopped_reason).toBeNull()
  })

  it('is removed only without numbers; its webhooks are parked then', async () => {
    const org = await createOrg(db)
    expect(await refused(org, () => remove(org, `/wabas/${org.wabaId}`))).toEqual([409, 'IS_IN_USE'])
    await remove(org, `/numbers/${org.phones[0]}`)
    expect((await remove(org, `/wabas/${org.wabaId}`)).status).toBe(204)
    expect(await get(org, '/wabas')).toEqual({ wabas: [] })
    expect(await refused(org, () => remove(org, `/wabas/${org.wabaId}`))).toEqual([404, 'WABA_NOT_FOUND'])
    const later = await createOrg(db)
    expect((await put(later, `/wabas/${org.wabaId}`, { name: 'Theirs now' })).status).toBe(200)
  })
})

describe('a number', () => {
  it('is created as the last one, changed field by field, and moves with `replaces`', async () => {
    const org = await createOrg(db)
    const id = `${org.id}-2`
    const body = { waba_id: org.wabaId, display_phone_number: '+1 555 2' }
    const shown = { id, ...body, former_ids: [], stopped_reason: null }
    expect((await put(org, `/numbers/${id}`, body)).body).toEqual(shown)
    expect((await put(org, `/numbers/${id}`, { display_phone_number: '+1 555 3' })).body).toMatchObject({
      waba_id: org.wabaId,
      display_phone_number: '+1 555 3',
    })
    expect((await get(org, '/numbers')).numbers.map((one: { id: string }) => one.id)).toEqual([
      org.phones[0],
      id,
    ])
    const moved = await put(org, `/numbers/${id}-new`, { replaces: id })
    expect(moved.body).toMatchObject({ id: `${id}-new`, waba_id: org.wabaId, former_ids: [id] })
    expect(await get(org, `/numbers/${id}`)).toEqual(moved.body)
    await unchanged(db, org, () => put(org, `/numbers/${id}-new`, { replaces: id }))
    expect((await eventsOfOrg(db, org.id, 'number.%')).map(({ kind }) => kind)).toEqual([
      ...['number.created', 'number.updated', 'number.moved'],
    ])
  })

  it('is refused without its fields, in an unknown WABA, of another org, and where it cannot replace another one', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const [path, body] = [`/numbers/${org.id}-x`, { waba_id: org.wabaId, display_phone_number: '+1' }]
    for (const wrong of [{}, { waba_id: org.wabaId }, { display_phone_number: '+1' }, { ...body, colour: 1 }])
      expect(await refused(org, () => put(org, path, wrong))).toEqual([422, 'INVALID_INPUT'])
    for (const waba_id of ['unknown', other.wabaId])
      expect(await refused(org, () => put(org, path, { ...body, waba_id }))).toEqual([404, 'WABA_NOT_FOUND'])
    const foreign = () => put(org, `/numbers/${other.phones[0]}`, body)
    expect(await unchanged(db, other, () => refused(org, foreign))).toEqual([409, 'BELONGS_TO_OTHER_ORG'])
    for (const replaces of ['unknown', other.phones[0]])
      expect(await refused(org, () => put(org, path, { ...body, replaces }))).toEqual([
        409,
        'NUMBER_CANNOT_REPLACE',
      ])
    expect(await refused(org, () => put(org, path, { ...body, replaces: `${org.id}-x` }))).toEqual([
      ...[422, 'INVALID_INPUT'],
    ])
  })

  it('is removed only if no chatroom, contact or message belongs to it', async () => {
    const org = await createOrg(db, {}, { phones: 4 })
    const [withRoom, withHeld, withContact, free] = org.phones as [string, string, string, string]
    await createRoom(db, org, { phone: withRoom })
    await deliver(db, post(withHeld, message({ from: '15550009999' })))
    const lead = await createLead(db, org, { customer: '+15550008888' })
    await db.$client.query(
      'insert into contact_wabas (org_id, contact_id, waba_phone_id) values ($1, $2, $3)',
      [...[org.id, lead, withContact]],
    )
    for (const id of [withRoom, withHeld, withContact])
      expect(await refused(org, () => remove(org, `/numbers/${id}`))).toEqual([409, 'IS_IN_USE'])
    expect((await remove(org, `/numbers/${free}`)).status).toBe(204)
    expect(await refused(org, () => remove(org, `/numbers/${free}`))).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    const [id] = await store(db, post(free, message({})))
    await deliver(db, post(free, message({})))
    const { rows } = await db.$client.query(`select state, parked_for from inbox where id >= $1`, [id])
    expect(rows.at(-1)).toEqual({ state: 'parked', parked_for: `phone:${free}` })
    expect(await eventsOfOrg(db, org.id, 'number.deleted')).toMatchObject([
      { before: { remote_phone_id: free } },
    ])
  })
})

describe('a user', () => {
  it('is created, changed field by field, removed with all chatrooms, and brought back', async () => {
    const org = await createOrg(db, {}, { users: ['ann'] })
    const shown = { id: 'cid', email: 'cid@x.test', name: 'Cid' }
    expect((await put(org, '/users/cid', { email: shown.email, name: 'Cid' })).body).toEqual(shown)
    expect((await put(org, '/users/cid', { name: 'Cid B' })).body).toEqual({ ...shown, name: 'Cid B' })
    const room = await createRoom(db, org)
    await addMember(db, org, room.id, 'cid')
    expect((await remove(org, '/users/cid')).status).toBe(204)
    expect(await usersOf(db, room.id)).toEqual([])
    expect(await refused(org, () => remove(org, '/users/cid'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(codeOf(await admin('GET', at(org, '/users/cid')))).toEqual([404, 'USER_NOT_FOUND'])
    expect((await put(org, '/users/cid', {})).body).toEqual({ ...shown, name: 'Cid B' })
    const kinds = (await eventsOfOrg(db, org.id, 'user.%')).map(({ kind }) => kind)
    expect(kinds).toEqual(['user.created', 'user.updated', 'user.removed', 'user.restored'])
  })

  it('is refused without an address or a name, and with the address of another user', async () => {
    const org = await createOrg(db)
    for (const body of [
      {},
      { name: 'X' },
      { email: 'x@x.test' },
      { email: 'x', name: 'X' },
      { removed: true },
    ])
      expect(await refused(org, () => put(org, '/users/x', body))).toEqual([422, 'INVALID_INPUT'])
    const body = { email: `ANN@${org.id}.test`, name: 'X' }
    expect(await refused(org, () => put(org, '/users/x', body))).toEqual([409, 'UQ_CONSTRAINT_FAILED'])
    expect(await refused(org, () => put(org, '/users/a%2Fb', body))).toEqual([422, 'INVALID_INPUT'])
  })

  it('is listed in pages', async () => {
    const org = await createOrg(db, {}, { users: ['ann', 'bob', 'cid'] })
    const first = await get(org, '/users?limit=2')
    expect(first).toMatchObject({ users: [{ id: 'ann' }, { id: 'bob' }], next_after: 'bob' })
    expect(await get(org, '/users?limit=2&after=bob')).toMatchObject({
      users: [{ id: 'cid' }],
      next_after: null,
    })
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'colour=red'])
      expect(await refused(org, () => admin('GET', at(org, `/users?${query}`)))).toEqual([
        422,
        'INVALID_INPUT',
      ])
  })
})

describe('a group', () => {
  it('is created, changed field by field and removed; a delegate that is removed is none any more', async () => {
    const org = await createOrg(db)
    expect((await put(org, '/groups/team', { name: 'Team', members: ['ann'] })).body).toEqual({
      ...{ id: 'team', name: 'Team', members: ['ann'] },
    })
    expect((await put(org, '/groups/team', { name: 'T' })).body).toEqual({
      id: 'team',
      name: 'T',
      members: ['ann'],
    })
    expect((await put(org, '/groups/team', { members: ['bob'] })).body.members).toEqual(['bob'])
    await put(org, '', { settings: { delegate: { group_id: 'team' } } })
    expect((await remove(org, '/groups/team')).status).toBe(204)
    expect(await get(org, '/groups')).toEqual({ groups: [], next_after: null })
    expect((await readOrg(db, org)).delegateGroupId).toBeNull()
    expect((await eventsOfOrg(db, org.id, 'group.%', 'org.%')).map(({ kind }) => kind)).toEqual([
      ...['group.created', 'group.members_added', 'group.renamed', 'group.members_removed'],
      ...['group.members_added', 'org.settings_changed', 'group.deleted', 'org.settings_changed'],
    ])
  })

  it('is refused without a name, and with members who are no users of the org', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db, {}, { users: ['eve'] })
    expect(await refused(org, () => put(org, '/groups/g', { members: ['ann'] }))).toEqual([
      422,
      'INVALID_INPUT',
    ])
    await provisionOrg(db, { id: org.id, users: [{ id: 'bob', removed: true }] })
    for (const member of ['nobody', 'bob', 'eve'])
      expect(await refused(org, () => put(org, '/groups/g', { name: 'G', members: [member] }))).toEqual([
        ...[404, 'USER_NOT_FOUND'],
      ])
    await createGroup(db, other, 'theirs', ['eve'])
    expect(await unchanged(db, other, () => refused(org, () => remove(org, '/groups/theirs')))).toEqual([
      ...[404, 'GROUP_NOT_FOUND'],
    ])
  })
})

describe('an affiliate', () => {
  const PHONE = '+919810000000'

  it('is created with a chatroom; removed, the contact and the chatroom stay', async () => {
    const org = await createOrg(db)
    const body = { phone: PHONE, remote_phone_id: org.phones[0] }
    const shown = { crm_id: 'office', ...body }
    expect((await put(org, '/affiliates/office', body)).body).toEqual(shown)
    await unchanged(db, org, () => put(org, '/affiliates/office', body))
    expect(await get(org, '/affiliates')).toEqual({ affiliates: [shown], next_after: null })
    expect((await remove(org, '/affiliates/office')).status).toBe(204)
    expect(await refused(org, () => remove(org, '/affiliates/office'))).toEqual([404, 'CONTACT_NOT_FOUND'])
    const { rows } = await db.$client.query(
      `select c.crm_id, r.state from contacts c join chatrooms r on r.org_id = c.org_id and r.contact_id = c.id
       where c.org_id = $1 and not c.is_affiliate`,
      [org.id],
    )
    expect(rows).toEqual([{ crm_id: 'office', state: 'active' }])
    expect((await put(org, '/affiliates/office', body)).body).toEqual(shown)
    expect((await eventsOfOrg(db, org.id, 'affiliate.%')).map(({ kind }) => kind)).toEqual([
      ...['affiliate.created', 'affiliate.removed', 'affiliate.created'],
    ])
  })

  it('is refused with an unknown number, a phone that has a contact, and a crm_id that another phone has', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db)
    const body = { phone: PHONE, remote_phone_id: org.phones[0] }
    const path = '/affiliates/office'
    for (const remote_phone_id of ['unknown', other.phones[0]])
      expect(await refused(org, () => put(org, path, { ...body, remote_phone_id }))).toEqual([
        ...[404, 'WABA_PHONE_NOT_FOUND'],
      ])
    await createLead(db, org, { customer: PHONE, crmId: 'lead' })
    expect(await refused(org, () => put(org, path, body))).toEqual([409, 'UQ_CONSTRAINT_FAILED'])
    await createLead(db, org, { customer: '+15550007777', crmId: 'office' })
    const elsewhere = { ...body, phone: '+15550006666' }
    expect(await refused(org, () => put(org, path, elsewhere))).toEqual([409, 'UQ_CONSTRAINT_FAILED'])
    for (const wrong of [{}, { phone: PHONE }, { ...body, phone: 'x' }])
      expect(await refused(org, () => put(org, path, wrong))).toEqual([422, 'INVALID_INPUT'])
  })
})

it('nothing of an unknown org is found, or created', async () => {
  const org = { id: 'unknown' } as TestOrg
  for (const kind of ['wabas', 'numbers', 'users', 'groups', 'affiliates']) {
    expect(codeOf(await admin('GET', at(org, `/${kind}`)))).toEqual([404, 'NOT_FOUND'])
    for (const method of ['GET', 'DELETE'])
      expect((await admin(method, at(org, `/${kind}/x`))).status).toBe(404)
  }
  expect(codeOf(await put(org, '/users/x', { email: 'x@x.test', name: 'X' }))).toEqual([404, 'NOT_FOUND'])
})
