import { describe, expect, it } from 'vitest'
import { releaseChatrooms } from '../../src/chatrooms/release-chatrooms.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { removeUsers } from '../../src/orgs/remove-users.ts'
import { type Claims, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf, eventsOfOrg } from '../support/events.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { addMember, createGroup, createLead, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { refusalMessageOf, unchanged } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const user = (id: string) => ({ id, email: `${id}@x.test`, name: id })
const remove = (org: TestOrg, id = 'ann') => provisionOrg(db, { id: org.id, users: [{ id, removed: true }] })

async function roomOf(org: TestOrg, userId: string | null, more: Parameters<typeof createRoom>[2] = {}) {
  const room = await createRoom(db, org, more)
  if (userId) await addMember(db, org, room.id, userId)
  return room
}

const kindsOf = async (roomId: string) => (await eventsOf(db, roomId)).map(({ kind }) => kind)

describe('a user who is removed', () => {
  it('loses chatrooms in every state, and an event says so', async () => {
    const org = await createOrg(db)
    const rooms = [
      await roomOf(org, 'ann', { customer: '+15550000001' }),
      await roomOf(org, 'ann', { customer: '+15550000002', deactivatedAt: ago(1) }),
      await roomOf(org, 'ann', { customer: '+15550000003', expiredAt: ago(1) }),
    ]
    const other = await roomOf(org, 'bob', { customer: '+15550000004' })
    expect(await remove(org)).toMatchObject({ released: 3 })
    for (const room of rooms) {
      expect(await usersOf(db, room.id)).toEqual([])
      expect(await eventsOf(db, room.id)).toMatchObject([
        { kind: 'chatroom.unassigned', actor: 'removal', reason: 'the user ann was removed' },
      ])
    }
    expect(await usersOf(db, other.id)).toEqual(['bob'])
    expect(await eventsOfOrg(db, org.id, 'user.%')).toMatchObject([
      { kind: 'user.removed', actor: 'provision', after: { user_id: 'ann' } },
    ])
  })

  it('does not get a chatroom that wakes later', async () => {
    const org = await createOrg(db)
    const room = await roomOf(org, 'ann', { deactivatedAt: ago(1) })
    await remove(org)
    await deliver(db, post(org.phones[0]!, message({})))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active', assigned_user_id: null })
    expect(await usersOf(db, room.id)).toEqual([])
  })

  it('gives chatrooms to the delegate: a user, or the members of a group with the fewest', async () => {
    const one = await createOrg(db, { delegate: { user_id: 'bob' } })
    const room = await roomOf(one, 'ann', { deactivatedAt: ago(1) })
    await remove(one)
    expect(await usersOf(db, room.id)).toEqual(['bob'])
    expect(await kindsOf(room.id)).toEqual(['chatroom.unassigned', 'chatroom.assigned'])
    const org = await createOrg(db, {}, { users: ['ann', 'bob', 'cid'] })
    await createGroup(db, org, 'team', ['ann', 'bob', 'cid'])
    await db.$client.query(`update orgs set delegate_group_id = 'team' where id = $1`, [org.id])
    const rooms = []
    for (let i = 0; i < 4; i += 1) rooms.push(await roomOf(org, 'ann', { customer: `+1555000000${i}` }))
    await remove(org)
    const got = (await Promise.all(rooms.map(({ id }) => usersOf(db, id)))).flat()
    expect(got.toSorted()).toEqual(['bob', 'bob', 'cid', 'cid'])
  })

  it('has pending handovers cancelled, and a user who has the chatroom keeps it', async () => {
    const org = await createOrg(db, { delegate: { user_id: 'cid' } }, { users: ['ann', 'bob', 'cid'] })
    const held = await roomOf(org, 'bob', { pendingUserId: 'ann' })
    const asleep = await roomOf(org, null, {
      customer: '+15550000002',
      pendingUserId: 'ann',
      deactivatedAt: ago(1),
    })
    const handed = await roomOf(org, 'ann', { customer: '+15550000003', pendingUserId: 'bob' })
    await remove(org)
    expect([await usersOf(db, held.id), await kindsOf(held.id)]).toEqual([
      ['bob'],
      ['chatroom.handover_cancelled'],
    ])
    expect(await usersOf(db, asleep.id)).toEqual(['cid'])
    expect(await readRoom(db, org.id, asleep.id)).toMatchObject({ pending_user_id: null })
    expect(await usersOf(db, handed.id)).toEqual([])
    expect(await readRoom(db, org.id, handed.id)).toMatchObject({ pending_user_id: 'bob' })
  })

  it('is no delegate any more, and the chatrooms go to nobody then', async () => {
    const org = await createOrg(db, { delegate: { user_id: 'ann' } })
    const room = await roomOf(org, 'ann')
    await remove(org)
    expect(await usersOf(db, room.id)).toEqual([])
    const as = { org: org.id, user: 'admin' }
    expect((await api.call('GET', `/v1/org/${org.id}/settings`, { as })).body).toMatchObject({
      delegate: null,
    })
    expect(await eventsOfOrg(db, org.id, 'org.%')).toMatchObject([{ reason: 'the delegate was removed' }])
  })

  it('is refused by the API with 403, also as one who impersonates or is impersonated', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const status = async (as: Claims) => (await api.call('GET', `/v1/org/${as.org}/settings`, { as })).status
    const gone: Claims[] = [
      { org: org.id, user: 'ann' },
      { org: org.id, user: 'ann', role: 'MEMBER' },
      { org: org.id, user: 'ann', act: 'bob' },
      { org: org.id, user: 'bob', act: 'ann' },
    ]
    for (const as of gone) expect(await status(as)).toBe(200)
    await remove(org)
    for (const as of gone) expect(await status(as)).toBe(403)
    const others: Claims[] = [
      { org: org.id, user: 'bob' },
      { org: org.id, user: 'nobody-known' },
      { org: org.id, user: 'ann', partner: 'p' },
      { org: other.id, user: 'ann' },
    ]
    for (const as of others) expect(await status(as)).toBe(200)
  })

  it('cannot be assigned by id, by e-mail, by group or as delegate', async () => {
    const org = await createOrg(db)
    await createGroup(db, org, 'team', ['ann'])
    await remove(org)
    const wishes = [
      { assign_mode: 'USER', user_id: 'ann' },
      { assign_mode: 'USER', user_email: `ann@${org.id}.test` },
      { assign_mode: 'GROUP', group_id: 'team' },
      { assign_mode: 'DELEGATE' },
    ]
    for (const assign_details of wishes) {
      const body = { lead_id: await createLead(db, org), assign_details }
      const as = { org: org.id, user: 'admin' }
      expect((await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { as, body })).status).toBe(404)
    }
  })
})

