import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/routing/decide.ts'
import type { Inbound, RoutingSettings } from '../../src/routing/decision.ts'
import { applyOverdue } from '../../src/rules/lifecycle.ts'
import { type Room, since } from '../../src/rules/room.ts'

const DAY = 86_400_000
const NOW = new Date('2026-11-21T12:00:00Z')
const ago = (days: number) => new Date(NOW.getTime() - days * DAY)

const SETTINGS: RoutingSettings = {
  inactivityDays: null,
  expiryDays: null,
  unknownSender: 'hold',
  autoReplyText: 'closed',
  autoReplyMinIntervalSeconds: 0,
  autoReplyBurst: 20,
  reactionsReactivate: false,
}

function room(id: string, change: Partial<Room> = {}): Room {
  const state = change.expiredAt ? 'expired' : change.deactivatedAt ? 'deactivated' : 'active'
  return {
    id,
    contactId: `c-${id}`,
    state,
    createdAt: ago(10),
    contactCreatedAt: ago(10),
    activatedAt: ago(10),
    lastInboundAt: null,
    lastAutoReplyAt: null,
    autoReplies: 0,
    autoRepliesSince: null,
    deactivatedAt: null,
    expiredAt: null,
    pendingUserId: null,
    ...change,
  }
}

const inbound = (change: Partial<Inbound> = {}): Inbound => ({
  wamid: 'w',
  type: 'text',
  nature: 'customer',
  sentAt: ago(0),
  ...change,
})

