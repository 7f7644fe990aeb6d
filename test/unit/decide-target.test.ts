import { describe, expect, it } from 'vitest'
import { decide } from '../../src/routing/decide.ts'
import { DAY, earlier, inboundOf, NOW, roomOf, settingsOf } from '../support/rooms.ts'

const active = roomOf('active', { pendingUserId: 'bala' })
const deactivated = roomOf('deactivated', { deactivatedAt: earlier(DAY), pendingUserId: 'bala' })
const expired = roomOf('expired', { expiredAt: earlier(DAY) })

describe.each(['reaction', 'edit', 'revoke'])('a %s', (type) => {
  const naming = (targetRoomId: string | null) => inboundOf({ type, targetRoomId })

  it('goes to the chatroom of the message it names, and changes no state', () => {
    for (const [target, route] of [
      [deactivated, null],
      [expired, 'expired'],
    ] as const) {
      const decision = decide(naming(target.id), [active, deactivated, expired], settingsOf(), NOW)
      expect(decision).toMatchObject({
        route,
        roomId: target.id,
        autoReply: false,
        handoverTo: null,
        changed: [],
        transitions: [],
      })
    }
  })

  it('is a sign of life in an active chatroom, without a handover', () => {
    const decision = decide(naming('active'), [active, deactivated], settingsOf(), NOW)
    expect(decision).toMatchObject({ route: 'active', roomId: 'active', handoverTo: null, transitions: [] })
    expect(decision.rooms[0]).toMatchObject({ lastInboundAt: NOW, pendingUserId: 'bala' })
  })

  it('is routed as a message when the message it names is unknown, or in no chatroom of this customer', () => {
    for (const target of [null, 'somebody else’s']) {
      const decision = decide(naming(target), [deactivated], settingsOf(), NOW)
      expect(decision).toMatchObject({ route: 'reactivated', roomId: 'deactivated', handoverTo: 'bala' })
    }
  })

  it('reactivates where the org says so', () => {
    const settings = settingsOf({ reactionsReactivate: true })
    expect(decide(naming('deactivated'), [deactivated], settings, NOW).route).toBe('reactivated')
  })
})

it('a text that answers a message of an old chatroom is routed as any text', () => {
  const decision = decide(inboundOf({ type: 'text' }), [active, deactivated], settingsOf(), NOW)
  expect(decision.roomId).toBe('active')
})

it('an echoed edit is shown beside the message it names', () => {
  const echo = inboundOf({ nature: 'echo', type: 'edit', targetRoomId: 'deactivated' })
  expect(decide(echo, [active, deactivated], settingsOf(), NOW)).toMatchObject({
    route: null,
    roomId: 'deactivated',
  })
})
