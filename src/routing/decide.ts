import { byPreference } from '../rules/latest.ts'
import { applyOverdue, countMessage, isInactiveSince } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import type { Nature } from '../webhook/items.ts'
import type { Decision, Inbound, RoutingSettings, Undecided } from './decision.ts'
import { intoExpired, intoLiving, intoSleeping, intoTarget } from './into-room.ts'

/** Messages that take no part in routing; `shown`: in the chatroom that a customer's message would go to. */
const ASIDE: Partial<Record<Nature, { reason: string; shown: boolean }>> = {
  group: { reason: 'a group message belongs to no one-to-one chatroom', shown: false },
  echo: { reason: 'sent from the Business App', shown: true },
  import: { reason: 'history, imported at onboarding', shown: true },
  own: { reason: 'a number of the org itself', shown: false },
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
  const isWord = message.nature === 'customer' || message.nature === 'standby'
  const counted = isWord ? rooms.map((room) => countMessage(room, message.sentAt, settings)) : rooms
  const overdue = applyOverdue(counted, settings, now)
  const candidates = [...overdue.rooms].sort(byPreference)
  const base: Undecided = {
    ...NO_EFFECT,
    candidates,
    rooms: overdue.rooms,
    changed: overdue.changed,
    transitions: overdue.transitions,
  }
  const first = candidates[0]
  const target = candidates.find(({ id }) => id === message.targetRoomId)
  const aside = ASIDE[message.nature]
  if (aside) {
    const shownIn = target ?? first
    return { ...base, route: null, reason: aside.reason, roomId: aside.shown ? (shownIn?.id ?? null) : null }
  }
  if (message.nature === 'system') return intoActiveOnly(first, base)
  if (target && !settings.reactionsReactivate) return intoTarget(message, target, base)
  if (!first) return { ...base, ...withoutRoom(settings) }
  if (first.state === 'expired') return intoExpired(message, first, base, settings, now)
  if (first.state === 'deactivated' && isInactiveSince(message.sentAt, settings, now)) {
    return intoSleeping(message, first, base)
  }
  return intoLiving(message, first, base)
}

const NO_EFFECT = { roomId: null, autoReply: false, pausesAutoReplies: false, handoverTo: null }

function intoActiveOnly(first: Room | undefined, base: Undecided): Decision {
  if (first?.state !== 'active') {
    return { ...base, route: null, reason: 'a system message changes nothing, and no chatroom is active' }
  }
  return {
    ...base,
    route: 'active',
    roomId: first.id,
    reason: 'a system message, shown in the active chatroom',
  }
}

function withoutRoom(settings: RoutingSettings): Pick<Decision, 'route' | 'reason'> {
  return settings.unknownSender === 'create'
    ? { route: 'created', reason: 'no chatroom of this customer at this number; the org has one created' }
    : { route: 'held', reason: 'no chatroom of this customer at this number; held until one is created' }
}
