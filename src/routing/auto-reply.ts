import type { Room } from '../rules/room.ts'
import { ASKS_NOTHING } from '../rules/waiting.ts'
import { isWindowOpen } from '../rules/window.ts'
import type { Inbound, RoutingSettings } from './decision.ts'

const UNANSWERED = new Set<string>(ASKS_NOTHING)

/** `auto_reply_burst` auto-replies within this time, in one chatroom, are the work of a robot. */
const BURST_MS = 10 * 60_000
/** So long after the last auto-reply of a burst there are no more. */
const PAUSE_MS = 60 * 60_000

/** Whether an expired chatroom answers a message; `pauses`: it answers, and it is the last answer before a pause. */
export type AutoReply = { answers: boolean; isPaused: boolean; pauses: boolean; room: Room }

/**
 * Decides about the auto-reply of an expired chatroom (docs/rules.md#auto-reply). Two robots would answer each other for
 * ever, so after a burst of auto-replies the chatroom pauses. `room` has the counters as they are afterwards.
 */
export function autoReplyTo(message: Inbound, room: Room, settings: RoutingSettings, now: Date): AutoReply {
  const silent = { answers: false, isPaused: false, pauses: false, room }
  if (settings.autoReplyText === null || !isAnswerable(message, room, settings, now)) return silent
  const burst = settings.autoReplyBurst ?? Number.POSITIVE_INFINITY
  if (room.autoReplies >= burst && isWithin(PAUSE_MS, room.lastAutoReplyAt, now)) {
    return { ...silent, isPaused: true }
  }
  const goesOn = isWithin(BURST_MS, room.autoRepliesSince, now)
  const autoReplies = goesOn ? room.autoReplies + 1 : 1
  const autoRepliesSince = goesOn ? room.autoRepliesSince : now
  const last = room.lastAutoReplyAt
  const lastAutoReplyAt = last && last > now ? last : now
  return {
    answers: true,
    isPaused: false,
    pauses: autoReplies === burst,
    room: { ...room, lastAutoReplyAt, autoReplies, autoRepliesSince },
  }
}

function isAnswerable(message: Inbound, room: Room, settings: RoutingSettings, now: Date): boolean {
  if (UNANSWERED.has(message.type) || message.nature === 'standby') return false
  if (!isWindowOpen(message.sentAt, now)) return false
  // Without an interval no time is compared: a batch that waited for the lock can be older than the last auto-reply.
  const interval = settings.autoReplyMinIntervalSeconds * 1000
  return interval === 0 || !isWithin(interval, room.lastAutoReplyAt, now)
}

function isWithin(ms: number, since: Date | null, now: Date): boolean {
  return since !== null && now.getTime() - since.getTime() < ms
}
