import { describe, expect, it } from 'vitest'
import { decide } from '../../src/routing/decide.ts'
import type { RoutingSettings } from '../../src/routing/decision.ts'
import type { Room } from '../../src/rules/room.ts'
import { DAY, earlier, inboundOf, MINUTE, NOW, roomOf, settingsOf } from '../support/rooms.ts'

/** Messages at these minutes into an expired chatroom: which of them are answered, and which answers begin a pause. */
function answers(minutes: number[], change: Partial<RoutingSettings> = {}) {
  let room: Room = roomOf('r', { expiredAt: earlier(DAY) })
  return minutes.map((minute) => {
    const now = new Date(NOW.getTime() + minute * MINUTE)
    const decision = decide(inboundOf({ sentAt: now }), [room], settingsOf(change), now)
    room = decision.rooms[0]!
    return decision.autoReply ? (decision.pausesAutoReplies ? 'last' : 'yes') : 'no'
  })
}

const every = (seconds: number, count: number) => Array.from({ length: count }, (_, i) => (i * seconds) / 60)
const countOf = (list: string[], word: string) => list.filter((item) => item === word).length

describe('auto-replies to a robot', () => {
  it('pause after 20 within 10 minutes, and the twentieth says so', () => {
    const list = answers(every(5, 60))
    expect([countOf(list, 'yes'), countOf(list, 'last'), countOf(list, 'no')]).toEqual([19, 1, 40])
  })

  it('go on an hour after the last one', () => {
    const list = answers([...every(5, 25), 61.5, 62])
    expect(list.slice(20)).toEqual(['no', 'no', 'no', 'no', 'no', 'no', 'yes'])
  })

  it('never pause for a person who writes a message a minute', () => {
    expect(new Set(answers(every(60, 300)))).toEqual(new Set(['yes']))
  })

  it('never pause where the org switched that off, and sooner where it asks for it', () => {
    expect(new Set(answers(every(1, 100), { autoReplyBurst: null }))).toEqual(new Set(['yes']))
    expect(answers(every(1, 4), { autoReplyBurst: 2 })).toEqual(['yes', 'last', 'no', 'no'])
  })

  it('leave every message in the chatroom, paused or not', () => {
    const room = roomOf('r', {
      expiredAt: earlier(DAY),
      autoReplies: 20,
      autoRepliesSince: earlier(MINUTE),
      lastAutoReplyAt: earlier(MINUTE),
    })
    expect(decide(inboundOf(), [room], settingsOf(), NOW)).toMatchObject({
      route: 'expired',
      roomId: 'r',
      autoReply: false,
      reason: 'only expired chatrooms; the latest of 1; auto-replies are paused',
    })
  })
})