describe('routing', () => {
  it('prefers an active chatroom to a deactivated one, and that to an expired one', () => {
    const rooms = [room('x', { expiredAt: ago(1) }), room('d', { deactivatedAt: ago(1) }), room('a')]
    expect(decide(inbound(), rooms, SETTINGS, NOW)).toMatchObject({ route: 'active', roomId: 'a' })
    expect(decide(inbound(), rooms.slice(0, 2), SETTINGS, NOW)).toMatchObject({
      route: 'reactivated',
      roomId: 'd',
    })
    expect(decide(inbound(), rooms.slice(0, 1), SETTINGS, NOW)).toMatchObject({
      route: 'expired',
      roomId: 'x',
    })
    expect(decide(inbound(), [], SETTINGS, NOW)).toMatchObject({ route: 'held', roomId: null })
    expect(decide(inbound(), [], { ...SETTINGS, unknownSender: 'create' }, NOW).route).toBe('created')
  })

  it('breaks a tie of deactivation times by creation, then by id', () => {
    const at = ago(1)
    const rooms = [
      room('a', { deactivatedAt: at, createdAt: ago(5) }),
      room('c', { deactivatedAt: at, createdAt: ago(4) }),
      room('b', { deactivatedAt: at, createdAt: ago(4) }),
    ]
    expect(decide(inbound(), rooms, SETTINGS, NOW).roomId).toBe('c')
    expect(decide(inbound(), rooms.toReversed(), SETTINGS, NOW).roomId).toBe('c')
  })

  it('reactivates as of the time of the message, so that a late message does not restart the inactivity', () => {
    const late = inbound({ sentAt: ago(3) })
    const { rooms, transitions } = decide(late, [room('d', { deactivatedAt: ago(1) })], SETTINGS, NOW)
    expect(rooms).toMatchObject([
      { state: 'active', activatedAt: ago(3), lastInboundAt: ago(3), deactivatedAt: null },
    ])
    expect(transitions).toMatchObject([{ from: 'deactivated', to: 'active', at: ago(3) }])
  })

  it('makes the pending user the only user', () => {
    const decision = decide(inbound(), [room('a', { pendingUserId: 'bob' })], SETTINGS, NOW)
    expect(decision.handoverTo).toBe('bob')
    expect(decision.rooms[0]?.pendingUserId).toBe(null)
  })

  it.each([
    ['yes for a new text', {}, SETTINGS, true],
    [
      'yes for a message in the open window',
      { sentAt: new Date(NOW.getTime() - DAY + 30_001) },
      SETTINGS,
      true,
    ],
    ['no for a message of 24 h', { sentAt: ago(1) }, SETTINGS, false],
    ['no for a reaction', { type: 'reaction' }, SETTINGS, false],
    ['no without `auto_reply_text`', {}, { ...SETTINGS, autoReplyText: null }, false],
  ])('decides about an auto-reply in an expired chatroom: %s', (_, change, settings, expected) => {
    expect(decide(inbound(change), [room('x', { expiredAt: ago(1) })], settings, NOW).autoReply).toBe(
      expected,
    )
  })

  it('gives no auto-reply within `auto_reply_min_interval_seconds` of the last one', () => {
    const settings = { ...SETTINGS, autoReplyMinIntervalSeconds: 60 }
    const answered = (secondsAgo: number) =>
      room('x', { expiredAt: ago(1), lastAutoReplyAt: new Date(NOW.getTime() - secondsAgo * 1000) })
    expect(decide(inbound(), [answered(59)], settings, NOW).autoReply).toBe(false)
    const again = decide(inbound(), [answered(60)], settings, NOW)
    expect([again.autoReply, again.rooms[0]?.lastAutoReplyAt]).toEqual([true, NOW])
    expect(decide(inbound(), [room('x', { expiredAt: ago(1) })], settings, NOW).autoReply).toBe(true)
  })

  it('gives an auto-reply to every message without an interval, also to one that is older than the last auto-reply', () => {
    const later = new Date(NOW.getTime() + 40)
    const answered = room('x', { expiredAt: ago(1), lastAutoReplyAt: later })
    const again = decide(inbound(), [answered], SETTINGS, NOW)
    expect([again.autoReply, again.rooms[0]?.lastAutoReplyAt]).toEqual([true, later])
  })

  it('shows a system message in the active chatroom, changes nothing, and never reactivates', () => {
    const system = inbound({ nature: 'system' })
    expect(decide(system, [room('a')], SETTINGS, NOW)).toMatchObject({
      route: 'active',
      roomId: 'a',
      changed: [],
    })
    const inactive = decide(system, [room('d', { deactivatedAt: ago(1) })], SETTINGS, NOW)
    expect(inactive).toMatchObject({ route: null, roomId: null, changed: [] })
    expect(decide(system, [], SETTINGS, NOW).route).toBe(null)
  })

  it.each(['echo', 'import'] as const)(
    'shows an %s in the chatroom, active or not, and changes nothing',
    (nature) => {
      const aside = inbound({ nature })
      const deactivated = room('d', { deactivatedAt: ago(1) })
      expect(decide(aside, [deactivated], SETTINGS, NOW)).toMatchObject({
        route: null,
        roomId: 'd',
        changed: [],
      })
      expect(decide(aside, [], SETTINGS, NOW)).toMatchObject({ route: null, roomId: null })
    },
  )

  it('routes a standby message, without an auto-reply', () => {
    const standby = inbound({ nature: 'standby' })
    const expired = decide(standby, [room('x', { expiredAt: ago(1) })], SETTINGS, NOW)
    expect(expired).toMatchObject({
      route: 'expired',
      autoReply: false,
      reason: expect.stringMatching(/^standby/),
    })
    expect(decide(standby, [room('d', { deactivatedAt: ago(1) })], SETTINGS, NOW).route).toBe('reactivated')
  })

  it('gives a group message to no chatroom', () => {
    expect(decide(inbound({ nature: 'group' }), [room('a')], SETTINGS, NOW)).toMatchObject({
      route: null,
      roomId: null,
    })
  })
})

