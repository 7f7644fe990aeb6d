import { describe, expect, it } from 'vitest'
import { activateChatroom } from '../../src/chatrooms/activate-chatroom.ts'
import { deactivateChatroom } from '../../src/chatrooms/deactivate-chatroom.ts'
import type { DeactivationReason } from '../../src/chatrooms/deactivate-rooms.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { statesOf, UNKNOWN_ID } from '../support/chatrooms.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { fingerprint, readOrg } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { refusalOf } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

const database = await createTestDatabase()
const { db } = database
const api = await startTestApi(db)

async function activate(org: TestOrg, chatroomId: string, forceDeactivate = false) {
  const now = new Date()
  await activateChatroom(db, {
    org: await readOrg(db, org),
    chatroomId,
    forceDeactivate,
    actor: 'user:admin',
    now,
  })
  return now
}

async function deactivate(org: TestOrg, chatroomId: string, reason?: DeactivationReason) {
  const now = new Date()
  await deactivateChatroom(db, { org: await readOrg(db, org), chatroomId, reason, actor: 'user:admin', now })
  return now
}

const refused = (org: TestOrg, work: () => Promise<unknown>) => refusalOf(db, org, work)

describe('activating a chatroom', () => {
  it('makes a deactivated chatroom active, and its inactivity counts from now', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { activatedAt: ago(90), deactivatedAt: ago(1) })
    const now = await activate(org, room.id)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'active',
      activated_at: now,
      deactivated_at: null,
      deactivation_reason: null,
    })
    expect(await eventsOf(db, room.id)).toMatchObject([
      {
        kind: 'chatroom.activated',
        actor: 'user:admin',
        before: { state: 'deactivated' },
        after: { state: 'active' },
      },
    ])
  })

  it('changes nothing if the chatroom is active already', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { activatedAt: ago(2) })
    const before = await fingerprint(db, org.id)
    await activate(org, room.id, true)
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('writes an overdue deactivation first, and then activates the chatroom', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(31) })
    const now = await activate(org, room.id)
    expect((await readRoom(db, org.id, room.id)).activated_at).toEqual(now)
    expect((await eventsOf(db, room.id)).map((e) => e.kind)).toEqual([
      'chatroom.deactivated',
      'chatroom.activated',
    ])
  })

  it('is refused for a chatroom that the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other, { deactivatedAt: ago(1) })
    const unknown = { error: 'UNKNOWN_CHATROOM', status: 400 }
    expect(await refused(org, () => activate(org, UNKNOWN_ID))).toMatchObject(unknown)
    expect(await refused(other, () => activate(org, foreign.id))).toMatchObject(unknown)
  })

  it('is refused for a chatroom that is expired or overdue for expiry', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const refusal = { error: 'CHATROOM_IS_EXPIRED', status: 400 }
    const expired = await createRoom(db, org, { expiredAt: ago(1), deactivatedAt: ago(2) })
    expect(await refused(org, () => activate(org, expired.id, true))).toMatchObject(refusal)
    const overdue = await createRoom(db, org, { createdAt: ago(61), deactivatedAt: ago(2) })
    expect(await refused(org, () => activate(org, overdue.id))).toMatchObject(refusal)
  })
})

describe('activating a chatroom while another one of the customer is active at that number', () => {
  it('is refused without `force_deactivate`', async () => {
    const org = await createOrg(db)
    const rival = await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    expect(await refused(org, () => activate(org, room.id))).toEqual({
      error: 'OTHER_CHATROOM_IS_ACTIVE',
      status: 400,
      payload: { chatroom_id: rival.id },
    })
  })

  it('deactivates the other one in the same transaction with `force_deactivate`', async () => {
    const org = await createOrg(db)
    const rival = await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const now = await activate(org, room.id, true)
    expect(await statesOf(db, org, rival, room)).toEqual(['deactivated', 'active'])
    expect(await readRoom(db, org.id, rival.id)).toMatchObject({
      deactivated_at: now,
      deactivation_reason: 'FORCE_DEACTIVATE',
    })
    expect(await eventsOf(db, rival.id)).toMatchObject([
      { kind: 'chatroom.deactivated', actor: 'user:admin', reason: 'FORCE_DEACTIVATE' },
    ])
  })

  it('is not refused if the other one is at another number, of another customer, or overdue for deactivation', async () => {
    const org = await createOrg(db, { inactivity_days: 30 }, { phones: 2 })
    const idle = await createRoom(db, org, { activatedAt: ago(31) })
    const elsewhere = await createRoom(db, org, { phone: org.phones[1]! })
    const stranger = await createRoom(db, org, { customer: '+15550002222' })
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    await activate(org, room.id)
    expect(await statesOf(db, org, idle, elsewhere, stranger, room)).toEqual([
      'deactivated',
      'active',
      'active',
      'active',
    ])
  })
})

