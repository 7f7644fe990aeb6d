import { byPreference } from '../rules/latest.ts'
import { applyOverdue, type LifecycleSettings, type Transition } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import { isWindowOpen } from '../rules/window.ts'
import type { Nature } from '../webhook/items.ts'

/** The org's settings that routing needs; null days: that rule is off. */
export type RoutingSettings = LifecycleSettings & {
  unknownSender: 'hold' | 'create'
  autoReplyText: string | null
  /** Least seconds between two auto-replies in a chatroom; 0: every message gets one. */
  autoReplyMinIntervalSeconds: number
}

/** The properties of a message that decide its route. */
export type Inbound = {
  wamid: string
  type: string
  nature: Nature
  sentAt: Date
}

export type Route = 'active' | 'reactivated' | 'expired' | 'held' | 'created'

/**
 * Where a message goes and why. `route` is null when the message takes no part in routing. `rooms` are all chatrooms
 * as they are afterwards; `changed` holds the ids of those to write; `transitions` are to be audited.
 */
export type Decision = {
  route: Route | null
  reason: string
  roomId: string | null
  autoReply: boolean
  handoverTo: string | null
  candidates: Room[]
  rooms: Room[]
  changed: string[]
  transitions: Transition[]
}

/** Types that get no auto-reply: the customer reacted to, edited or deleted a message. */
const UNANSWERED = new Set(['reaction', 'edit', 'revoke'])

/** Messages that take no part in routing; `shown`: in the chatroom that a customer's message would go to. */
const ASIDE: Partial<Record<Nature, { reason: string; shown: boolean }>> = {
  group: { reason: 'a group message belongs to no one-to-one chatroom', shown: false },
  echo: { reason: 'sent from the Business App', shown: true },
  import: { reason: 'history, imported at onboarding', shown: true },
}

/**
 * Routes one message among the customer's chatrooms at that number (docs/rules.md#routing): to the active one; else
 * to the latest deactivated one, which becomes active; else to the latest expired one; else the message is held, or the
 * org has a chatroom created. Overdue expiry and inactivity count as done.
 */
export function decide(message: Inbound, rooms: Room[], settings: RoutingSettings, now: Date): Decision {
  const decision = decideAmong(message, rooms, settings, now)
  if (message.nature !== 'standby') return decision
  return { ...decision, reason: `standby, another app has the thread: ${decision.reason}` }
}

function decideAmong(message: Inbound, rooms: Room[], settings: RoutingSettings, now: Date): Decision {
  const overdue = applyOverdue(rooms, settings, now)
  const candidates = [...overdue.rooms].sort(byPreference)
  const base = { ...overdue, candidates, roomId: null, autoReply: false, handoverTo: null }
  const first = candidates[0]
  const aside = ASIDE[message.nature]
  if (aside)
    return { ...base, route: null, reason: aside.reason, roomId: aside.shown ? (first?.id ?? null) : null }
  if (message.nature === 'system' && first?.state !== 'active') {
    return { ...base, route: null, reason: 'a system message changes nothing, and no chatroom is active' }
  }
  if (!first) return { ...base, ...withoutRoom(settings) }
  if (first.state === 'expired') return intoExpired(message, first, base, settings, now)
  if (message.nature === 'system') {
    return {
      ...base,
      route: 'active',
      roomId: first.id,
      reason: 'a system message, shown in the active chatroom',
    }
  }
  return intoLiving(message, first, base)
}

function withoutRoom(settings: RoutingSettings): Pick<Decision, 'route' | 'reason'> {
  return settings.unknownSender === 'create'
    ? { route: 'created', reason: 'no chatroom of this customer at this number; the org has one created' }
    : { route: 'held', reason: 'no chatroom of this customer at this number; held until one is created' }
}

/** The latest expired chatroom takes the message and stays expired; the org's auto-reply, if any, answers it. */
function intoExpired(
  message: Inbound,
  room: Room,
  base: Omit<Decision, 'route' | 'reason'>,
  settings: RoutingSettings,
  now: Date,
): Decision {
  const autoReply = settings.autoReplyText !== null && isAnswerable(message, room, settings, now)
  const next: Room = {
    ...room,
    lastInboundAt: latest(room.lastInboundAt, message.sentAt),
    lastAutoReplyAt: autoReply ? latest(room.lastAutoReplyAt, now) : room.lastAutoReplyAt,
  }
  return {
    ...base,
    route: 'expired',
    reason: `only expired chatrooms; the latest of ${base.candidates.length}`,
    roomId: room.id,
    autoReply,
    ...withRoom(base, next),
  }
}

function isAnswerable(message: Inbound, room: Room, settings: RoutingSettings, now: Date): boolean {
  if (UNANSWERED.has(message.type) || message.nature === 'standby') return false
  if (!isWindowOpen(message.sentAt, now)) return false
  // Without an interval no time is compared: a batch that waited for the lock can be older than the last auto-reply.
  if (settings.autoReplyMinIntervalSeconds === 0) return true
  const last = room.lastAutoReplyAt?.getTime() ?? Number.NEGATIVE_INFINITY
  return now.getTime() - last >= settings.autoReplyMinIntervalSeconds * 1000
}

function withRoom(
  base: Pick<Decision, 'rooms' | 'changed'>,
  room: Room,
): Pick<Decision, 'rooms' | 'changed'> {
  return {
    rooms: base.rooms.map((r) => (r.id === room.id ? room : r)),
    changed: [...new Set([...base.changed, room.id])],
  }
}

/** The chatroom takes the message and is active afterwards; the timers take the time that Meta gave the message. */
function intoLiving(message: Inbound, room: Room, base: Omit<Decision, 'route' | 'reason'>): Decision {
  const reactivated = room.state === 'deactivated'
  const deactivated = base.candidates.filter((r) => r.state === 'deactivated').length
  const next: Room = {
    ...room,
    state: 'active',
    deactivatedAt: null,
    activatedAt: reactivated ? message.sentAt : room.activatedAt,
    lastInboundAt: latest(room.lastInboundAt, message.sentAt),
    pendingUserId: null,
  }
  const transition: Transition = {
    roomId: room.id,
    contactId: room.contactId,
    from: 'deactivated',
    to: 'active',
    at: message.sentAt,
    reason: 'the customer wrote',
  }
  return {
    ...base,
    route: reactivated ? 'reactivated' : 'active',
    reason: reactivated
      ? `no active chatroom; the latest of ${deactivated} deactivated`
      : 'the active chatroom',
    roomId: room.id,
    handoverTo: room.pendingUserId,
    ...withRoom(base, next),
    transitions: reactivated ? [...base.transitions, transition] : base.transitions,
  }
}

function latest(a: Date | null, b: Date): Date {
  return a && a > b ? a : b
}
