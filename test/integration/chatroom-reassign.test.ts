import { describe, expect, it } from 'vitest'
import type { Wish } from '../../src/chatrooms/pick-assignee.ts'
import { reassignChatroom } from '../../src/chatrooms/reassign-chatroom.ts'
import { startTestApi } from '../support/api.ts'
import { assignmentsIn, FOUR, toGroup, toUser } from '../support/assignments.ts'
import { UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { createLead, fingerprint, readOrg, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post as posted } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const { create, refused } = assignmentsIn(db)

async function reassign(org: TestOrg, chatroomId: string, assign: Wish, onHandover = false) {
  const now = new Date()
  await reassignChatroom(db, {
    org: await readOrg(db, org),
    chatroomId,
    assign,
    onHandover,
    actor: 'user:admin',
    now,
  })
  return now
}

const membersOf = async (chatroomId: string) =>
  (
    await db.$client.query(
      'select user_id, visible_from from chatroom_members where chatroom_id = $1 order by user_id',
      [chatroomId],
    )
  ).rows

describe('reassigning a chatroom', () => {
  it('removes all its users and assigns the new one', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const id = await create(org, await createLead(db, org), toUser('ann'))
    await db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'bob')`,
      [org.id, id],
    )
    await reassign(org, id, toUser('cid'))
    expect(await membersOf(id)).toEqual([{ user_id: 'cid', visible_from: null }])
    expect((await eventsOf(db, id)).at(-1)).toMatchObject({
      kind: 'chatroom.assigned',
      actor: 'user:admin',
      before: { user_ids: ['ann', 'bob'], pending_user_id: null },
      after: { user_ids: ['cid'], pending_user_id: null },
    })
  })

  it('hides earlier messages from a new user if the history of the chatroom is hidden, to the second', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const id = await create(org, await createLead(db, org), toUser('ann'))
    const now = await reassign(org, id, toUser('bob'))
    const second = new Date(Math.floor(now.getTime() / 1000) * 1000)
    expect(await membersOf(id)).toEqual([{ user_id: 'bob', visible_from: second }])
  })

  it('keeps what a user could see who had the chatroom already', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const id = await create(org, await createLead(db, org), toUser('ann'))
    await reassign(org, id, toUser('ann'))
    expect(await membersOf(id)).toEqual([{ user_id: 'ann', visible_from: null }])
  })

  it('keeps its users until the customer writes, if it happens on handover', async () => {
    const org = await createOrg(db)
    const id = await create(org, await createLead(db, org), toUser('ann'))
    await reassign(org, id, toUser('bob'), true)
    expect(await usersOf(db, id)).toEqual(['ann'])
    expect((await eventsOf(db, id)).at(-1)).toMatchObject({
      kind: 'chatroom.handover_set',
      after: { user_ids: ['ann'], pending_user_id: 'bob' },
    })
    await deliver(db, posted(org.phones[0]!, message({})))
    expect(await usersOf(db, id)).toEqual(['bob'])
  })

  it('cancels a pending handover', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const id = await create(org, await createLead(db, org), toUser('ann'), true)
    await reassign(org, id, toUser('cid'))
    expect((await readRoom(db, org.id, id)).pending_user_id).toBe(null)
    await deliver(db, posted(org.phones[0]!, message({})))
    expect(await usersOf(db, id)).toEqual(['cid'])
  })

  it('keeps a deactivated chatroom deactivated, and an expired one expired', async () => {
    const org = await createOrg(db)
    for (const state of [{ deactivatedAt: ago(1) }, { expiredAt: ago(1) }]) {
      const room = await createRoom(db, org, state)
      await reassign(org, room.id, toUser('bob'))
      expect(await usersOf(db, room.id)).toEqual(['bob'])
      expect((await readRoom(db, org.id, room.id)).state).not.toBe('active')
    }
  })

  it('is refused for a chatroom, user, group or delegate that the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const [room, foreign] = [await createRoom(db, org), await createRoom(db, other)]
    const refusal = (id: string, wish: Wish) => refused(org, () => reassign(org, id, wish))
    expect(await refusal(UNKNOWN_ID, toUser('ann'))).toEqual([404, 'CHATROOM_NOT_FOUND'])
    expect(await refusal(foreign.id, toUser('ann'))).toEqual([404, 'CHATROOM_NOT_FOUND'])
    expect(await refusal(room.id, toUser('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(room.id, toGroup('nobody'))).toEqual([404, 'GROUP_NOT_FOUND'])
    expect(await refusal(room.id, { mode: 'DELEGATE' })).toEqual([404, 'DELEGATE_NOT_FOUND'])
  })
})

describe('POST …/reassign, V3 and V2', () => {
  const post = (org: TestOrg, version: 'v2' | 'v3', id: string, body: object, as?: object) => {
    const part = version === 'v3' ? 'lead' : 'waba'
    return api.call('POST', `/${version}/org/${org.id}/${part}/chatroom/${id}/reassign`, { body, ...as })
  }
  const v3 = (assign_details: object) => ({ assign_details })

  it('answers with the chatroom and its new user', async () => {
    const org = await createOrg(db, { delegate: { user_id: 'bob' } })
    for (const [version, body, user] of [
      ['v3', v3({ assign_mode: 'DELEGATE', assign_on_handover: true }), 'bob'],
      ['v3', v3({ assign_mode: 'USER', user_email: `ann@${org.id}.test` }), 'ann'],
      ['v2', { user_id: 'bob' }, 'bob'],
    ] as const) {
      const room = await createRoom(db, org, { deactivatedAt: ago(1) })
      const { status, body: answer } = await post(org, version, room.id, body)
      expect([status, answer]).toEqual([
        200,
        {
          chatroom_id: room.id,
          is_existing: true,
          is_deactivated: true,
          is_expired: false,
          deactivation_ts: expect.any(String),
          user_id: user,
        },
      ])
    }
  })

  it('answers each refusal with its error code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other)
    const rooms = await Promise.all(
      Array.from({ length: 8 }, () => createRoom(db, org, { deactivatedAt: ago(1) })),
    )
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    const user = { assign_mode: 'USER', user_id: 'ann' }
    for (const [version, id, body, code] of [
      ['v3', foreign.id, v3(user), 4040003],
      ['v2', UNKNOWN_ID, { user_id: 'ann' }, 4040003],
      ['v3', rooms[0]!.id, v3({ assign_mode: 'USER', user_id: 'nobody' }), 4040006],
      ['v3', rooms[1]!.id, v3({ assign_mode: 'GROUP', group_id: 'nobody' }), 4040007],
      ['v3', rooms[2]!.id, v3({ assign_mode: 'DELEGATE' }), 4040008],
      ['v2', rooms[3]!.id, { user_id: 'nobody' }, 4040006],
      ['v3', rooms[4]!.id, v3({ assign_mode: 'GROUP' }), 4220001],
      ['v3', rooms[4]!.id, { user_id: 'ann' }, 4220001],
      ['v2', rooms[4]!.id, {}, 4220001],
    ] as const) {
      const reply = await post(org, version, id, body)
      expect([reply.status, reply.body.error_code]).toEqual([Math.floor(code / 10_000), code])
    }
    const impersonated = { as: { org: org.id, act: 'support' } }
    expect((await post(org, 'v3', rooms[5]!.id, v3(user), impersonated)).status).toBe(403)
    expect((await post(org, 'v2', rooms[5]!.id, { user_id: 'ann' }, { as: { org: other.id } })).status).toBe(
      403,
    )
    expect([await fingerprint(db, org.id), await fingerprint(db, other.id)]).toEqual(before)
  })

  it('accepts one request in 10 s for a chatroom, both versions counted together', async () => {
    const org = await createOrg(db)
    const [room, another] = [await createRoom(db, org), await createRoom(db, org, { deactivatedAt: ago(1) })]
    expect((await post(org, 'v2', room.id, { user_id: 'ann' })).status).toBe(200)
    const refusal = await post(org, 'v3', room.id, v3({ assign_mode: 'USER', user_id: 'bob' }))
    expect([refusal.status, refusal.body.error_code]).toEqual([429, 4290001])
    expect(await usersOf(db, room.id)).toEqual(['ann'])
    expect((await post(org, 'v2', another.id, { user_id: 'ann' })).status).toBe(200)
  })

  it('answers 404 to ids that are no UUIDs, however many come: they share no limit', async () => {
    const org = await createOrg(db)
    for (const id of ['abc', 'abc', 'def', '00000000-0000-0000-0000-000000000000']) {
      expect((await post(org, 'v2', id, { user_id: 'ann' })).status).toBe(404)
    }
  })
})