describe('the API', () => {
  const remove = (org: TestOrg, path: string, as?: Claims) =>
    api.call('DELETE', `/v1/org/${org.id}${path}`, { ...(as && { as }) })
  const asMember = (org: TestOrg) => ({ org: org.id, user: 'bob', role: 'MEMBER' })

  it('removes a user, once, and says how many chatrooms were released', async () => {
    const org = await createOrg(db)
    const room = await roomOf(org, 'ann', { deactivatedAt: ago(1) })
    const as = { org: org.id, user: 'admin' }
    expect(await remove(org, '/users/ann', as)).toMatchObject({
      status: 200,
      body: { user_id: 'ann', released_chatrooms: 1 },
    })
    expect(await usersOf(db, room.id)).toEqual([])
    expect(await eventsOfOrg(db, org.id, 'user.%')).toMatchObject([
      { kind: 'user.removed', actor: 'user:admin', after: { user_id: 'ann' } },
    ])
    const again = await unchanged(db, org, () => remove(org, '/users/ann', as))
    expect([again.status, again.body.error_message]).toEqual([404, 'USER_NOT_FOUND'])
    expect((await unchanged(db, org, () => remove(org, '/users/nobody', as))).status).toBe(404)
  })

  it('removes no user of another org, and no user for a MEMBER', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const outside = () => remove(org, '/users/ann', { org: other.id, user: 'admin' })
    expect((await unchanged(db, org, outside)).status).toBe(403)
    expect((await unchanged(db, org, () => remove(org, '/users/ann', asMember(org)))).status).toBe(403)
    await remove(org, '/users/ann', { org: org.id, user: 'admin' })
    const as = { org: other.id, user: 'ann' }
    expect((await api.call('GET', `/v1/org/${other.id}/settings`, { as })).status).toBe(200)
  })

  it('removes a member of a group, once, who keeps the chatrooms and may still use the API', async () => {
    const org = await createOrg(db)
    await createGroup(db, org, 'team', ['ann', 'bob'])
    await createGroup(db, org, 'night', ['ann'])
    const room = await roomOf(org, 'ann')
    const path = '/groups/team/members/ann'
    expect((await unchanged(db, org, () => remove(org, path, asMember(org)))).status).toBe(403)
    expect((await remove(org, path)).status).toBe(204)
    const { rows } = await db.$client.query(
      'select group_id, user_id from group_members where org_id = $1 order by 1, 2',
      [org.id],
    )
    expect(rows).toEqual([
      { group_id: 'night', user_id: 'ann' },
      { group_id: 'team', user_id: 'bob' },
    ])
    expect(await usersOf(db, room.id)).toEqual(['ann'])
    expect(await eventsOfOrg(db, org.id, 'group.%')).toMatchObject([
      { kind: 'group.members_removed', after: { group_id: 'team', user_ids: ['ann'] } },
    ])
    const again = await unchanged(db, org, () => remove(org, path))
    expect([again.status, again.body.error_message]).toEqual([404, 'USER_NOT_FOUND'])
    const as = { org: org.id, user: 'ann' }
    expect((await api.call('GET', `/v1/org/${org.id}/settings`, { as })).status).toBe(200)
  })
})

