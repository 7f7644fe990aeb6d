import { describe, expect, it } from 'vitest'
import type { Wish } from '../../src/chatrooms/pick-assignee.ts'
import { assignmentsIn, FOUR, toGroup, toUser } from '../support/assignments.ts'
import { createTestDatabase } from '../support/database.ts'
import { createGroup, createLead, fingerprint, usersOf } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

const { create, refused } = assignmentsIn(db)

describe('the user who gets a new chatroom', () => {
  it('is named by id, or by e-mail address in upper or lower case', async () => {
    const org = await createOrg(db)
    const byId = await create(org, await createLead(db, org, { customer: '+15550000001' }), toUser('bob'))
    expect(await usersOf(db, byId)).toEqual(['bob'])
    const email = `BOB@${org.id.toUpperCase()}.test`
    const lead = await createLead(db, org, { customer: '+15550000002' })
    expect(await usersOf(db, await create(org, lead, { mode: 'USER', email }))).toEqual(['bob'])
  })

  it('must exist in the org, and so must the group or the delegate', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db, {}, { users: ['eve'] })
    await createGroup(db, other, 'theirs', ['eve'])
    await createGroup(db, org, 'empty', [])
    const lead = await createLead(db, org)
    const refusal = (wish: Wish) => refused(org, () => create(org, lead, wish))
    expect(await refusal(toUser('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(toUser('eve'))).toEqual([404, 'USER_NOT_FOUND'])
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
    expect(await refusal(toUser('nobody'))).toEqual([404, 'USER_NOT_FOUND'])
    expect(await refusal(toGroup('theirs'))).toEqual([404, 'GROUP_NOT_FOUND'])
  })

  it('is the delegate of the org, or a user of the delegate group', async () => {
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

describe('a group that gets a new chatroom', () => {
  /** A chatroom in that state whose user is given. */
  async function occupied(org: TestOrg, n: number, userId: string, state: object = {}) {
    const room = await createRoom(db, org, { customer: `+1555100${1000 + n}`, ...state })
    await db.$client.query(
      'insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, $3)',
      [org.id, room.id, userId],
    )
  }

  it('gives it to the member with the fewest active chatrooms and pending handovers', async () => {
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

  it('breaks a tie in rotation: the member who was picked longest ago, or never, comes first', async () => {
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
  ])(
    'shares 100 chatrooms that are created at the same time equally among its four members (%s)',
    async (_, onHandover) => {
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
    },
  )

  it('picks no member for a chatroom that exists already', async () => {
    const org = await createOrg(db)
    const team = await createGroup(db, org, 'team', ['ann', 'bob'])
    const { contactId } = await createRoom(db, org)
    const before = await fingerprint(db, org.id)
    await create(org, contactId, toGroup(team))
    expect(await fingerprint(db, org.id)).toBe(before)
  })
})