describe('deactivating a chatroom', () => {
  it.each(['LEAD_OPTED_OUT', 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED', 'FORCE_DEACTIVATE'] as const)(
    'stores the reason %s',
    async (reason) => {
      const org = await createOrg(db)
      const room = await createRoom(db, org)
      const now = await deactivate(org, room.id, reason)
      expect(await readRoom(db, org.id, room.id)).toMatchObject({
        state: 'deactivated',
        deactivated_at: now,
        deactivation_reason: reason,
      })
      expect(await eventsOf(db, room.id)).toMatchObject([
        { kind: 'chatroom.deactivated', actor: 'user:admin', reason, before: { state: 'active' } },
      ])
    },
  )

  it('stores the reason FORCE_DEACTIVATE if none is given', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deactivate(org, room.id)
    expect((await readRoom(db, org.id, room.id)).deactivation_reason).toBe('FORCE_DEACTIVATE')
  })

  it('changes nothing if the chatroom is deactivated already', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(3) })
    const before = await fingerprint(db, org.id)
    await deactivate(org, room.id, 'LEAD_OPTED_OUT')
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('is refused for an unknown or expired chatroom', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other)
    const expired = await createRoom(db, org, { expiredAt: ago(1) })
    const refusal = async (id: string) => (await refused(org, () => deactivate(org, id))).error
    expect(await refusal(UNKNOWN_ID)).toBe('UNKNOWN_CHATROOM')
    expect(await refusal(foreign.id)).toBe('UNKNOWN_CHATROOM')
    expect(await refusal(expired.id)).toBe('CHATROOM_IS_EXPIRED')
  })

  it('does not prevent that a message of the customer reactivates the chatroom', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deactivate(org, room.id)
    await deliver(db, post(org.phones[0]!, message({})))
    expect(await statesOf(db, org, room)).toEqual(['active'])
  })
})

describe('at the same time', () => {
  it.each([
    ['without force_deactivate', false],
    ['with force_deactivate', true],
  ])('two activations at one number leave exactly one chatroom active (%s)', async (_, force) => {
    const org = await createOrg(db)
    for (let round = 0; round < 10; round += 1) {
      const customer = `+1555000${1000 + round}`
      const rooms = await Promise.all(
        [1, 2].map(() => createRoom(db, org, { customer, deactivatedAt: ago(1) })),
      )
      const errors = await Promise.all(
        rooms.map((r) =>
          activate(org, r.id, force).then(
            () => null,
            (e) => e.error,
          ),
        ),
      )
      expect((await statesOf(db, org, ...rooms)).sort()).toEqual(['active', 'deactivated'])
      expect(errors.filter((e) => e !== null)).toEqual(force ? [] : ['OTHER_CHATROOM_IS_ACTIVE'])
    }
  })

  it('an activation and an inbound message leave one chatroom active, which has the message', async () => {
    const org = await createOrg(db)
    for (let round = 0; round < 15; round += 1) {
      const from = `1555000${2000 + round}`
      const room = { customer: `+${from}`, deactivatedAt: ago(1) }
      const [latest, older] = [
        await createRoom(db, org, room),
        await createRoom(db, org, { ...room, deactivatedAt: ago(5) }),
      ]
      const m = message({ from })
      const [activated] = await Promise.all([
        activate(org, older.id).catch((e) => e.error),
        deliver(db, post(org.phones[0]!, m)),
      ])
      const states = await statesOf(db, org, latest, older)
      expect(states.filter((s) => s === 'active')).toHaveLength(1)
      const { chatroom_id } = await readMessage(db, org.id, m.id)
      const active = states[0] === 'active' ? latest.id : older.id
      expect(chatroom_id).toBe(active)
      if (active === latest.id) expect(activated).toBe('OTHER_CHATROOM_IS_ACTIVE')
    }
  })

  it('the unique index refuses an activation if a transaction without the lock activated another chatroom', async () => {
    const org = await createOrg(db)
    const [room, rival] = [
      await createRoom(db, org, { deactivatedAt: ago(1) }),
      await createRoom(db, org, { deactivatedAt: ago(1) }),
    ]
    const outsider = await database.pool.connect()
    await outsider.query('begin')
    await outsider.query('update chatrooms set deactivated_at = null where id = $1', [rival.id])
    const activation = activate(org, room.id).catch((e) => e.error)
    await expect.poll(() => waitingQueries(db)).toHaveLength(1)
    await outsider.query('commit')
    outsider.release()
    expect(await activation).toBe('OTHER_CHATROOM_IS_ACTIVE')
  })
})

