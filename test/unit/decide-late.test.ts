import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/routing/decide.ts'
import { applyOverdue, type Transition } from '../../src/rules/lifecycle.ts'
import type { Room } from '../../src/rules/room.ts'
import { DAY, earlier, inboundOf, NOW, roomOf, settingsOf } from '../support/rooms.ts'

const settings = settingsOf({ inactivityDays: 30 })
const late = (days: number) => inboundOf({ sentAt: earlier(days * DAY) })

describe('a message that Meta delivers late', () => {
  it('keeps a chatroom active whose deactivation it precedes, though the deactivation is overdue', () => {
    const room = roomOf('r', { activatedAt: earlier(40 * DAY) })
    const decision = decide(late(15), [room], settings, NOW)
    expect(decision).toMatchObject({ route: 'active', transitions: [] })
    expect(decision.rooms[0]).toMatchObject({ state: 'active', lastInboundAt: earlier(15 * DAY) })
  })

  it('leaves the chatroom deactivated when its own inactivity period is over too', () => {
    const room = roomOf('r', { activatedAt: earlier(90 * DAY), deactivatedAt: earlier(60 * DAY) })
    const decision = decide(late(31), [room], settings, NOW)
    expect(decision).toMatchObject({ route: null, roomId: 'r', transitions: [], handoverTo: null })
    expect(decision.rooms[0]).toMatchObject({ state: 'deactivated', lastInboundAt: earlier(31 * DAY) })
  })

  it('reactivates a chatroom that was deactivated for want of it', () => {
    const room = roomOf('r', { activatedAt: earlier(40 * DAY), deactivatedAt: earlier(10 * DAY) })
    expect(decide(late(15), [room], settings, NOW).route).toBe('reactivated')
  })

  it('reactivates whatever its age when the org deactivates nobody for inactivity', () => {
    const room = roomOf('r', { activatedAt: earlier(90 * DAY), deactivatedAt: earlier(60 * DAY) })
    expect(decide(late(31), [room], settingsOf(), NOW).route).toBe('reactivated')
  })
})

const HORIZON = 200
const rules = settingsOf({ inactivityDays: 30, expiryDays: 150 })
const created = () =>
  roomOf('r', {
    createdAt: earlier(HORIZON * DAY),
    contactCreatedAt: earlier(HORIZON * DAY),
    activatedAt: earlier(HORIZON * DAY),
  })

type Step = { at: number; sentDay?: number }

/** Days since the chatroom was created: messages when they are delivered, and sweeps. */
function play(steps: Step[], days: number): { room: Room; transitions: (Transition & { made: number })[] } {
  let room = created()
  const transitions: (Transition & { made: number })[] = []
  const on = (day: number) => earlier((HORIZON - day) * DAY)
  const limited = { ...rules, expiryDays: days }
  for (const { at, sentDay } of [...steps].sort((a, b) => a.at - b.at)) {
    const result =
      sentDay === undefined
        ? applyOverdue([room], limited, on(at))
        : decide(inboundOf({ sentAt: on(sentDay) }), [room], limited, on(at))
    transitions.push(...result.transitions.map((t) => ({ ...t, made: at })))
    room = result.rooms[0]!
  }
  return { room, transitions }
}

const message = fc.record({
  sentDay: fc.integer({ min: 1, max: 99 }),
  delay: fc.integer({ min: 0, max: 99 }),
})
const sweep = fc.integer({ min: 1, max: 198 })

describe('in any order of messages, late messages, sweeps and expiry', () => {
  const anyHistory = fc.property(
    fc.array(message, { maxLength: 6 }),
    fc.array(sweep, { maxLength: 8 }),
    fc.constantFrom(150, 199, 10_000),
    (messages, sweeps, expiryDays) => {
      const steps = (delayed: boolean): Step[] => [
        ...messages.map(({ sentDay, delay }) => ({ sentDay, at: delayed ? sentDay + delay : sentDay })),
        ...sweeps.map((at) => ({ at })),
        { at: 199.5 },
      ]
      const [onTime, delayed] = [play(steps(false), expiryDays), play(steps(true), expiryDays)]
      expect(delayed.room.state).toBe(onTime.room.state)
      expect(delayed.room.expiredAt).toEqual(onTime.room.expiredAt)
      const made = delayed.transitions.map((t) => `${t.made}`)
      const flaps = delayed.transitions.filter(
        (t, i) =>
          t.from === 'active' && delayed.transitions[i - 1]?.to === 'active' && made[i] === made[i - 1],
      )
      expect(flaps).toEqual([])
    },
  )

  it('the chatroom ends as if every message had come on time, and nothing is undone at the moment it is done', () => {
    fc.assert(anyHistory, { numRuns: 2_000 })
  })
})
