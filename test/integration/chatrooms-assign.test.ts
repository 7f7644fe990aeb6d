import { beforeAll, describe, expect, it } from 'vitest'
import { assignContact } from '../../src/chatrooms/assign-contact.ts'
import { createChatroom } from '../../src/chatrooms/create-chatroom.ts'
import type { Wish } from '../../src/chatrooms/pick-assignee.ts'
import { reassignChatroom } from '../../src/chatrooms/reassign-chatroom.ts'
import type { Db } from '../../src/db/client.ts'
import type { ApiError } from '../../src/errors.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { createGroup, createLead, fingerprint, readOrg, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post as posted } from '../support/webhooks.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'
const FOUR = ['ann', 'bob', 'cid', 'dee']

let db: Db
let api: TestApi

beforeAll(async () => {
  const database = await createTestDatabase()
  db = database.db
  api = await startTestApi(database.db)
})

const to = (userId: string): Wish => ({ mode: 'USER', userId })
const toGroup = (groupId: string): Wish => ({ mode: 'GROUP', groupId })

async function create(org: TestOrg, contactId: string, assign: Wish, onHandover = false) {
  const { chatroomId } = await createChatroom(db, {
    org: await readOrg(db, org),
    contactId,
    forceDeactivate: false,
    failIfElsewhere: true,
    assign,
    onHandover,
    actor: 'user:admin',
    now: new Date(),
  })
  return chatroomId
}

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

type Ask = { assign?: Wish; wabaId?: string; phoneId?: string; onHandover?: boolean }

async function assign(org: TestOrg, contactId: string, ask: Ask = {}) {
  await assignContact(db, {
    org: await readOrg(db, org),
    contactId,
    assign: to('bob'),
    onHandover: false,
    actor: 'user:admin',
    now: new Date(),
    ...ask,
  })
}

async function refused(org: TestOrg, work: () => Promise<unknown>) {
  const before = await fingerprint(db, org.id)
  const error = (await work().catch((e) => e)) as ApiError
  expect(await fingerprint(db, org.id)).toBe(before)
  return [error.status, error.error]
}

const membersOf = async (chatroomId: string) =>
  (
    await db.$client.query(
      'select user_id, visible_from from chatroom_members where chatroom_id = $1 order by user_id',
      [chatroomId],
    )
  ).rows
const roomOf = async (contactId: string) =>
  (await db.$client.query('select * from chatrooms where contact_id = $1', [contactId])).rows