describe('PUT /v1/org/{orgId}/contacts/chatroom/{chatroomId}/activate and /deactivate', () => {
  const put = (org: TestOrg, id: string, verb: string, call?: Parameters<TestApi['call']>[2]) =>
    api.call('PUT', `/v1/org/${org.id}/contacts/chatroom/${id}/${verb}`, call)

  it('answer 202 with a string, also if there is nothing to change', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const reason = { body: { deactivation_reason: 'LEAD_OPTED_OUT' } }
    for (const [verb, call] of [
      ['deactivate', reason],
      ['deactivate', undefined],
      ['deactivate', { body: {} }],
      ['activate', undefined],
      ['activate?force_deactivate=true', undefined],
    ] as const) {
      const { status, body } = await put(org, room.id, verb, call)
      expect([status, typeof body], verb).toEqual([202, 'string'])
    }
    expect((await eventsOf(db, room.id)).map((e) => [e.kind, e.actor, e.reason])).toEqual([
      ['chatroom.deactivated', 'user:ann', 'LEAD_OPTED_OUT'],
      ['chatroom.activated', 'user:ann', 'asked for'],
    ])
  })

  it('answer each refusal with its error code, and change nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const foreign = await createRoom(db, other, { deactivatedAt: ago(1) })
    const expired = await createRoom(db, org, { expiredAt: ago(1) })
    await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    for (const [id, verb, body, code] of [
      [foreign.id, 'activate', undefined, 4000002],
      [foreign.id, 'deactivate', undefined, 4000002],
      ['no uuid', 'activate', undefined, 4000002],
      [expired.id, 'activate?force_deactivate=true', undefined, 4000003],
      [expired.id, 'deactivate', undefined, 4000003],
      [room.id, 'activate', undefined, 4000004],
      [room.id, 'activate?force_deactivate=false', undefined, 4000004],
      [room.id, 'activate?force_deactivate=maybe', undefined, 4000001],
      [room.id, 'activate?force=true', undefined, 4000001],
      [room.id, 'deactivate', { deactivation_reason: 'BORED' }, 4000001],
      [room.id, 'deactivate', { reason: 'LEAD_OPTED_OUT' }, 4000001],
      [room.id, 'deactivate', [], 4000001],
      [room.id, 'deactivate', '{', 4000001],
    ] as const) {
      const reply = await put(org, id, verb, { body })
      expect([reply.status, reply.body.error_code], `${verb} ${JSON.stringify(body)}`).toEqual([400, code])
    }
    const act = { as: { org: org.id, act: 'support' } }
    expect((await put(org, room.id, 'activate', act)).status).toBe(403)
    expect((await put(org, room.id, 'activate', { as: { org: other.id } })).status).toBe(403)
    expect((await put(org, room.id, 'deactivate', { as: { org: org.id, role: 'MEMBER' } })).status).toBe(403)
    expect((await put(org, room.id, 'deactivate', { as: null })).status).toBe(401)
    expect([await fingerprint(db, org.id), await fingerprint(db, other.id)]).toEqual(before)
    expect((await put(org, room.id, 'deactivate', act)).status).toBe(202)
  })
})
