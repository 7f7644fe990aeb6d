import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/routing/decide.ts'
import { applyOverdue } from '../../src/rules/lifecycle.ts'
import { since } from '../../src/rules/room.ts'
import { DAY, earlier, inboundOf, NOW, roomOf, settingsOf } from '../support/rooms.ts'

const ago = (days: number) => earlier(days * DAY)
const SETTINGS = settingsOf()

describe('routing', () => {
  it('prefers an active chatroom to a deactivated one, and that to an expired one', () => {
    const rooms = [roomOf('x', { expiredAt: ago(1) }), roomOf('d', { deactivatedAt: ago(1) }), roomOf('a')]
    expect(decide(inboundOf(), rooms, SETTINGS, NOW)).toMatchObject({ route: 'active', roomId: 'a' })
    expect(decide(inboundOf(), rooms.slice(0, 2), SETTINGS, NOW)).toMatchObject({
      route: 'reactivated',
      roomId: 'd',
    })
    expect(decide(inboundOf(), rooms.slice(0, 1), SETTINGS, NOW)).toMatchObject({
      route: 'expired',
      roomId: 'x',
    })
    expect(decide(inboundOf(), [], SETTINGS, NOW)).toMatchObject({ route: 'held', roomId: null })
    expect(decide(inboundOf(), [], { ...SETTINGS, unknownSender: 'create' }, NOW).route).toBe('created')
  })

  it('breaks a tie of deactivation times by creation, then by id', () => {
    const at = ago(1)
    const rooms = [
      roomOf('a', { deactivatedAt: at, createdAt: ago(5) }),
      roomOf('c', { deactivatedAt: at, createdAt: ago(4) }),
      roomOf('b', { deactivatedAt: at, createdAt: ago(4) }),
    ]
    expect(decide(inboundOf(), rooms, SETTINGS, NOW).roomId).toBe('c')
    expect(decide(inboundOf(), rooms.toReversed(), SETTINGS, NOW).roomId).toBe('c')
  })

  it('reactivates as of the time of the message, so that a late message does not restart the inactivity', () => {
    const late = inboundOf({ sentAt: ago(3) })
    const { rooms, transitions } = decide(late, [roomOf('d', { deactivatedAt: ago(1) })], SETTINGS, NOW)
    expect(rooms).toMatchObject([
      { state: 'active', activatedAt: ago(3), lastInboundAt: ago(3), deactivatedAt: null },
    ])
    expect(transitions).toMatchObject([{ from: 'deactivated', to: 'active', at: ago(3) }])
  })

  it('makes the pending user the only user', () => {
    const decision = decide(inboundOf(), [roomOf('a', { pendingUserId: 'bob' })], SETTINGS, NOW)
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
    expect(decide(inboundOf(change), [roomOf('x', { expiredAt: ago(1) })], settings, NOW).autoReply).toBe(
      expected,
    )
  })

  it('gives no auto-reply within `auto_reply_min_interval_seconds` of the last one', () => {
    const settings = { ...SETTINGS, autoReplyMinIntervalSeconds: 60 }
    const answered = (secondsAgo: number) =>
      roomOf('x', { expiredAt: ago(1), lastAutoReplyAt: new Date(NOW.getTime() - secondsAgo * 1000) })
    expect(decide(inboundOf(), [answered(59)], settings, NOW).autoReply).toBe(false)
    const again = decide(inboundOf(), [answered(60)], settings, NOW)
    expect([again.autoReply, again.rooms[0]?.lastAutoReplyAt]).toEqual([true, NOW])
    expect(decide(inboundOf(), [roomOf('x', { expiredAt: ago(1) })], settings, NOW).autoReply).toBe(true)
  })

  it('gives an auto-reply to every message without an interval, also to one that is older than the last auto-reply', () => {
    const later = new Date(NOW.getTime() + 40)
    const answered = roomOf('x', { expiredAt: ago(1), lastAutoReplyAt: later })
    const again = decide(inboundOf(), [answered], SETTINGS, NOW)
    expect([again.autoReply, again.rooms[0]?.lastAutoReplyAt]).toEqual([true, later])
  })

  it('shows a system message in the active chatroom, changes nothing, and never reactivates', () => {
    const system = inboundOf({ nature: 'system' })
    expect(decide(system, [roomOf('a')], SETTINGS, NOW)).toMatchObject({
      route: 'active',
      roomId: 'a',
      changed: [],
    })
    const inactive = decide(system, [roomOf('d', { deactivatedAt: ago(1) })], SETTINGS, NOW)
    expect(inactive).toMatchObject({ route: null, roomId: null, changed: [] })
    expect(decide(system, [], SETTINGS, NOW).route).toBe(null)
  })

  it.each(['echo', 'import'] as const)(
    'shows an %s in the chatroom, active or not, and changes nothing',
    (nature) => {
      const aside = inboundOf({ nature })
      const deactivated = roomOf('d', { deactivatedAt: ago(1) })
      expect(decide(aside, [deactivated], SETTINGS, NOW)).toMatchObject({
        route: null,
        roomId: 'd',
        changed: [],
      })
      expect(decide(aside, [], SETTINGS, NOW)).toMatchObject({ route: null, roomId: null })
    },
  )

  it('routes a standby message, without an auto-reply', () => {
    const standby = inboundOf({ nature: 'standby' })
    const expired = decide(standby, [roomOf('x', { expiredAt: ago(1) })], SETTINGS, NOW)
    expect(expired).toMatchObject({
      route: 'expired',
      autoReply: false,
      reason: expect.stringMatching(/^standby/),
    })
    expect(decide(standby, [roomOf('d', { deactivatedAt: ago(1) })], SETTINGS, NOW).route).toBe('reactivated')
  })

  it('gives a group message to no chatroom', () => {
    expect(decide(inboundOf({ nature: 'group' }), [roomOf('a')], SETTINGS, NOW)).toMatchObject({
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
      roomOf('a', { activatedAt: ago(6) }),
      'deactivated',
      ago(1),
    ],
    [
      'leave a chatroom active that was activated after its last message',
      roomOf('a', { activatedAt: ago(2), lastInboundAt: ago(9) }),
      'active',
      null,
    ],
    [
      'leave a chatroom active that got a message in time',
      roomOf('a', { activatedAt: ago(9), lastInboundAt: ago(4) }),
      'active',
      null,
    ],
    [
      'deactivate a chatroom that is due at this instant',
      roomOf('a', { activatedAt: ago(9), lastInboundAt: ago(5) }),
      'deactivated',
      NOW,
    ],
    [
      'expire a chatroom whose contact is too old',
      roomOf('a', { contactCreatedAt: ago(21) }),
      'expired',
      ago(1),
    ],
    [
      'expire a deactivated chatroom whose contact is too old',
      roomOf('d', { deactivatedAt: ago(2), contactCreatedAt: ago(20) }),
      'expired',
      NOW,
    ],
    [
      'leave a chatroom as it is that is expired already',
      roomOf('x', { expiredAt: ago(2), contactCreatedAt: ago(99) }),
      'expired',
      null,
    ],
  ])('%s', (_, before, state, at) => {
    const { rooms, transitions } = applyOverdue([before], rules, NOW)
    expect(rooms[0]?.state).toBe(state)
    expect(transitions.map((t) => t.at)).toEqual(at ? [at] : [])
  })

  it('apply each rule also if the other one is off', () => {
    const idle = roomOf('a', { activatedAt: ago(9) })
    expect(applyOverdue([idle], { inactivityDays: 5, expiryDays: null }, NOW).rooms[0]?.state).toBe(
      'deactivated',
    )
    expect(applyOverdue([idle], { inactivityDays: null, expiryDays: 20 }, NOW).rooms[0]?.state).toBe('active')
  })

  it('do not change since when a chatroom has its state', () => {
    const times = { activatedAt: ago(9), deactivatedAt: ago(5), expiredAt: ago(2) }
    expect(since(roomOf('a', times))).toEqual(ago(2))
    expect(since(roomOf('a', { ...times, expiredAt: null }))).toEqual(ago(5))
    expect(since(roomOf('a', { activatedAt: ago(9) }))).toEqual(ago(9))
  })

  it('are none if both rules are off', () => {
    const old = roomOf('a', { activatedAt: ago(999), contactCreatedAt: ago(999) })
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
        roomOf(`r${i}`, i === 0 && active ? { ...r, deactivatedAt: null, expiredAt: null } : r),
      ),
    )
  const settings = fc.record({
    inactivityDays: fc.option(fc.integer({ min: 1, max: 90 }), { nil: null }),
    expiryDays: fc.option(fc.integer({ min: 1, max: 90 }), { nil: null }),
    unknownSender: fc.constantFrom('hold' as const, 'create' as const),
    autoReplyText: fc.constantFrom(null, 'closed'),
    autoReplyMinIntervalSeconds: fc.constantFrom(0, 60),
    autoReplyBurst: fc.constantFrom(null, 1, 20),
    stopWords: fc.constant<string[]>([]),
    reactionsReactivate: fc.boolean(),
  })
  const message = fc.record({
    sentAt: instant,
    nature: fc.constantFrom('customer' as const, 'system' as const),
  })

  it('leaves at most one active chatroom, never changes an expired one, and routes or holds every message of a customer', () => {
    fc.assert(
      fc.property(anyRooms, settings, message, (rooms, rules, m) => {
        const decision = decide(inboundOf(m), rooms, rules, NOW)
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