describe('the file of a removal', () => {
  it('keeps users, members and settings that it leaves out', async () => {
    const org = await createOrg(db, { delegate: { user_id: 'bob' } })
    await createGroup(db, org, 'team', ['ann', 'bob'])
    const groups = [{ id: 'team', name: 'team' }]
    await unchanged(db, org, () => provisionOrg(db, { id: org.id, name: `Org ${org.id.slice(4)}`, groups }))
  })

  it('takes a list of all users, and removes those whom it leaves out', async () => {
    const org = await createOrg(db, {}, { users: ['ann', 'bob', 'cid'] })
    const room = await roomOf(org, 'ann')
    const users = [user('bob'), user('cid')]
    await provisionOrg(db, { id: org.id, users, users_are_complete: true })
    expect(await usersOf(db, room.id)).toEqual([])
    expect(await eventsOfOrg(db, org.id, 'user.removed')).toMatchObject([{ after: { user_id: 'ann' } }])
  })

  it('takes members out of a group, who keep their chatrooms and are not picked any more', async () => {
    const org = await createOrg(db)
    await createGroup(db, org, 'team', ['ann', 'bob'])
    const room = await roomOf(org, 'ann')
    const groups = [{ id: 'team', name: 'team', members: ['bob'] }]
    await provisionOrg(db, { id: org.id, users: [user('bob')], groups })
    expect(await usersOf(db, room.id)).toEqual(['ann'])
    expect(await eventsOfOrg(db, org.id, 'group.%')).toMatchObject([
      { kind: 'group.members_removed', after: { group_id: 'team', user_ids: ['ann'] } },
    ])
  })

  it('brings a user back whom it lists again, and lets another user have the e-mail address of one who left', async () => {
    const org = await createOrg(db)
    await remove(org)
    await provisionOrg(db, { id: org.id, users: [{ ...user('cid'), email: `ann@${org.id}.test` }] })
    await provisionOrg(db, { id: org.id, users: [user('ann')] })
    const { status } = await api.call('GET', `/v1/org/${org.id}/settings`, {
      as: { org: org.id, user: 'ann' },
    })
    expect(status).toBe(200)
    expect((await eventsOfOrg(db, org.id, 'user.%')).map(({ kind }) => kind)).toEqual([
      'user.removed',
      'user.created',
      'user.restored',
    ])
  })

  it('is refused with a removed member or delegate, a user given twice, and an empty list of all users', async () => {
    const org = await createOrg(db)
    const refused = (file: object) =>
      unchanged(db, org, () => refusalMessageOf(() => provisionOrg(db, { id: org.id, ...file })))
    const users = [{ id: 'ann', removed: true }, user('bob')]
    const groups = [{ id: 'team', name: 'team', members: ['ann'] }]
    expect(await refused({ users, groups })).toContain('group team has the unknown or removed member ann')
    const settings = { delegate: { user_id: 'ann' } }
    expect(await refused({ users, settings })).toContain('delegate.user_id is unknown or removed')
    expect(await refused({ users: [user('bob'), user('bob')] })).toContain('the user bob is given twice')
    expect(await refused({ users_are_complete: true })).toContain('users_are_complete needs users')
    expect(await refused({ users: [{ id: 'new' }] })).toContain('the user new is new: email is required')
  })
})

