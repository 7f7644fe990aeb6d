import type { Transition } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import { autoReplyTo } from './auto-reply.ts'
import type { Decision, Inbound, RoutingSettings, Undecided } from './decision.ts'

/** The latest expired chatroom takes the message and stays expired; the org's auto-reply, if any, answers it. */
export function intoExpired(
  message: Inbound,
  room: Room,
  base: Undecided,
  settings: RoutingSettings,
  now: Date,
): Decision {
  const { answers, isPaused, pauses, room: counted } = autoReplyTo(message, room, settings, now)
  const reason = `only expired chatrooms; the latest of ${base.candidates.length}`
  return {
    ...base,
    route: 'expired',
    reason: isPaused ? `${reason}; auto-replies are paused` : reason,
    roomId: room.id,
    autoReply: answers,
    pausesAutoReplies: pauses,
    ...withRoom(base, { ...counted, lastInboundAt: latest(room.lastInboundAt, message.sentAt) }),
  }
}

/**
 * A reaction, an edit or a revoke goes to the chatroom of the message that it names. It changes no state and gets no
 * answer; in an active chatroom it is a sign of life.
 */
export function intoTarget(message: Inbound, room: Room, base: Undecided): Decision {
  const isActive = room.state === 'active'
  const route = room.state === 'deactivated' ? null : room.state
  const next = { ...room, lastInboundAt: latest(room.lastInboundAt, message.sentAt) }
  return {
    ...base,
    route,
    reason: `goes with the message that the ${message.type} names`,
    roomId: room.id,
    ...(isActive && withRoom(base, next)),
  }
}

function withRoom(
  base: Pick<Decision, 'rooms' | 'changed'>,
  room: Room,
): Pick<Decision, 'rooms' | 'changed'> {
  return {
    rooms: base.rooms.map((r) => (r.id === room.id ? room : r)),
    changed: base.changed.includes(room.id) ? base.changed : [...base.changed, room.id],
  }
}

/**
 * A message that Meta delivers so late that `inactivity_days` have passed since it was sent: reactivated by it, the
 * chatroom would be due for deactivation at once. It takes the message and stays deactivated.
 */
export function intoSleeping(message: Inbound, room: Room, base: Undecided): Decision {
  return {
    ...base,
    route: null,
    reason: 'delivered after its own inactivity period; the latest deactivated chatroom stays so',
    roomId: room.id,
    ...withRoom(base, { ...room, lastInboundAt: latest(room.lastInboundAt, message.sentAt) }),
  }
}

/** The chatroom takes the message and is active afterwards; the timers take the time that Meta gave the message. */
export function intoLiving(message: Inbound, room: Room, base: Undecided): Decision {
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
  const { rooms, changed } = withRoom(base, next)
  return {
    ...base,
    route: reactivated ? 'reactivated' : 'active',
    reason: reactivated
      ? `no active chatroom; the latest of ${deactivated} deactivated`
      : 'the active chatroom',
    roomId: room.id,
    handoverTo: room.pendingUserId,
    rooms,
    changed,
    transitions: reactivated ? [...base.transitions, transition] : base.transitions,
  }
}

function latest(a: Date | null, b: Date): Date {
  return a && a > b ? a : b
}