describe('who gets a chatroom', () => {
  it('is the user named by id or by e-mail address, in whatever case', async () => {
    const org = await createOrg(db)
    const byId = await create(org, await createLead(db, org, { customer: '+15550000001' }), to('bob'))
    expect(await usersOf(db, byId)).toEqual(['bob'])
    const email = `BOB@${org.id.toUpperCase()}.test`
    const lead = await createLead(db, org, { customer: '+15550000002' })
    expect(await usersOf(db, await create(org, lead, { mode: 'USER', email }))).toEqual(['bob'])
  })

  it('must exist in this org', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db, {}, { users: ['eve'] })
    await createGroup(db, other, 'theirs', ['eve'])
    await createGroup(db, org, 'empty', [])
    const lead = await createLead(db, org)
    const refusal = (wish: Wish) => refused(org, () => create(org, lead, wish))
    expect(await refusal(to('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(to('eve'))).toEqual([404, 'USER_NOT_FOUND'])
    const email = `eve@${other.id}.test`
    expect(await refusal({ mode: 'USER', email })).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(toGroup('nobody'))).toEqual([404, 'GROUP_NOT_FOUND'])
    expect(await refusal(toGroup('theirs'))).toEqual([404, 'GROUP_NOT_FOUND'])
    expect(await refusal(toGroup('empty'))).toEqual([404, 'GROUP_NOT_FOUND'])
    expect(await refusal({ mode: 'DELEGATE' })).toEqual([404, 'DELEGATE_NOT_FOUND'])
  })

  it('is checked also when the contact has a chatroom already', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    await createGroup(db, other, 'theirs', ['ann'])
    const { contactId } = await createRoom(db, org)
    const refusal = (wish: Wish) => refused(org, () => create(org, contactId, wish))
    expect(await refusal(to('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(toGroup('theirs'))).toEqual([404, 'GROUP_NOT_FOUND'])
  })

  it("is the org's delegate, a user or a group", async () => {
    const org = await createOrg(db, { delegate: { user_id: 'bob' } })
    const first = await create(org, await createLead(db, org, { customer: '+15550000001' }), {
      mode: 'DELEGATE',
    })
    expect(await usersOf(db, first)).toEqual(['bob'])
    await createGroup(db, org, 'team', ['ann'])
    await db.$client.query(
      `update orgs set delegate_user_id = null, delegate_group_id = 'team' where id = $1`,
      [org.id],
    )
    const second = await create(org, await createLead(db, org, { customer: '+15550000002' }), {
      mode: 'DELEGATE',
    })
    expect(await usersOf(db, second)).toEqual(['ann'])
  })
})

describe('a group', () => {
  /** A chatroom in that state whose user is given. */
  async function occupied(org: TestOrg, n: number, userId: string, state: object = {}) {
    const room = await createRoom(db, org, { customer: `+1555100${1000 + n}`, ...state })
    await db.$client.query(
      'insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, $3)',
      [org.id, room.id, userId],
    )
  }

  it('gives to the member with the fewest active chatrooms, handovers that wait counted in', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const team = await createGroup(db, org, 'team', FOUR)
    await occupied(org, 1, 'ann')
    await createRoom(db, org, { customer: '+15551002002', pendingUserId: 'bob' })
    await occupied(org, 3, 'dee')
    await occupied(org, 4, 'cid', { deactivatedAt: ago(1) })
    await occupied(org, 5, 'cid', { expiredAt: ago(1) })
    await createRoom(db, org, { customer: '+15551002006', pendingUserId: 'cid', deactivatedAt: ago(1) })
    expect(await usersOf(db, await create(org, await createLead(db, org), toGroup(team)))).toEqual(['cid'])
  })

  it('breaks ties in rotation: who was picked longest ago, those never picked first', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const team = await createGroup(db, org, 'team', FOUR)
    const picked: string[] = []
    for (let n = 0; n < 8; n += 1) {
      const id = await create(
        org,
        await createLead(db, org, { customer: `+1555200${1000 + n}` }),
        toGroup(team),
      )
      picked.push(...(await usersOf(db, id)))
      await db.$client.query('update chatrooms set deactivated_at = now() where id = $1', [id])
    }
    expect(picked).toEqual([...FOUR, ...FOUR])
  })

  it.each([
    ['at once', false],
    ['on handover', true],
  ])('shares 100 chatrooms created at the same time fairly among four: %s', async (_, onHandover) => {
    const org = await createOrg(db, {}, { users: FOUR })
    const team = await createGroup(db, org, 'team', FOUR)
    const leads = await Promise.all(
      Array.from({ length: 100 }, (_, n) => createLead(db, org, { customer: `+1555300${1000 + n}` })),
    )
    await Promise.all(leads.map((lead) => create(org, lead, toGroup(team), onHandover)))
    const { rows } = await db.$client.query(
      onHandover
        ? `select pending_user_id as id, count(*)::int from chatrooms where org_id = $1 group by 1 order by 1`
        : `select user_id as id, count(*)::int from chatroom_members where org_id = $1 group by 1 order by 1`,
      [org.id],
    )
    expect(rows).toEqual(FOUR.map((id) => ({ id, count: 25 })))
  })

  it('asks nobody for a chatroom that exists already', async () => {
    const org = await createOrg(db)
    const team = await createGroup(db, org, 'team', ['ann', 'bob'])
    const { contactId } = await createRoom(db, org)
    const before = await fingerprint(db, org.id)
    await create(org, contactId, toGroup(team))
    expect(await fingerprint(db, org.id)).toBe(before)
  })
})

