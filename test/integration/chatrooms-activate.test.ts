import { beforeAll, describe, expect, it } from 'vitest'
import { activateChatroom } from '../../src/chatrooms/activate-chatroom.ts'
import { deactivateChatroom } from '../../src/chatrooms/deactivate-chatroom.ts'
import type { DeactivationReason } from '../../src/chatrooms/deactivate-rooms.ts'
import type { Db } from '../../src/db/client.ts'
import type { ApiError } from '../../src/errors.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { fingerprint, readOrg } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'

let db: Db
let database: TestDatabase
let api: TestApi

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
  api = await startTestApi(database.db)
})

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

async function refused(org: TestOrg, work: () => Promise<unknown>) {
  const before = await fingerprint(db, org.id)
  const error = (await work().catch((e) => e)) as ApiError
  expect(await fingerprint(db, org.id)).toBe(before)
  return { error: error.error, status: error.status, payload: error.payload }
}

const statesOf = async (org: TestOrg, ...rooms: { id: string }[]) =>
  Promise.all(rooms.map(async (r) => (await readRoom(db, org.id, r.id)).state))

describe('activating a chatroom', () => {
  it('makes a deactivated one active, its timers starting anew', async () => {
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

  it('changes nothing of one that is active', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { activatedAt: ago(2) })
    const before = await fingerprint(db, org.id)
    await activate(org, room.id, true)
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('writes the overdue deactivation of one that only seems active, and activates it anew', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(31) })
    const now = await activate(org, room.id)
    expect((await readRoom(db, org.id, room.id)).activated_at).toEqual(now)
    expect((await eventsOf(db, room.id)).map((e) => e.kind)).toEqual([
      'chatroom.deactivated',
      'chatroom.activated',
    ])
  })

  it('is refused for a chatroom the org does not have', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other, { deactivatedAt: ago(1) })
    const unknown = { error: 'UNKNOWN_CHATROOM', status: 400 }
    expect(await refused(org, () => activate(org, NOBODY))).toMatchObject(unknown)
    expect(await refused(other, () => activate(org, strange.id))).toMatchObject(unknown)
  })

  it('is refused for an expired chatroom, also when its expiry is only overdue', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const expired = { error: 'CHATROOM_IS_EXPIRED', status: 400 }
    const gone = await createRoom(db, org, { expiredAt: ago(1), deactivatedAt: ago(2) })
    expect(await refused(org, () => activate(org, gone.id, true))).toMatchObject(expired)
    const overdue = await createRoom(db, org, { createdAt: ago(61), deactivatedAt: ago(2) })
    expect(await refused(org, () => activate(org, overdue.id))).toMatchObject(expired)
  })
})

describe('while another chatroom of the customer is active at that number', () => {
  it('activating is refused', async () => {
    const org = await createOrg(db)
    const rival = await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    expect(await refused(org, () => activate(org, room.id))).toEqual({
      error: 'OTHER_CHATROOM_IS_ACTIVE',
      status: 400,
      payload: { chatroom_id: rival.id },
    })
  })

  it('force_deactivate makes it give way, in the same transaction', async () => {
    const org = await createOrg(db)
    const rival = await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const now = await activate(org, room.id, true)
    expect(await statesOf(org, rival, room)).toEqual(['deactivated', 'active'])
    expect(await readRoom(db, org.id, rival.id)).toMatchObject({
      deactivated_at: now,
      deactivation_reason: 'FORCE_DEACTIVATE',
    })
    expect(await eventsOf(db, rival.id)).toMatchObject([
      { kind: 'chatroom.deactivated', actor: 'user:admin', reason: 'FORCE_DEACTIVATE' },
    ])
  })

  it('it does not matter at another number, of another customer, or when it is overdue itself', async () => {
    const org = await createOrg(db, { inactivity_days: 30 }, { phones: 2 })
    const idle = await createRoom(db, org, { activatedAt: ago(31) })
    const elsewhere = await createRoom(db, org, { phone: org.phones[1]! })
    const stranger = await createRoom(db, org, { customer: '+15550002222' })
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    await activate(org, room.id)
    expect(await statesOf(org, idle, elsewhere, stranger, room)).toEqual([
      'deactivated',
      'active',
      'active',
      'active',
    ])
  })
})

describe('deactivating a chatroom', () => {
  it.each(['LEAD_OPTED_OUT', 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED', 'FORCE_DEACTIVATE'] as const)(
    'keeps the reason %s',
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

  it('counts as FORCE_DEACTIVATE when nobody says why', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deactivate(org, room.id)
    expect((await readRoom(db, org.id, room.id)).deactivation_reason).toBe('FORCE_DEACTIVATE')
  })

  it('changes nothing of one that is deactivated', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { deactivatedAt: ago(3) })
    const before = await fingerprint(db, org.id)
    await deactivate(org, room.id, 'LEAD_OPTED_OUT')
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('is refused for an unknown chatroom and for an expired one', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other)
    const gone = await createRoom(db, org, { expiredAt: ago(1) })
    const refusal = async (id: string) => (await refused(org, () => deactivate(org, id))).error
    expect(await refusal(NOBODY)).toBe('UNKNOWN_CHATROOM')
    expect(await refusal(strange.id)).toBe('UNKNOWN_CHATROOM')
    expect(await refusal(gone.id)).toBe('CHATROOM_IS_EXPIRED')
  })

  it('lets the customer wake the chatroom again by writing', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    await deactivate(org, room.id)
    await deliver(db, post(org.phones[0]!, message({})))
    expect(await statesOf(org, room)).toEqual(['active'])
  })
})

describe('at the same time', () => {
  it.each([
    ['refusing', false],
    ['forcing', true],
  ])('activations of two rivals leave exactly one active: %s', async (_, force) => {
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
      expect((await statesOf(org, ...rooms)).sort()).toEqual(['active', 'deactivated'])
      expect(errors.filter((e) => e !== null)).toEqual(force ? [] : ['OTHER_CHATROOM_IS_ACTIVE'])
    }
  })

  it('an activation and an inbound message keep one active and deliver the message', async () => {
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
      const states = await statesOf(org, latest, older)
      expect(states.filter((s) => s === 'active')).toHaveLength(1)
      const { chatroom_id } = await readMessage(db, org.id, m.id)
      const active = states[0] === 'active' ? latest.id : older.id
      expect(chatroom_id).toBe(active)
      if (active === latest.id) expect(activated).toBe('OTHER_CHATROOM_IS_ACTIVE')
    }
  })

  it('what the lock did not stop, the unique index does, as the documented refusal', async () => {
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

  it('answer 202 with a string, again too', async () => {
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

  it('answer each refusal with its code, and change nothing', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const strange = await createRoom(db, other, { deactivatedAt: ago(1) })
    const gone = await createRoom(db, org, { expiredAt: ago(1) })
    await createRoom(db, org)
    const room = await createRoom(db, org, { deactivatedAt: ago(1) })
    const before = [await fingerprint(db, org.id), await fingerprint(db, other.id)]
    for (const [id, verb, body, code] of [
      [strange.id, 'activate', undefined, 4000002],
      [strange.id, 'deactivate', undefined, 4000002],
      ['no uuid', 'activate', undefined, 4000002],
      [gone.id, 'activate?force_deactivate=true', undefined, 4000003],
      [gone.id, 'deactivate', undefined, 4000003],
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