describe('overdue changes', () => {
  const rules = { inactivityDays: 5, expiryDays: 20 }

  it.each([
    [
      'deactivate a chatroom without messages, counted from its activation',
      room('a', { activatedAt: ago(6) }),
      'deactivated',
      ago(1),
    ],
    [
      'leave a chatroom active that was activated after its last message',
      room('a', { activatedAt: ago(2), lastInboundAt: ago(9) }),
      'active',
      null,
    ],
    [
      'leave a chatroom active that got a message in time',
      room('a', { activatedAt: ago(9), lastInboundAt: ago(4) }),
      'active',
      null,
    ],
    [
      'deactivate a chatroom that is due at this instant',
      room('a', { activatedAt: ago(9), lastInboundAt: ago(5) }),
      'deactivated',
      NOW,
    ],
    [
      'expire a chatroom whose contact is too old',
      room('a', { contactCreatedAt: ago(21) }),
      'expired',
      ago(1),
    ],
    [
      'expire a deactivated chatroom whose contact is too old',
      room('d', { deactivatedAt: ago(2), contactCreatedAt: ago(20) }),
      'expired',
      NOW,
    ],
    [
      'leave a chatroom as it is that is expired already',
      room('x', { expiredAt: ago(2), contactCreatedAt: ago(99) }),
      'expired',
      null,
    ],
  ])('%s', (_, before, state, at) => {
    const { rooms, transitions } = applyOverdue([before], rules, NOW)
    expect(rooms[0]?.state).toBe(state)
    expect(transitions.map((t) => t.at)).toEqual(at ? [at] : [])
  })

  it('apply each rule also if the other one is off', () => {
    const idle = room('a', { activatedAt: ago(9) })
    expect(applyOverdue([idle], { inactivityDays: 5, expiryDays: null }, NOW).rooms[0]?.state).toBe(
      'deactivated',
    )
    expect(applyOverdue([idle], { inactivityDays: null, expiryDays: 20 }, NOW).rooms[0]?.state).toBe('active')
  })

  it('do not change since when a chatroom has its state', () => {
    const times = { activatedAt: ago(9), deactivatedAt: ago(5), expiredAt: ago(2) }
    expect(since(room('a', times))).toEqual(ago(2))
    expect(since(room('a', { ...times, expiredAt: null }))).toEqual(ago(5))
    expect(since(room('a', { activatedAt: ago(9) }))).toEqual(ago(9))
  })

  it('are none if both rules are off', () => {
    const old = room('a', { activatedAt: ago(999), contactCreatedAt: ago(999) })
    expect(applyOverdue([old], SETTINGS, NOW)).toEqual({ rooms: [old], changed: [], transitions: [] })
  })
})

describe('for any chatrooms and settings, routing', () => {
  const instant = fc.integer({ min: 0, max: 120 }).map(ago)
  const maybe = fc.option(instant, { nil: null })
  const anyRoom = fc
    .record({
      createdAt: instant,
      contactCreatedAt: instant,
      activatedAt: instant,
      lastInboundAt: maybe,
      deactivatedAt: maybe,
      expiredAt: maybe,
    })
    .map((r) => ({ ...r, deactivatedAt: r.deactivatedAt ?? ago(50) }))
  const anyRooms = fc
    .tuple(fc.array(anyRoom, { maxLength: 6 }), fc.boolean())
    .map(([rooms, active]) =>
      rooms.map((r, i) =>
        room(`r${i}`, i === 0 && active ? { ...r, deactivatedAt: null, expiredAt: null } : r),
      ),
    )
  const settings = fc.record({
    inactivityDays: fc.option(fc.integer({ min: 1, max: 90 }), { nil: null }),
    expiryDays: fc.option(fc.integer({ min: 1, max: 90 }), { nil: null }),
    unknownSender: fc.constantFrom('hold' as const, 'create' as const),
    autoReplyText: fc.constantFrom(null, 'closed'),
    autoReplyMinIntervalSeconds: fc.constantFrom(0, 60),
    autoReplyBurst: fc.constantFrom(null, 1, 20),
    reactionsReactivate: fc.boolean(),
  })
  const message = fc.record({
    sentAt: instant,
    nature: fc.constantFrom('customer' as const, 'system' as const),
  })

  it('leaves at most one active chatroom, never changes an expired one, and routes or holds every message of a customer', () => {
    fc.assert(
      fc.property(anyRooms, settings, message, (rooms, rules, m) => {
        const decision = decide(inbound(m), rooms, rules, NOW)
        expect(decision.rooms.filter((r) => r.state === 'active').length).toBeLessThanOrEqual(1)
        for (const [i, before] of rooms.entries()) {
          const after = decision.rooms[i]
          if (before.state === 'expired')
            expect(after).toMatchObject({ state: 'expired', expiredAt: before.expiredAt })
          if (!decision.changed.includes(before.id)) expect(after).toEqual(before)
        }
        const landed = decision.rooms.find((r) => r.id === decision.roomId)
        if (decision.route === 'active' || decision.route === 'reactivated')
          expect(landed?.state).toBe('active')
        if (decision.route === 'expired') expect(landed?.state).toBe('expired')
        if (m.nature === 'customer') expect(decision.route ?? decision.roomId).not.toBe(null)
        if (decision.route === 'held' || decision.route === 'created') expect(rooms).toEqual([])
      }),
    )
  })
})