describe('reassigning a chatroom', () => {
  it('takes it from all its users and gives it to the new one', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const id = await create(org, await createLead(db, org), to('ann'))
    await db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'bob')`,
      [org.id, id],
    )
    await reassign(org, id, to('cid'))
    expect(await membersOf(id)).toEqual([{ user_id: 'cid', visible_from: null }])
    expect((await eventsOf(db, id)).at(-1)).toMatchObject({
      kind: 'chatroom.assigned',
      actor: 'user:admin',
      before: { user_ids: ['ann', 'bob'], pending_user_id: null },
      after: { user_ids: ['cid'], pending_user_id: null },
    })
  })

  it('hides the past from a new user when the history of the chatroom is hidden, to the second', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const id = await create(org, await createLead(db, org), to('ann'))
    const now = await reassign(org, id, to('bob'))
    const second = new Date(Math.floor(now.getTime() / 1000) * 1000)
    expect(await membersOf(id)).toEqual([{ user_id: 'bob', visible_from: second }])
  })

  it('leaves a user who had it already what he could see', async () => {
    const org = await createOrg(db, { room_history_visible: false })
    const id = await create(org, await createLead(db, org), to('ann'))
    await reassign(org, id, to('ann'))
    expect(await membersOf(id)).toEqual([{ user_id: 'ann', visible_from: null }])
  })

  it('on handover leaves it to its users until the customer writes', async () => {
    const org = await createOrg(db)
    const id = await create(org, await createLead(db, org), to('ann'))
    await reassign(org, id, to('bob'), true)
    expect(await usersOf(db, id)).toEqual(['ann'])
    expect((await eventsOf(db, id)).at(-1)).toMatchObject({
      kind: 'chatroom.handover_set',
      after: { user_ids: ['ann'], pending_user_id: 'bob' },
    })
    await deliver(db, posted(org.phones[0]!, message({})))
    expect(await usersOf(db, id)).toEqual(['bob'])
  })

  it('calls off a handover that waits', async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const id = await create(org, await createLead(db, org), to('ann'), true)
    await reassign(org, id, to('cid'))
    expect((await readRoom(db, org.id, id)).pending_user_id).toBe(null)
    await deliver(db, posted(org.phones[0]!, message({})))
    expect(await usersOf(db, id)).toEqual(['cid'])
  })

  it('does not touch the state of a deactivated or expired chatroom', async () => {
    const org = await createOrg(db)
    for (const state of [{ deactivatedAt: ago(1) }, { expiredAt: ago(1) }]) {
      const room = await createRoom(db, org, state)
      await reassign(org, room.id, to('bob'))
      expect(await usersOf(db, room.id)).toEqual(['bob'])
      expect((await readRoom(db, org.id, room.id)).state).not.toBe('active')
    }
  })

  it('is refused for a chatroom or user the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const [room, strange] = [await createRoom(db, org), await createRoom(db, other)]
    const refusal = (id: string, wish: Wish) => refused(org, () => reassign(org, id, wish))
    expect(await refusal(NOBODY, to('ann'))).toEqual([404, 'CHATROOM_NOT_FOUND'])
    expect(await refusal(strange.id, to('ann'))).toEqual([404, 'CHATROOM_NOT_FOUND'])
    expect(await refusal(room.id, to('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(room.id, toGroup('nobody'))).toEqual([404, 'GROUP_NOT_FOUND'])
    expect(await refusal(room.id, { mode: 'DELEGATE' })).toEqual([404, 'DELEGATE_NOT_FOUND'])
  })
})

describe('assigning a contact', () => {
  it("reassigns the contact's chatroom, to a user or within a group", async () => {
    const org = await createOrg(db, {}, { users: FOUR })
    const team = await createGroup(db, org, 'team', ['cid'])
    const lead = await createLead(db, org)
    const id = await create(org, lead, to('ann'))
    await assign(org, lead)
    expect(await usersOf(db, id)).toEqual(['bob'])
    await assign(org, lead, { assign: toGroup(team), phoneId: org.phones[0]!, wabaId: org.wabaId })
    expect(await usersOf(db, id)).toEqual(['cid'])
    await assign(org, lead, { assign: to('dee'), onHandover: true })
    expect(await usersOf(db, id)).toEqual(['cid'])
    expect((await readRoom(db, org.id, id)).pending_user_id).toBe('dee')
  })

  it('makes a chatroom for a contact without one, at the number named or the first that is free', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    await assign(org, lead)
    const [room] = await roomOf(lead)
    expect(room).toMatchObject({ waba_phone_id: org.phones[1], state: 'active' })
    expect(await usersOf(db, room.id)).toEqual(['bob'])
    const named = await createLead(db, org, { customer: '+15550002222' })
    await assign(org, named, { phoneId: org.phones[1]!, onHandover: true })
    expect(await roomOf(named)).toMatchObject([{ waba_phone_id: org.phones[1], pending_user_id: 'bob' }])
  })

  it('is refused when something named is not of the org, or the chatroom is at another number', async () => {
    const [org, other] = [await createOrg(db, {}, { phones: 2 }), await createOrg(db)]
    const { contactId } = await createRoom(db, org, { phone: org.phones[0]! })
    const lead = await createLead(db, org)
    const refusal = (id: string, ask: Ask = {}) => refused(org, () => assign(org, id, ask))
    expect(await refusal(NOBODY)).toEqual([404, 'CONTACT_NOT_FOUND'])
    expect(await refusal(await createLead(db, other))).toEqual([404, 'CONTACT_NOT_FOUND'])
    for (const id of [contactId, lead]) {
      expect(await refusal(id, { assign: to('nobody') })).toEqual([404, 'USER_NOT_FOUND'])
      expect(await refusal(id, { assign: toGroup('nobody') })).toEqual([404, 'GROUP_NOT_FOUND'])
      expect(await refusal(id, { wabaId: other.wabaId })).toEqual([404, 'WABA_NOT_FOUND'])
      expect(await refusal(id, { phoneId: other.phones[0]! })).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    }
    expect(await refusal(contactId, { phoneId: org.phones[1]! })).toEqual([404, 'WABA_MAPPING_NOT_FOUND'])
  })

  it('is refused when no number is free, and for an expired contact without a chatroom', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    const refusal = (id: string) => refused(org, () => assign(org, id))
    expect(await refusal(await createLead(db, org))).toEqual([404, 'NO_WABA_PHONE_AVAILABLE'])
    const gone = await createLead(db, org, { customer: '+15550002222', expiredAt: ago(1) })
    expect(await refusal(gone)).toEqual([404, 'CONTACT_NOT_FOUND'])
  })
})

describe('POST …/reassign, V3 and V2', () => {
  const post = (org: TestOrg, version: 'v2' | 'v3', id: string, body: object, as?: object) => {
    const part = version === 'v3' ? 'lead' : 'waba'
    return api.call('POST', `/${version}/org/${org.id}/${part}/chatroom/${id}/reassign`, { body, ...as })
  }
  const v3 = (assign_details: object) => ({ assign_details })

  it('answer with the chatroom and its new user', async () => {
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

  it('answer each refusal with its code, and change nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other)
    const rooms = await Promise.all(
      Array.from({ length: 8 }, () => createRoom(db, org, { deactivatedAt: ago(1) })),
    )
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    const user = { assign_mode: 'USER', user_id: 'ann' }
    for (const [version, id, body, code] of [
      ['v3', strange.id, v3(user), 4040003],
      ['v2', NOBODY, { user_id: 'ann' }, 4040003],
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

  it('let one request in 10 s through per chatroom, both versions together', async () => {
    const org = await createOrg(db)
    const [room, another] = [await createRoom(db, org), await createRoom(db, org, { deactivatedAt: ago(1) })]
    expect((await post(org, 'v2', room.id, { user_id: 'ann' })).status).toBe(200)
    const refusal = await post(org, 'v3', room.id, v3({ assign_mode: 'USER', user_id: 'bob' }))
    expect([refusal.status, refusal.body.error_code]).toEqual([429, 4290001])
    expect(await usersOf(db, room.id)).toEqual(['ann'])
    expect((await post(org, 'v2', another.id, { user_id: 'ann' })).status).toBe(200)
  })
})

describe('POST /v3/orgs/{orgId}/contacts/{contactId}/assign', () => {
  const post = (org: TestOrg, id: string, body: object, as?: object) =>
    api.call('POST', `/v3/orgs/${org.id}/contacts/${id}/assign`, { body, ...as })

  it('answers 202 without a body; of user and group the user is taken', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const { status, body } = await post(org, room.contactId, {
      user_id: 'bob',
      group_id: 'nobody',
      remote_waba_id: org.wabaId,
      remote_phone_id: org.phones[0],
      assign_on_handover: false,
    })
    expect([status, body]).toEqual([202, undefined])
    expect(await usersOf(db, room.id)).toEqual(['bob'])
  })

  it('answers each refusal with its code, and changes nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other)
    const leads = await Promise.all(Array.from({ length: 6 }, () => createLead(db, org)))
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    for (const [id, body, code] of [
      [strange.contactId, { user_id: 'ann' }, 4040002],
      [leads[0]!, { user_id: 'nobody' }, 4040006],
      [leads[1]!, { group_id: 'nobody' }, 4040007],
      [leads[2]!, { user_id: 'ann', remote_phone_id: other.phones[0] }, 4040005],
      [leads[3]!, { user_id: 'ann', remote_waba_id: other.wabaId }, 4040004],
      [leads[4]!, {}, 4220001],
      [leads[4]!, { user_id: 'ann', colour: 'red' }, 4220001],
    ] as const) {
      const reply = await post(org, id, body)
      expect([reply.status, reply.body.error_code]).toEqual([Math.floor(code / 10_000), code])
    }
    const impersonated = { as: { org: org.id, act: 'support' } }
    expect((await post(org, leads[5]!, { user_id: 'ann' }, impersonated)).status).toBe(403)
    expect([await fingerprint(db, org.id), await fingerprint(db, other.id)]).toEqual(before)
  })

  it('lets one request in 10 s through per contact', async () => {
    const org = await createOrg(db)
    const { contactId, id } = await createRoom(db, org)
    expect((await post(org, contactId, { user_id: 'ann' })).status).toBe(202)
    const refusal = await post(org, contactId, { user_id: 'bob' })
    expect([refusal.status, refusal.body.error_code]).toEqual([429, 4290001])
    expect(await usersOf(db, id)).toEqual(['ann'])
  })
})