describe('while a user is removed', () => {
  it('an assignment under way waits, and is refused', async () => {
    const org = await createOrg(db)
    const room = await roomOf(org, 'bob')
    let reply: Promise<{ status: number }> | undefined
    await inTransaction(db, async (tx) => {
      await removeUsers(tx, { orgId: org.id, userIds: ['ann'], actor: 'test' })
      const body = { assign_details: { assign_mode: 'USER', user_id: 'ann' } }
      reply = api.call('POST', `/v3/org/${org.id}/lead/chatroom/${room.id}/reassign`, { body })
      await expect.poll(async () => (await waitingQueries(db)).join()).toContain('for key share')
    })
    expect((await reply)?.status).toBe(404)
    await releaseChatrooms(db)
    expect(await usersOf(db, room.id)).toEqual(['bob'])
  })

  it('nobody who was removed has a chatroom afterwards, whatever is assigned beside it', async () => {
    const org = await createOrg(db, {}, { users: ['ann', 'bob', 'cid'] })
    await createGroup(db, org, 'team', ['ann', 'bob', 'cid'])
    const assign = async (i: number) => {
      const lead_id = await createLead(db, org, { customer: `+1555000${1000 + i}` })
      const assign_details = { assign_mode: 'GROUP', group_id: 'team', assign_on_handover: i % 2 === 0 }
      await api.call('POST', `/v3/org/${org.id}/lead/chatroom`, { body: { lead_id, assign_details } })
    }
    await Promise.all([...Array.from({ length: 20 }, (_, i) => assign(i)), remove(org)])
    await releaseChatrooms(db)
    const { rows } = await db.$client.query(
      `select 1 from chatroom_members where org_id = $1 and user_id = 'ann'
       union all select 1 from chatrooms where org_id = $1 and pending_user_id = 'ann'
       union all select 1 from users where org_id = $1 and id = 'ann' and released_at is null`,
      [org.id],
    )
    expect(rows).toEqual([])
  })

  it('the sweep goes on where a removal ended before its chatrooms were released', async () => {
    const org = await createOrg(db)
    const rooms = []
    for (let i = 0; i < 150; i += 1) rooms.push(await roomOf(org, 'ann', { customer: `+1555000${1000 + i}` }))
    await inTransaction(db, (tx) => removeUsers(tx, { orgId: org.id, userIds: ['ann'], actor: 'test' }))
    expect(await usersOf(db, rooms[0]!.id)).toEqual(['ann'])
    expect(await releaseChatrooms(db)).toBe(150)
    expect(await releaseChatrooms(db)).toBe(0)
  })
})
