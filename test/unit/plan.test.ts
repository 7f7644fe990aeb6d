import { describe, expect, it } from 'vitest'
import type { KnownMessage } from '../../src/messages/read-known-messages.ts'
import { planBatch } from '../../src/routing/plan.ts'
import type { Arrival } from '../../src/routing/planned.ts'
import { pairKey } from '../../src/rules/keys.ts'
import type { Room } from '../../src/rules/room.ts'
import { messageOf, NOW, roomOf, settingsOf } from '../support/rooms.ts'

function arrival(
  wamid: string,
  change: { type?: string; customerId?: string; hold?: boolean } = {},
): Arrival {
  const { type = 'text', customerId = 'c', hold = false } = change
  const settings = settingsOf({ unknownSender: hold ? 'hold' : 'create' })
  return { orgId: 'o', customerId, settings, message: messageOf({ wamid, type }) }
}

const nothing = { rooms: new Map(), messages: new Map<string, KnownMessage>() }
const ids = () => {
  let n = 0
  return () => `id-${n++}`
}
const withRoom = (r: Room) => ({
  rooms: new Map([[pairKey({ orgId: 'o', customerId: 'c', phoneId: 'p' }), [r]]]),
  messages: new Map<string, KnownMessage>(),
})

describe('the plan of a batch', () => {
  it('creates one chatroom for several first messages of one customer, and one for each customer', () => {
    const plan = planBatch(
      [arrival('a'), arrival('b'), arrival('c', { customerId: 'd' })],
      nothing,
      NOW,
      ids(),
    )
    expect(plan.created.map((c) => c.customerId)).toEqual(['c', 'd'])
    expect(plan.messages.map((m) => m.route)).toEqual(['created', 'active', 'created'])
    expect(plan.messages[1]?.roomId).toBe(plan.messages[0]?.roomId)
    expect(plan.rooms).toEqual([])
  })

  it('reactivates a chatroom once, writes it once, and has one audit event', () => {
    const known = withRoom(roomOf('r', { state: 'deactivated', deactivatedAt: NOW }))
    const plan = planBatch([arrival('a'), arrival('b')], known, NOW, ids())
    expect(plan.messages.map((m) => m.route)).toEqual(['reactivated', 'active'])
    expect(plan.rooms.map((r) => [r.room.id, r.room.state])).toEqual([['r', 'active']])
    expect(plan.events).toMatchObject([{ kind: 'chatroom.reactivated', contactId: 'c-r', wamid: 'a' }])
  })

  it('has the audit event of an overdue deactivation before that of the reactivation', () => {
    const known = withRoom(roomOf('r', { activatedAt: new Date(0) }))
    const overdue = { ...arrival('a'), settings: settingsOf({ inactivityDays: 1 }) }
    const plan = planBatch([overdue], known, NOW, ids())
    expect(plan.events.map((e) => e.kind)).toEqual(['chatroom.deactivated', 'chatroom.reactivated'])
  })

  it('writes only chatrooms that changed', () => {
    const pair = pairKey({ orgId: 'o', customerId: 'c', phoneId: 'p' })
    const expired = roomOf('x', { state: 'expired', expiredAt: NOW })
    const known = {
      rooms: new Map([[pair, [roomOf('a', {}), expired]]]),
      messages: new Map<string, KnownMessage>(),
    }
    const plan = planBatch([arrival('a')], known, NOW, ids())
    expect([plan.lastInbound.map((r) => r.room.id), plan.rooms]).toEqual([['a'], []])
  })

  it('has one handover for several messages', () => {
    const plan = planBatch(
      [arrival('a'), arrival('b')],
      withRoom(roomOf('r', { pendingUserId: 'bob' })),
      NOW,
      ids(),
    )
    expect(plan.handovers).toEqual([{ orgId: 'o', customerId: 'c', roomId: 'r', userId: 'bob', at: NOW }])
  })

  it('has one auto-reply for each message in an expired chatroom', () => {
    const known = withRoom(roomOf('r', { state: 'expired', expiredAt: NOW }))
    const plan = planBatch([arrival('a'), arrival('b'), arrival('a')], known, NOW, ids())
    expect(plan.replies.map((r) => r.inReplyTo)).toEqual(['a', 'b'])
    expect(plan.duplicates).toBe(1)
    expect(plan.lastInbound.map((r) => r.room.state)).toEqual(['expired'])
  })

  it('replaces a ghost by its real content, never the reverse, and stores the message once', () => {
    const ghost = arrival('a', { type: 'unsupported', hold: true })
    const real = arrival('a', { hold: true })
    const ghostFirst = planBatch([ghost, real, ghost], nothing, NOW, ids())
    const unmasked = { ...real, storedAt: NOW }
    expect([ghostFirst.messages.length, ghostFirst.unmasked, ghostFirst.duplicates]).toEqual([
      1,
      [unmasked],
      1,
    ])
    const realFirst = planBatch([real, ghost], nothing, NOW, ids())
    expect([realFirst.messages.length, realFirst.unmasked, realFirst.duplicates]).toEqual([1, [], 1])
    const ghosts = new Map([['o\na', { type: 'unsupported', roomId: null, sentAt: NOW }]])
    const stored = { rooms: new Map(), messages: ghosts }
    expect(planBatch([real], stored, NOW, ids())).toMatchObject({
      messages: [],
      unmasked: [unmasked],
      duplicates: 0,
    })
  })
})
